#include "launcher/cores.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <set>

#include "tests/support/forked.hpp"

namespace feral {
namespace {

TrainOptions processes(std::int64_t workers, std::int64_t loaders) {
  TrainOptions options;
  options.workers = workers;
  options.loaders = loaders;
  return options;
}

TEST(Cores, EachWorkerAndLoaderHasACoreOfItsOwnWhereThereAreEnough) {
  const std::vector<int> cores = {1, 3, 5, 7, 9};
  const TrainOptions options = processes(3, 2);
  std::set<int> used;
  for (int i = 0; i < 3; ++i) used.insert(core_for(Role::worker, i, options, cores));
  for (int i = 0; i < 2; ++i) used.insert(core_for(Role::loader, i, options, cores));
  EXPECT_EQ(used, std::set<int>(cores.begin(), cores.end()));
  EXPECT_EQ(core_for(Role::evaluator, 0, options, cores), -1);
  EXPECT_EQ(core_for(Role::reserver, 0, options, cores), -1);
}

TEST(Cores, NobodyIsPinnedWhereThereAreTooFew) {
  const std::vector<int> cores = {0, 1};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(core_for(Role::worker, i, processes(2, 1), cores), -1);
  EXPECT_EQ(core_for(Role::loader, 0, processes(2, 1), cores), -1);
  EXPECT_EQ(core_for(Role::worker, 0, processes(std::int64_t{1} << 40, 1), cores), -1);
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

}  // namespace
}  // namespace feral
