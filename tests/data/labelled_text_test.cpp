#include "data/labelled_text.hpp"

#include <gtest/gtest.h>

#include "tests/data/text_files.hpp"
#include "tests/support/messages.hpp"

namespace feral::data {
namespace {

namespace fs = std::filesystem;
using support::error_of;
using support::has;
using support::Numbers;
using support::sample;

class LabelledLines : public support::TextFile {
 protected:
  // Twenty lines, two of them for testing.
  static std::string many() {
    std::string text;
    for (int i = 0; i < 20; ++i)
      text += "__label__" + std::string(i % 2 == 0 ? "odd" : "even") + " word" + std::to_string(i) + "\n";
    return text;
  }
};

TEST_F(LabelledLines, BecomeNumbersAndTheirLabelsPlace) {
  std::string text = "__label__b red  green\tblue\r\n\n  \nplain __label__a red\n";
  for (int i = 0; i < 10; ++i) text += "__label__c x\n";
  const LabelledText lines(write(text), Part::train, {.words = 4, .vocabulary = 1000});
  EXPECT_EQ(lines.labels(), (std::vector<std::string>{"a", "b", "c"}));
  const auto number = [](std::string_view word) { return word_number(word, 1000); };
  EXPECT_EQ(sample(lines, 0).data, (Numbers{number("red"), number("green"), number("blue"), 0}));
  EXPECT_EQ(sample(lines, 0).target, Numbers{1});
  EXPECT_EQ(sample(lines, 1).data, (Numbers{number("plain"), number("red"), 0, 0}));
  EXPECT_EQ(sample(lines, 1).target, Numbers{0});
}

TEST_F(LabelledLines, HashAsFnv1a) {
  // FNV-1a of "a" and "foobar" in 32 bits, from its authors' test vectors.
  constexpr std::int64_t whole = std::int64_t{1} << 31;
  EXPECT_EQ(word_number("a", whole), 1 + 0xe40c292c % (whole - 1));
  EXPECT_EQ(word_number("foobar", whole), 1 + 0xbf9cf968 % (whole - 1));
}

TEST_F(LabelledLines, AreCutAndHaveNoNumberOutside) {
  const LabelledText lines(write(many()), Part::train, {.words = 1, .vocabulary = 2});
  for (std::int64_t i = 0; i < lines.size(); ++i) EXPECT_EQ(sample(lines, i).data, (Numbers{1}));
}

TEST_F(LabelledLines, MayCountPairsOfWords) {
  std::string text = "__label__a one two three\n" + many();
  const LabelledText lines(write(text), Part::train, {.words = 8, .vocabulary = 100'000, .word_ngrams = 2});
  const auto number = [](std::string_view word) { return word_number(word, 100'000); };
  EXPECT_EQ(sample(lines, 0).data, (Numbers{number("one"), number("two"), number("one two"), number("three"),
                                            number("two three"), 0, 0, 0}));
}

TEST_F(LabelledLines, EveryTenthIsForTesting) {
  const fs::path path = write(many());
  const LabelledText train(path, Part::train, {.words = 1});
  const LabelledText test(path, Part::test, {.words = 1});
  EXPECT_EQ(train.size(), 18);
  ASSERT_EQ(test.size(), 2);
  EXPECT_EQ(sample(test, 1).data, (Numbers{word_number("word19", 100'000)}));
  EXPECT_EQ(test.labels(), train.labels());
  EXPECT_EQ(labels_of(path), train.labels());
}

TEST_F(LabelledLines, SayWhatIsWrongWithThem) {
  EXPECT_TRUE(has(error_of([&] { LabelledText("/nowhere/lines.txt", Part::train); }), {"/nowhere/lines.txt"}));
  const fs::path unlabelled = write("__label__a x\nno label here\n");
  EXPECT_TRUE(has(error_of([&] { LabelledText(unlabelled, Part::train); }), {"text.txt: line 2", "__label__NAME"}));
  EXPECT_TRUE(has(error_of([&] { LabelledText(write("__label__\n"), Part::train); }), {"text.txt: line 1"}));
  EXPECT_TRUE(has(error_of([&] { LabelledText(write("\n\n"), Part::train); }), {"text.txt: no labelled line"}));
  EXPECT_TRUE(
      has(error_of([&] { LabelledText(write("__label__a x\n"), Part::test); }), {"1 labelled lines", "10th"}));
  EXPECT_TRUE(
      has(error_of([&] { LabelledText(write(many()), Part::train, {.words = 0}); }), {"LabelledText: 0 words"}));
}

}  // namespace
}  // namespace feral::data
