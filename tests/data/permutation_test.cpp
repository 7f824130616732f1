#include "data/permutation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace feral::data {
namespace {

TEST(Permutation, HitsEveryPositionOnce) {
  for (const std::uint64_t size : {1ULL, 2ULL, 3ULL, 4ULL, 5ULL, 16ULL, 17ULL, 63ULL, 1000ULL, 4096ULL, 60000ULL}) {
    const Permutation permutation(size, 1, 0);
    std::vector<int> seen(size);
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::uint64_t sample = permutation(i);
      ASSERT_LT(sample, size);
      ++seen[sample];
    }
    EXPECT_EQ(seen, std::vector<int>(size, 1)) << size;
  }
}

TEST(Permutation, FollowsFromSeedAndEpochAlone) {
  const Permutation a(1000, 7, 3);
  const Permutation again(1000, 7, 3);
  const Permutation other_epoch(1000, 7, 4);
  const Permutation other_seed(1000, 8, 3);
  int same_epoch = 0;
  int same_seed = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(a(i), again(i));
    same_epoch += a(i) == other_epoch(i) ? 1 : 0;
    same_seed += a(i) == other_seed(i) ? 1 : 0;
  }
  EXPECT_LT(same_epoch, 10);  // one is expected
  EXPECT_LT(same_seed, 10);
}

TEST(Permutation, MixesWell) {
  // Where the samples of each tenth of the epoch come from: a chi-square over 10 × 10 cells, 81 degrees of freedom;
  // 144 is its 99.999 % point.
  constexpr std::uint64_t size = 20'000;
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    const Permutation permutation(size, 11, epoch);
    int cells[10][10] = {};
    for (std::uint64_t i = 0; i < size; ++i) ++cells[i * 10 / size][permutation(i) * 10 / size];
    double chi_square = 0;
    for (const auto& row : cells) {
      for (const int count : row) chi_square += (count - 200.0) * (count - 200.0) / 200.0;
    }
    EXPECT_LT(chi_square, 144) << "epoch " << epoch;
  }
}

TEST(Permutation, LargeSizesCostNoMemory) {
  const Permutation permutation(1ULL << 40, 1, 0);
  EXPECT_LT(permutation(123'456'789'012ULL), 1ULL << 40);
  EXPECT_NE(permutation(0), permutation(1));
}

}  // namespace
}  // namespace feral::data
