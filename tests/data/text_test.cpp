#include "data/text.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::data {
namespace {

namespace fs = std::filesystem;
using support::error_of;
using support::has;
using Numbers = std::vector<std::int64_t>;

class Text : public testing::Test {
 protected:
  fs::path write(const std::string& text) const {
    const fs::path path = folder_.path() / "text.txt";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

 private:
  support::TemporaryFolder folder_;
};

std::pair<Numbers, Numbers> sample(const TextDataset& text, std::int64_t index) {
  const BatchLayout layout(text.fields(), 1);
  std::vector<std::int64_t> memory(layout.size_bytes() / 8 + 16);
  Sample into(layout, reinterpret_cast<std::byte*>(memory.data()), 0);
  text.get(index, into);
  const auto data = into.field<std::int64_t>(0);
  const auto target = into.field<std::int64_t>(1);
  return {Numbers(data.begin(), data.end()), Numbers(target.begin(), target.end())};
}

TEST_F(Text, SamplesFollowEachOtherAndTargetsAreTheNextBytes) {
  std::string text = "abcdefgh\xff";  // a byte above 127 is a positive number
  text += std::string(9, 'x') + "0123456789" + "ABCD";
  text.resize(40, 'y');
  const TextDataset train(write(text), Part::train, {.length = 3});
  EXPECT_EQ(train.size(), 11);  // 36 bytes, the last without a successor
  EXPECT_EQ(sample(train, 0), (std::pair<Numbers, Numbers>{{'a', 'b', 'c'}, {'b', 'c', 'd'}}));
  EXPECT_EQ(sample(train, 2), (std::pair<Numbers, Numbers>{{'g', 'h', 255}, {'h', 255, 'x'}}));
  const TextDataset test(write(text), Part::test, {.length = 3});
  EXPECT_EQ(test.size(), 1);  // 4 bytes
}

TEST_F(Text, PartsShareNoByte) {
  std::string text(500, 'a');
  text.resize(1000, 'b');
  text.replace(900, 100, std::string(100, 'c'));
  const TextDataset train(write(text), Part::train, {.length = 10});
  for (std::int64_t i = 0; i < train.size(); ++i) EXPECT_EQ(std::ranges::count(sample(train, i).second, 'c'), 0);
  const TextDataset test(write(text), Part::test, {.length = 10});
  EXPECT_EQ(sample(test, 0).first, Numbers(10, 'c'));
}

TEST_F(Text, SaysWhatIsWrong) {
  EXPECT_TRUE(has(error_of([&] { TextDataset("/nowhere/text.txt", Part::train); }), {"/nowhere/text.txt"}));
  EXPECT_TRUE(
      has(error_of([&] { TextDataset(write("short"), Part::test); }), {"text.txt: 5 bytes are too few", "65"}));
  EXPECT_TRUE(has(error_of([&] { TextDataset(write(""), Part::train); }), {"text.txt: 0 bytes"}));
  EXPECT_TRUE(
      has(error_of([&] { TextDataset(write("text"), Part::train, {.length = 0}); }), {"samples of 0 bytes"}));
}

}  // namespace
}  // namespace feral::data
