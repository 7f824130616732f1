#include "shm/memory_budget.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::shm {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mebibyte = 1ULL << 20;
constexpr std::uint64_t free_bytes = 8'000 * mebibyte;

// A /proc and a /sys/fs/cgroup of the test's own, with 8,000 MiB free.
class Budget : public testing::Test {
 protected:
  Budget() {
    write("meminfo", "MemTotal:       16384000 kB\nMemFree:          100000 kB\nMemAvailable:    8192000 kB\n");
    write("cgroup", "");
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name) << text;
  }
  void write(const std::string& name, std::uint64_t number) const { write(name, std::to_string(number) + "\n"); }

  MemoryBudget budget() const {
    return memory_budget({.meminfo = folder_.path() / "meminfo",
                          .self_cgroup = folder_.path() / "cgroup",
                          .cgroup_mount = folder_.path() / "sys"});
  }

  support::TemporaryFolder folder_;
};

TEST_F(Budget, WithoutAGroupIsTheFreeMemory) {
  EXPECT_EQ(budget().available_bytes, free_bytes);
  EXPECT_EQ(budget().limited_by, "free memory");
}

TEST_F(Budget, WithoutAFileOfGroupsIsTheFreeMemory) {
  fs::remove(folder_.path() / "cgroup");
  EXPECT_EQ(budget().available_bytes, free_bytes);
}

TEST_F(Budget, NeedsTheFreeMemory) {
  write("meminfo", "MemTotal: 16384000 kB\n");
  EXPECT_TRUE(support::has(support::error_of([&] { budget(); }), {"meminfo", "MemAvailable"}));
  fs::remove(folder_.path() / "meminfo");
  EXPECT_TRUE(support::has(support::error_of([&] { budget(); }), {"meminfo", "MemAvailable"}));
}

TEST_F(Budget, OfVersion2IsTheLimitLessTheUse) {
  write("cgroup", "0::/job\n");
  write("sys/job/memory.max", 500 * mebibyte);
  write("sys/job/memory.current", 120 * mebibyte);
  EXPECT_EQ(budget().available_bytes, 380 * mebibyte);
  EXPECT_TRUE(budget().limited_by.ends_with("sys/job/memory.max")) << budget().limited_by;
}

TEST_F(Budget, OfVersion1IsTheLimitLessTheUse) {
  write("cgroup", "9:name=systemd:/\n4:cpu,memory:/a/job\n0::/\n");
  write("sys/memory/a/job/memory.limit_in_bytes", 500 * mebibyte);
  write("sys/memory/a/job/memory.usage_in_bytes", 120 * mebibyte);
  EXPECT_EQ(budget().available_bytes, 380 * mebibyte);
  EXPECT_TRUE(budget().limited_by.ends_with("memory.limit_in_bytes")) << budget().limited_by;
}

TEST_F(Budget, IgnoresControllersWhoseNamesOnlyContainMemory) {
  write("cgroup", "4:memoryless,nomemory:/job\n");
  write("sys/memory/job/memory.limit_in_bytes", 500 * mebibyte);
  write("sys/memory/job/memory.usage_in_bytes", 0);
  EXPECT_EQ(budget().available_bytes, free_bytes);
}

TEST_F(Budget, CountsReclaimableCacheAsFree) {
  write("cgroup", "0::/job\n");
  write("sys/job/memory.max", 500 * mebibyte);
  write("sys/job/memory.current", 400 * mebibyte);
  write("sys/job/memory.stat", "anon 1\nfile 2\ninactive_file 314572800\nactive_file 4\n");  // 300 MiB
  EXPECT_EQ(budget().available_bytes, 400 * mebibyte);
  write("sys/job/memory.stat", "inactive_file 99999999999999\n");  // more than is used: never above the limit
  EXPECT_EQ(budget().available_bytes, 500 * mebibyte);
}

TEST_F(Budget, TheNarrowestOfNestedGroupsCounts) {
  write("cgroup", "0::/outer/middle/inner\n");
  write("sys/outer/memory.max", 700 * mebibyte);
  write("sys/outer/memory.current", 300 * mebibyte);
  write("sys/outer/middle/memory.max", 300 * mebibyte);
  write("sys/outer/middle/memory.current", 100 * mebibyte);
  write("sys/outer/middle/inner/memory.max", "max\n");
  write("sys/outer/middle/inner/memory.current", 100 * mebibyte);
  EXPECT_EQ(budget().available_bytes, 200 * mebibyte);
  EXPECT_TRUE(budget().limited_by.ends_with("middle/memory.max")) << budget().limited_by;
  write("sys/outer/memory.current", 650 * mebibyte);
  EXPECT_EQ(budget().available_bytes, 50 * mebibyte);
  EXPECT_TRUE(budget().limited_by.ends_with("outer/memory.max")) << budget().limited_by;
}

TEST_F(Budget, TheMountItselfMayBeTheGroup) {
  // In a container the group's path names a folder of the host.
  write("cgroup", "0::/of/the/host\n");
  write("sys/memory.max", 500 * mebibyte);
  write("sys/memory.current", 100 * mebibyte);
  EXPECT_EQ(budget().available_bytes, 400 * mebibyte);
}

TEST_F(Budget, MaxIsNoLimit) {
  write("cgroup", "0::/job\n");
  write("sys/job/memory.max", "max\n");
  write("sys/job/memory.current", 100 * mebibyte);
  EXPECT_EQ(budget().available_bytes, free_bytes);
  write("cgroup", "4:memory:/job\n");  // version 1 says it with a number
  write("sys/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/memory/job/memory.usage_in_bytes", 100 * mebibyte);
  EXPECT_EQ(budget().available_bytes, free_bytes);
}

TEST_F(Budget, UseAboveTheLimitLeavesNothing) {
  write("cgroup", "0::/job\n");
  write("sys/job/memory.max", 100 * mebibyte);
  write("sys/job/memory.current", 101 * mebibyte);
  EXPECT_EQ(budget().available_bytes, 0U);
}

TEST_F(Budget, LinesThatAreNoGroupsAreSkipped) {
  write("cgroup", "\nnonsense\n4\n0:memory\n0::/job\n");
  write("sys/job/memory.max", 500 * mebibyte);
  write("sys/job/memory.current", 0);
  EXPECT_EQ(budget().available_bytes, 500 * mebibyte);
}

TEST(CheckMemoryBudget, AJobThatJustFitsPasses) {
  const MemoryBudget limit{1000 * mebibyte, "free memory"};
  check_memory_budget(limit, 600 * mebibyte, 400 * mebibyte);
  EXPECT_FALSE(support::error_of([&] { check_memory_budget(limit, 600 * mebibyte, 400 * mebibyte + 1); }).empty());
}

TEST(CheckMemoryBudget, TheErrorHasBothNumbersTheLimitAndTheRemedy) {
  const MemoryBudget limit{100 * mebibyte, "/sys/fs/cgroup/job/memory.max"};
  const std::string message =
      support::error_of([&] { check_memory_budget(limit, 600 * mebibyte, 400 * mebibyte); });
  EXPECT_TRUE(support::has(message, {"1000.0 MiB", "600.0 MiB", "400.0 MiB", "/sys/fs/cgroup/job/memory.max",
                                     "allows 100.0 MiB", "--batch"}));
}

TEST(CheckMemoryBudget, ASumThatOverflowsIsTooMuch) {
  const MemoryBudget limit{1000 * mebibyte, "free memory"};
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(support::error_of([&] { check_memory_budget(limit, most, 2); }).empty());
}

TEST(MemoryBudgetOfThisMachine, IsSomething) { EXPECT_GT(memory_budget().available_bytes, mebibyte); }

TEST_F(Budget, KillsForWantOfMemoryAreThoseOfTheOwnGroup) {
  const auto kills = [&] {
    return oom_kills({.meminfo = folder_.path() / "meminfo",
                      .self_cgroup = folder_.path() / "cgroup",
                      .cgroup_mount = folder_.path() / "sys"});
  };
  EXPECT_EQ(kills(), 0U);
  write("cgroup", "0::/a/job\n");
  write("sys/a/memory.events", "low 0\noom 4\noom_kill 3\n");
  EXPECT_EQ(kills(), 3U) << "the nearest that counts";
  write("sys/a/job/memory.events", "low 0\nhigh 5\noom 2\noom_kill 1\noom_group_kill 0\n");
  EXPECT_EQ(kills(), 1U);
  write("cgroup", "4:memory:/job\n");
  write("sys/memory/job/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
  EXPECT_EQ(kills(), 7U);
}

}  // namespace
}  // namespace feral::shm
