#include "launcher/limits.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "launcher/memory_plan.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

int limited(int resource, rlim_t soft, rlim_t hard) {
  const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

TEST(Limits, OfDescriptorsIsRaisedAsFarAsIsNeededAndAllowed) {
  support::Forked low([] {
    if (limited(RLIMIT_NOFILE, 40, 100) != 0) return 1;
    allow_descriptors(90);
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    if (now.rlim_cur != 90) return 2;
    allow_descriptors(50);  // it is never lowered
    ::getrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur == 90 ? 0 : 3;
  });
  EXPECT_EQ(low.wait(), 0);
  support::Forked too_low([] {
    if (limited(RLIMIT_NOFILE, 40, 60) != 0) return 1;
    const std::string message = error_of([] { allow_descriptors(61); });
    return has(message, {"need 61", "limit is 60", "ulimit -n", "--max-workers"}) ? 0 : 2;
  });
  EXPECT_EQ(too_low.wait(), 0);
}

TEST(Limits, SixtyFourDescriptorsSufficeOnTwoCores) { EXPECT_LE(descriptors_needed(4, 4), 64U); }

TEST(Limits, OfAddressSpaceIsAnErrorWithTheNumbers) {
  EXPECT_EQ(error_of([] { check_address_space(1ULL << 40); }), "") << "there is none";
  support::Forked small([] {
    if (limited(RLIMIT_AS, 4ULL << 30, 4ULL << 30) != 0) return 1;
    if (!error_of([] { check_address_space(1ULL << 30); }).empty()) return 2;
    const std::string message = error_of([] { check_address_space(5ULL << 30); });
    return has(message, {"needs about 5.2 GiB", "limit is 4.0 GiB", "ulimit -v"}) ? 0 : 3;
  });
  EXPECT_EQ(small.wait(), 0);
}

TEST(MemoryPlan, MoreProcessesThanThereIsRoomForAreRefusedWithTheNumbers) {
  const MemoryPlan plan{.worker_bytes = 1ULL << 40, .loader_bytes = 1ULL << 30};
  EXPECT_EQ(plan.of({.workers = 2, .loaders = 3}), (2ULL << 40) + (3ULL << 30));
  EXPECT_EQ(error_of([&] { check_room_for({}, plan); }), "");
  EXPECT_TRUE(has(error_of([&] { check_room_for({.workers = 512, .loaders = 0}, plan); }),
                  {"512 more workers", "0 more loaders", "allows", "ask for fewer"}));
}

}  // namespace
}  // namespace feral
