#include "core/sizes.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/messages.hpp"

namespace feral {
namespace {

constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();

TEST(Sizes, ProductsAndSumsUpToTheLimitAreExact) {
  EXPECT_EQ(checked_multiply(0, largest), 0U);
  EXPECT_EQ(checked_multiply(largest, 1), largest);
  EXPECT_EQ(checked_multiply(std::size_t{1} << 31, std::size_t{1} << 32), std::size_t{1} << 63);
  EXPECT_EQ(checked_add(largest, 0), largest);
  EXPECT_EQ(checked_add(largest - 7, 7), largest);
}

TEST(Sizes, ProductsAndSumsBeyondTheLimitAreErrors) {
  const auto refused = [](auto action) { return support::has(support::error_of(action), {"size overflow"}); };
  EXPECT_TRUE(refused([] { checked_multiply(std::size_t{1} << 32, std::size_t{1} << 32); }));
  EXPECT_TRUE(refused([] { checked_multiply(largest, 2); }));
  EXPECT_TRUE(refused([] { checked_add(largest, 1); }));
  EXPECT_TRUE(refused([] { checked_add(largest - 6, 7); }));
}

TEST(Sizes, AlignUpFindsTheNextMultiple) {
  EXPECT_EQ(align_up(0, 64), 0U);
  EXPECT_EQ(align_up(1, 64), 64U);
  EXPECT_EQ(align_up(63, 64), 64U);
  EXPECT_EQ(align_up(64, 64), 64U);
  EXPECT_EQ(align_up(65, 64), 128U);
  EXPECT_EQ(align_up(77, 1), 77U);
}

TEST(Sizes, AlignUpBeyondTheLimitIsAnErrorAndNotZero) {
  EXPECT_EQ(align_up(largest - 127, 128), largest - 127);
  EXPECT_TRUE(support::has(support::error_of([] { align_up(largest - 126, 128); }), {"size overflow"}));
}

TEST(Sizes, ControlWordsKeepTwoCacheLinesApart) {
  EXPECT_EQ(control_line_bytes % 128, 0U);
  EXPECT_EQ(control_line_bytes % tensor_alignment_bytes, 0U);
}

}  // namespace
}  // namespace feral
