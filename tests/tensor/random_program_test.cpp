// Random programs of views and forms in place, compared after each step with a model that knows no strides
// (random_program_model.hpp). A failure prints seed and program; FERAL_PROGRAM_SEED=n runs that one alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <exception>
#include <string>

#include "tests/tensor/random_program_writes.hpp"

namespace feral {
namespace {

class Program : public testing_support::ProgramWrites {
 public:
  using ProgramWrites::ProgramWrites;

  // What went wrong, "" when nothing did.
  std::string run() {
    add_storage();
    add_storage();
    const std::int64_t steps = 8 + pick(16);
    for (std::int64_t i = 0; i < steps && problem_.empty(); ++i) {
      if (pick(5) < 3) {
        change_view();
      } else {
        write();
      }
      for (const auto& pair : pool_) compare_storage(pair);
    }
    return problem_;
  }
};

void expect_right(std::uint64_t seed) {
  Program program(seed);
  std::string problem;
  try {
    problem = program.run();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  ASSERT_EQ(problem, "") << "FERAL_PROGRAM_SEED=" << seed << "\n" << program.log();
}

class RandomPrograms : public testing::TestWithParam<int> {};

constexpr int blocks = 8;
constexpr std::uint64_t programs_a_block = 1500;

TEST_P(RandomPrograms, AgreeWithTheModelAfterEachStep) {
  if (const char* seed = std::getenv("FERAL_PROGRAM_SEED"); seed != nullptr) return expect_right(std::stoull(seed));
  const auto first = static_cast<std::uint64_t>(GetParam()) * programs_a_block;
  for (std::uint64_t seed = first; seed < first + programs_a_block && !HasFatalFailure(); ++seed)
    expect_right(seed);
}
INSTANTIATE_TEST_SUITE_P(Blocks, RandomPrograms, testing::Range(0, blocks));

}  // namespace
}  // namespace feral
