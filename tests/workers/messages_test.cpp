#include "workers/messages.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

JobDescription description() {
  return {.samples = 60'000,
          .test_samples = 10'000,
          .fields = {{"data", DType::float32, {1, 28, 28}}, {"target", DType::int64, {}}},
          .parameter_bytes = 407'104,
          .parameter_elements = 101'770,
          .optimizer_bytes = 814'272,
          .needs_closure = true,
          .resident_bytes = 1ULL << 40,
          .kernels = "OpenBLAS \"any\"\n×",
          .tensor_count = 4,
          .tensor_name_bytes = 44,
          .tensor_records = 7};
}

TEST(Messages, ADescriptionComesBackAsItWas) {
  const ChildMessage message = decode_message(encode(Described{description()}));
  const auto* described = std::get_if<Described>(&message);
  ASSERT_NE(described, nullptr);
  const JobDescription& d = described->description;
  EXPECT_EQ(d.samples, 60'000);
  EXPECT_EQ(d.test_samples, 10'000);
  EXPECT_EQ(d.parameter_bytes, 407'104U);
  EXPECT_EQ(d.parameter_elements, 101'770);
  EXPECT_EQ(d.optimizer_bytes, 814'272U);
  EXPECT_TRUE(d.needs_closure);
  EXPECT_EQ(d.resident_bytes, 1ULL << 40);
  EXPECT_EQ(d.kernels, description().kernels);
  EXPECT_EQ(d.tensor_count, 4U);
  EXPECT_EQ(d.tensor_name_bytes, 44U);
  EXPECT_EQ(d.tensor_records, 7U);
  ASSERT_EQ(d.fields.size(), 2U);
  EXPECT_EQ(d.fields[0].name, "data");
  EXPECT_EQ(d.fields[0].dtype, DType::float32);
  EXPECT_EQ(d.fields[0].shape.to_string(), "[1, 28, 28]");
  EXPECT_EQ(d.fields[1].dtype, DType::int64);
  EXPECT_EQ(d.fields[1].shape.dims(), 0);
}

TEST(Messages, AnErrorComesBackAsItWas) {
  const std::string text = "data/\"ä\"\t: no such file";
  const ChildMessage message = decode_message(encode(Failed{text}));
  ASSERT_NE(std::get_if<Failed>(&message), nullptr);
  EXPECT_EQ(std::get<Failed>(message).message, text);
}

TEST(Messages, AnErrorWithBytesThatAreNoTextStillArrives) {
  const ChildMessage message = decode_message(encode(Failed{"file \xff\xfe: broken"}));
  EXPECT_TRUE(has(std::get<Failed>(message).message, {"file ", ": broken"}));
}

TEST(Messages, AnErrorOfAnyLengthAndContentFitsIntoAMessage) {
  for (const char c : {'x', '\x01', '"', '\xff', '\n'}) {
    const std::string text = encode(Failed{std::string(1 << 20, c)});
    EXPECT_LE(text.size(), max_message_bytes) << static_cast<int>(c);
    const ChildMessage message = decode_message(text);
    EXPECT_GT(std::get<Failed>(message).message.size(), 1000U);
  }
}

TEST(Messages, ADescriptionThatDoesNotFitIsAnErrorForItsSender) {
  JobDescription d = description();
  for (int i = 0; i < 5000; ++i) d.fields.push_back({"field" + std::to_string(i), DType::float32, {28, 28}});
  EXPECT_TRUE(has(error_of([&] { encode(Described{d}); }), {"5002 fields"}));
}

TEST(Messages, WhatIsNoMessageIsAnError) {
  const std::string good = encode(Described{description()});
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "{"s, "null"s, "[]"s, "7"s, "\"go\""s, "{}"s, R"({"kind":7})"s, R"({"kind":"other"})"s,
        R"({"kind":"failed"})"s, R"({"kind":"failed","message":[]})"s, R"({"kind":"described"})"s, "\0\0\0"s,
        "\xff\xfe"s, std::string(60'000, '['), good + "x"}) {
    EXPECT_TRUE(has(error_of([&] { decode_message(text); }), {"message"})) << text.substr(0, 60);
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(error_of([&] { decode_message(good.substr(0, length)); }).empty()) << length;
  }
}

TEST(Messages, ADescriptionWithAWrongFieldIsAnError) {
  const auto with = [](const char* pointer, const nlohmann::json& value) {
    nlohmann::json json = nlohmann::json::parse(encode(Described{description()}));
    json[nlohmann::json::json_pointer(pointer)] = value;
    return error_of([&] { decode_message(json.dump()); });
  };
  EXPECT_EQ(with("/samples", 1), "");
  EXPECT_NE(with("/samples", "many"), "");
  EXPECT_NE(with("/samples", nullptr), "");
  EXPECT_NE(with("/kernels", 3), "");
  EXPECT_NE(with("/fields", 3), "");
  EXPECT_NE(with("/fields/0", 3), "");
  EXPECT_NE(with("/fields/0/name", 3), "");
  EXPECT_TRUE(has(with("/fields/0/dtype", -1), {"element type -1"}));
  EXPECT_TRUE(has(with("/fields/0/dtype", dtype_count), {"element type"}));
  EXPECT_NE(with("/fields/0/shape", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}), "");
  EXPECT_NE(with("/fields/0/shape", {"a"}), "");
}

}  // namespace
}  // namespace feral
