#include "tensor/generator.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace feral {
namespace {

TEST(Generator, StartsAtTheFirstBlockOfItsStream) {
  const Generator generator(7, 9);
  EXPECT_EQ(generator.seed(), 7U);
  EXPECT_EQ(generator.stream(), 9U);
  EXPECT_EQ(generator.next_block(), 0U);
}

TEST(Generator, ReservesWholeBlocksOfFourWords) {
  Generator generator(1);
  EXPECT_EQ(generator.reserve(1), 0U);
  EXPECT_EQ(generator.reserve(4), 1U);
  EXPECT_EQ(generator.reserve(5), 2U);
  EXPECT_EQ(generator.reserve(0), 4U);
  EXPECT_EQ(generator.next_block(), 4U);
}

TEST(Generator, SeekStartsAStreamAnew) {
  Generator generator(1, 2);
  generator.reserve(100);
  generator.seek(3, 4);
  EXPECT_EQ(generator.seed(), 3U);
  EXPECT_EQ(generator.stream(), 4U);
  EXPECT_EQ(generator.next_block(), 0U);
}

TEST(Generator, ManualSeedResetsTheThreadsOwn) {
  default_generator().reserve(12);
  manual_seed(42);
  EXPECT_EQ(default_generator().seed(), 42U);
  EXPECT_EQ(default_generator().stream(), 0U);
  EXPECT_EQ(default_generator().next_block(), 0U);
  std::thread([] {
    EXPECT_EQ(default_generator().seed(), 0U);
    manual_seed(5);
  }).join();
  EXPECT_EQ(default_generator().seed(), 42U);
}

}  // namespace
}  // namespace feral
