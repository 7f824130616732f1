#include "data/text.hpp"

#include <gtest/gtest.h>

#include "tests/data/text_files.hpp"
#include "tests/support/messages.hpp"

namespace feral::data {
namespace {

using support::error_of;
using support::has;
using support::Numbers;
using support::sample;

class Text : public support::TextFile {};

TEST_F(Text, SamplesFollowEachOtherAndTargetsAreTheNextBytes) {
  std::string text = "abcdefgh\xff";  // a byte above 127 is a positive number
  text += std::string(9, 'x') + "0123456789" + "ABCD";
  text.resize(40, 'y');
  const TextDataset train(write(text), Part::train, {.length = 3});
  EXPECT_EQ(train.size(), 11);  // 36 bytes, the last without a successor
  EXPECT_EQ(sample(train, 0).data, (Numbers{'a', 'b', 'c'}));
  EXPECT_EQ(sample(train, 0).target, (Numbers{'b', 'c', 'd'}));
  EXPECT_EQ(sample(train, 2).data, (Numbers{'g', 'h', 255}));
  EXPECT_EQ(sample(train, 2).target, (Numbers{'h', 255, 'x'}));
  const TextDataset test(write(text), Part::test, {.length = 3});
  EXPECT_EQ(test.size(), 1);  // 4 bytes
}

TEST_F(Text, PartsShareNoByte) {
  std::string text(500, 'a');
  text.resize(1000, 'b');
  text.replace(900, 100, std::string(100, 'c'));
  const TextDataset train(write(text), Part::train, {.length = 10});
  for (std::int64_t i = 0; i < train.size(); ++i) EXPECT_EQ(std::ranges::count(sample(train, i).target, 'c'), 0);
  const TextDataset test(write(text), Part::test, {.length = 10});
  EXPECT_EQ(sample(test, 0).data, Numbers(10, 'c'));
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
