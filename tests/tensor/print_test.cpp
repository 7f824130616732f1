// Elements as text, against what NumPy prints (tests/fixtures/print/generate.py).
#include "tensor/print.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

DType dtype_named(const std::string& name) {
  for (int i = 0; i < dtype_count; ++i) {
    if (name_of(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  }
  throw Error("no type " + name);
}

Tensor made(const nlohmann::json& description) {
  Shape shape;
  for (const std::int64_t size : description["shape"]) shape.push_back(size);
  const DType dtype = dtype_named(description["dtype"]);
  const std::int64_t count = shape.numel();
  if (is_floating(dtype)) {
    std::vector<double> values;
    if (description.contains("ramp")) {
      const std::int64_t modulus = description["ramp"]["modulus"];
      const double step = description["ramp"]["step"];
      for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i % modulus) * step);
    } else {
      for (const std::string text : description["values"]) values.push_back(std::strtod(text.c_str(), nullptr));
    }
    return Tensor::from_vector(values, shape).to(dtype);
  }
  std::vector<std::int64_t> values;
  if (description.contains("ramp")) {
    const std::int64_t modulus = description["ramp"]["modulus"];
    for (std::int64_t i = 0; i < count; ++i) values.push_back(i % modulus);
  } else {
    for (const std::string text : description["values"]) values.push_back(std::strtoll(text.c_str(), nullptr, 10));
  }
  return Tensor::from_vector(values, shape).to(dtype);
}

TEST(Print, WritesWhatNumPyWrites) {
  std::ifstream file(FERAL_SOURCE_DIR "/tests/fixtures/print/cases.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  ASSERT_GE(cases.size(), 130U);
  for (const auto& description : cases) {
    const Tensor tensor = made(description);
    EXPECT_EQ(format_elements(tensor), description["text"].get<std::string>())
        << description["dtype"] << tensor.shape().to_string();
  }
}

TEST(Print, FollowsStrides) {
  const Tensor x = Tensor::from_vector<std::int32_t>({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(x.transpose(0, 1).repr(), "[[1 4]\n [2 5]\n [3 6]]");
  EXPECT_EQ(Tensor::full({1}, 7, DType::int8).expand({2, 2}).repr(), "[[7 7]\n [7 7]]");
}

TEST(Print, KnowsEveryType) {
  EXPECT_EQ(Tensor::full({2}, 0.1, DType::bfloat16).repr(), "[0.1 0.1]");
  EXPECT_EQ(Tensor::full({}, 300, DType::bfloat16).repr(), "300.0");
  EXPECT_EQ(Tensor().repr(), "undefined");
  std::ostringstream stream;
  stream << Tensor::ones({2}, DType::boolean);
  EXPECT_EQ(stream.str(), "[ True  True]");
}

TEST(Print, TakesOptions) {
  const Tensor x = Tensor::from_vector<double>({1.23456789, 1e-9, 100000}, {3});
  EXPECT_EQ(format_elements(x, {.precision = 3}), "[1.235e+00 1.000e-09 1.000e+05]");
  EXPECT_EQ(format_elements(x, {.precision = 2, .suppress_exponents = true}), "[     1.23      0.   100000.  ]");
  EXPECT_EQ(format_elements(x, {.threshold = 2, .edge_items = 1}), "[1.23456789e+00 ... 1.00000000e+05]");
  EXPECT_EQ(format_elements(Tensor::ones({4}), {.line_width = 6}), "[1.\n 1.\n 1.\n 1.]");
}

}  // namespace
}  // namespace feral
