#include "launcher/cores.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <fstream>
#include <set>

#include "tests/support/forked.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral {
namespace {

TEST(Cores, EachWorkerAndLoaderHasACoreOfItsOwnWhereThereAreEnough) {
  const CoreBudget budget{.cores = {1, 3, 5, 7, 9}, .quota = 0};
  const ProcessCounts counts{.workers = 3, .loaders = 2};
  std::set<int> used;
  for (int i = 0; i < 3; ++i) used.insert(core_for(Role::worker, i, counts, budget));
  for (int i = 0; i < 2; ++i) used.insert(core_for(Role::loader, i, counts, budget));
  EXPECT_EQ(used, std::set<int>(budget.cores.begin(), budget.cores.end()));
  EXPECT_EQ(core_for(Role::evaluator, 0, counts, budget), -1);
  EXPECT_EQ(core_for(Role::reserver, 0, counts, budget), -1);
  EXPECT_EQ(core_for(Role::worker, 3, counts, budget), -1) << "it is about to leave";
  EXPECT_EQ(core_for(Role::loader, 2, counts, budget), -1);
}

TEST(Cores, NobodyIsPinnedWhereThereAreTooFew) {
  const CoreBudget budget{.cores = {0, 1}, .quota = 0};
  const ProcessCounts counts{.workers = 2, .loaders = 1};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(core_for(Role::worker, i, counts, budget), -1);
  EXPECT_EQ(core_for(Role::loader, 0, counts, budget), -1);
}

TEST(Cores, AQuotaLimitsHowManyRunAtOnceAndLeavesThePlaceToTheKernel) {
  EXPECT_EQ((CoreBudget{.cores = {0, 1, 2, 3}, .quota = 0}).count(), 4);
  EXPECT_EQ((CoreBudget{.cores = {0, 1, 2, 3}, .quota = 8}).count(), 4);
  EXPECT_EQ((CoreBudget{.cores = {0, 1, 2, 3}, .quota = 1.5}).count(), 2);
  EXPECT_EQ((CoreBudget{.cores = {0, 1, 2, 3}, .quota = 0.1}).count(), 1);
  const CoreBudget half{.cores = {0, 1, 2, 3}, .quota = 2};
  EXPECT_EQ(core_for(Role::worker, 0, {.workers = 1, .loaders = 1}, half), -1);
}

class CpuQuota : public testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((folder_.path() / file).parent_path());
    std::ofstream(folder_.path() / file) << text;
  }
  double quota() const {
    return cpu_quota({.meminfo = "", .self_cgroup = folder_.path() / "self", .cgroup_mount = folder_.path()});
  }
  support::TemporaryFolder folder_;
};

TEST_F(CpuQuota, OfVersion2IsTheSmallestOfAllGroupsAround) {
  put("self", "0::/a/b\n");
  EXPECT_EQ(quota(), 0);
  put("a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), 0);
  put("a/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
  put("a/b/cpu.max", "200000 50000\n");
  EXPECT_EQ(quota(), 1.5);
  put("a/b/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
  put("a/b/cpu.max", "nonsense");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(CpuQuota, OfVersion1StandsInTwoFiles) {
  put("self", "5:memory:/x\n4:cpu,cpuacct:/a\n");
  put("cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
  put("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 0);
  put("cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(quota(), 2.5);
}

TEST(Cores, HardwareThreadsOfAPhysicalCoreComeAfterTheOtherCores) {
  const support::TemporaryFolder folder;
  const auto put = [&](int cpu, int package, int core) {
    const std::filesystem::path topology = folder.path() / ("cpu" + std::to_string(cpu)) / "topology";
    std::filesystem::create_directories(topology);
    std::ofstream(topology / "physical_package_id") << package << "\n";
    std::ofstream(topology / "core_id") << core << "\n";
  };
  // Neighbours share a core, and the two packages number theirs alike.
  for (int cpu = 0; cpu < 8; ++cpu) put(cpu, cpu / 4, cpu % 4 / 2);
  const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(by_physical_core(all, folder.path()), (std::vector<int>{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_EQ(by_physical_core({1, 2, 3}, folder.path()), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(by_physical_core({3, 9, 2, 8}, folder.path()), (std::vector<int>{3, 9, 8, 2})) << "unknown ones count";
  EXPECT_EQ(by_physical_core(all, folder.path() / "absent"), all);
}

TEST(Cores, ARunningProcessIsMoved) {
  const std::vector<int> all = available_cores();
  if (all.size() < 2) GTEST_SKIP() << "there is one core";
  const CoreBudget budget{.cores = all, .quota = 0};
  support::Forked waiting([] { return ::pause(); });
  const auto mask_of = [&] {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    EXPECT_EQ(::sched_getaffinity(waiting.pid(), sizeof mask, &mask), 0);
    return CPU_COUNT(&mask);
  };
  pin_process(waiting.pid(), all.back(), budget);
  EXPECT_EQ(mask_of(), 1);
  pin_process(waiting.pid(), -1, budget);
  EXPECT_EQ(mask_of(), static_cast<int>(all.size()));
}

TEST(Cores, AreThoseOfTheAffinityMask) {
  const std::vector<int> all = available_cores();
  ASSERT_FALSE(all.empty());
  support::Forked narrowed([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(all.back()), &one);
    if (::sched_setaffinity(0, sizeof one, &one) != 0) return 1;
    return available_cores() == std::vector<int>{all.back()} ? 0 : 2;
  });
  EXPECT_EQ(narrowed.wait(), 0);
}

TEST(Cores, TheCpuHasAName) { EXPECT_FALSE(cpu_name().empty()); }

TEST(Cores, OfTheNodesComeInTurn) {
  const std::vector<shm::NumaNode> nodes = {{.number = 0, .cores = {0, 1, 2, 3}},
                                            {.number = 1, .cores = {4, 5, 6, 7}}};
  EXPECT_EQ(by_node_in_turn({0, 1, 2, 3, 4, 5, 6, 7}, nodes), (std::vector<int>{0, 4, 1, 5, 2, 6, 3, 7}));
  EXPECT_EQ(by_node_in_turn({3, 1, 6}, nodes), (std::vector<int>{3, 6, 1})) << "in their order within a node";
  EXPECT_EQ(by_node_in_turn({9, 4}, nodes), (std::vector<int>{4, 9})) << "one that no node has";
  EXPECT_EQ(by_node_in_turn({2, 1}, {{}}), (std::vector<int>{2, 1})) << "where the kernel does not say";
}

}  // namespace
}  // namespace feral
