#include "data/text.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::data {
namespace {

using support::error_of;
using support::has;

class Text : public testing::Test {
 protected:
  std::filesystem::path written(const std::string& text) const {
    const std::filesystem::path path = folder_.path() / "text";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  // "data|target" of a sample, as text.
  static std::string sample(const TextDataset& dataset, std::int64_t index) {
    const BatchLayout layout(dataset.fields(), 1);
    std::vector<std::byte> memory(layout.size_bytes() + 64);
    auto* const aligned = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
    const std::vector<std::int64_t> indices = {index};
    dataset.fill(indices, layout, aligned);
    const Batch batch(layout, aligned, 1);
    std::string result;
    for (const std::int64_t byte : batch.data().to_vector<std::int64_t>()) result += static_cast<char>(byte);
    result += '|';
    for (const std::int64_t byte : batch.target().to_vector<std::int64_t>()) result += static_cast<char>(byte);
    return result;
  }

  support::TemporaryFolder folder_;
};

TEST_F(Text, IsCutIntoWindowsWithTheBytesBehind) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += static_cast<char>('A' + i % 50);
  const auto path = written(text);
  const TextDataset train(path, Part::train, {.window = 4});
  ASSERT_EQ(train.size(), 13) << "54 bytes";
  EXPECT_EQ(sample(train, 0), "ABCD|BCDE");
  EXPECT_EQ(sample(train, 12), text.substr(48, 4) + "|" + text.substr(49, 4));
  const TextDataset test(path, Part::test, {.window = 4});
  ASSERT_EQ(test.size(), 1) << "6 bytes";
  EXPECT_EQ(sample(test, 0), text.substr(54, 4) + "|" + text.substr(55, 4));
}

TEST_F(Text, HoldsAnyBytes) {
  const TextDataset train(written(std::string(30, '\xff')), Part::train, {.window = 2});
  EXPECT_EQ(sample(train, 3), "\xff\xff|\xff\xff");
  EXPECT_EQ(train.fields()[1].shape, (Shape{2}));
}

TEST_F(Text, RefusesWhatItCannotCut) {
  const auto path = written("too short");
  EXPECT_TRUE(has(error_of([&] { TextDataset(path, Part::train); }), {path.string(), "9 bytes are too few", "64"}));
  EXPECT_TRUE(has(error_of([&] { TextDataset(path, Part::train, {.window = 0}); }), {"window of 0"}));
  EXPECT_TRUE(has(error_of([&] { TextDataset(folder_.path() / "absent", Part::test); }), {"absent"}));
  EXPECT_TRUE(has(error_of([&] { TextDataset(folder_.path(), Part::test); }), {folder_.path().string()}));
}

}  // namespace
}  // namespace feral::data
