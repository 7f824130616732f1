#include "core/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <limits>

#include "core/fail.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

TEST(Fail, ThrowsAnErrorWithTheFormattedMessage) {
  EXPECT_EQ(support::error_of([] { fail("op: {} and {}", 3, "four"); }), "op: 3 and four");
}

TEST(Fail, OfErrnoSaysWhatAndWhy) {
  EXPECT_EQ(support::error_of([] {
              errno = ENOENT;
              fail_errno("a/file: cannot open");
            }),
            "a/file: cannot open: No such file or directory");
}

TEST(HumanBytes, ChoosesTheUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(89'498), "87.4 KiB");
  EXPECT_EQ(human_bytes(1ULL << 20), "1.0 MiB");
  EXPECT_EQ(human_bytes(1'288'490'189), "1.2 GiB");
  EXPECT_EQ(human_bytes(3ULL << 40), "3.0 TiB");
  EXPECT_EQ(human_bytes(std::numeric_limits<unsigned long long>::max()), "16.0 EiB");
}

TEST(AssertDeathTest, ABrokenInvariantAbortsWithFileAndLine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(FERAL_ASSERT(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
              "feral: internal error: .*error_test.cpp:[0-9]+: 1 \\+ 1 == 3 does not hold");
}

TEST(Assert, DoesNothingWhenTheInvariantHolds) {
  int evaluated = 0;
  FERAL_ASSERT(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

}  // namespace
}  // namespace feral
