#include "workers/turnstile.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "nn/linear.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/shared_memory.hpp"
#include "tests/support/stepped.hpp"

namespace feral {
namespace {

using support::SharedMemory;

constexpr std::uint32_t workers = 2;
constexpr std::uint64_t state_bytes = 24;

// Parameters, the workers' optimizer states and the turnstile, as they lie in an arena.
struct Memory {
  nn::Linear net{4, 5};
  nn::FlatLayout layout = nn::flat_layout(net);
  ParameterStretches stretches{layout};
  SharedMemory parameters{layout.size_bytes};
  SharedMemory states{workers * 64};
  SharedMemory region{Turnstile::size_bytes(workers, layout.size_bytes, state_bytes)};
  Turnstile turnstile{region.bytes(), workers, layout.size_bytes, state_bytes};

  Memory() {
    for (std::size_t i = 0; i < 20; ++i) numbers(parameters.bytes())[i] = static_cast<float>(i) / 7;
  }
  static float* numbers(std::span<std::byte> bytes) { return reinterpret_cast<float*>(bytes.data()); }
  std::span<std::byte> state(std::uint32_t worker) const {
    return states.bytes().subspan(worker * 64, state_bytes);
  }

  // What a worker does in a round, wherever its predecessor was stopped: a state that counts, a step that depends
  // on it and on the parameters.
  void train(std::uint32_t worker, std::uint64_t rounds) {
    if (turnstile.ended(worker) == rounds) return;
    turnstile.begin(worker, parameters.bytes(), state(worker));
    float* const kept = numbers(state(worker));
    kept[0] += 1;
    kept[1] = kept[1] / 2 + kept[0];
    float* const copy = numbers(turnstile.copy_of(worker));
    for (std::size_t i = 0; i < 20; ++i) copy[i] = copy[i] * 0.9F + kept[1] / static_cast<float>(i + worker + 3);
    turnstile.end(worker, 0.5 + worker);
  }
  void advance(std::uint64_t rounds) {
    if (turnstile.version() < rounds) turnstile.advance(workers, stretches, parameters.bytes());
  }
  void run(std::uint64_t from, std::uint64_t rounds) {
    for (std::uint64_t round = from; round < rounds; ++round) {
      for (std::uint32_t worker = 0; worker < workers; ++worker) train(worker, round + 1);
      ASSERT_TRUE(turnstile.all_ended(workers, round + 1));
      advance(round + 1);
    }
  }
  // What must be the same in the end.
  std::vector<std::byte> same() const {
    std::vector<std::byte> all(parameters.bytes().begin(), parameters.bytes().end());
    all.insert(all.end(), states.bytes().begin(), states.bytes().end());
    return all;
  }
  // All that is shared.
  std::vector<std::byte> bits() const {
    std::vector<std::byte> all = same();
    all.insert(all.end(), region.bytes().begin(), region.bytes().end());
    return all;
  }
  void operator=(const Memory& other) {
    std::ranges::copy(other.parameters.bytes(), parameters.bytes().begin());
    std::ranges::copy(other.states.bytes(), states.bytes().begin());
    std::ranges::copy(other.region.bytes(), region.bytes().begin());
  }
};

TEST(Turnstile, ARoundIsReadByAllBeforeItIsWritten) {
  Memory memory;
  const float before = Memory::numbers(memory.parameters.bytes())[3];
  memory.train(0, 1);
  EXPECT_FALSE(memory.turnstile.all_ended(workers, 1));
  EXPECT_TRUE(memory.turnstile.all_ended(1, 1));
  EXPECT_EQ(Memory::numbers(memory.parameters.bytes())[3], before) << "the version stays while others read it";
  EXPECT_EQ(memory.turnstile.version(), 0U);
  memory.train(1, 1);
  EXPECT_EQ(memory.turnstile.loss(1), 1.5);
  const float first = Memory::numbers(memory.turnstile.copy_of(0))[3];
  const float second = Memory::numbers(memory.turnstile.copy_of(1))[3];
  memory.advance(1);
  EXPECT_EQ(memory.turnstile.version(), 1U);
  EXPECT_EQ(Memory::numbers(memory.parameters.bytes())[3], first + (second - before));
}

TEST(Turnstile, OnlyThoseWithABatchCountInTheLastRound) {
  Memory memory;
  memory.train(0, 1);
  memory.turnstile.advance(1, memory.stretches, memory.parameters.bytes());
  const float* const copy = Memory::numbers(memory.turnstile.copy_of(0));
  EXPECT_EQ(std::memcmp(memory.parameters.bytes().data(), copy, 20 * sizeof(float)), 0);
}

TEST(Turnstile, MemoryOfAnotherSizeIsRefused) {
  const SharedMemory region(Turnstile::size_bytes(2, 128, 64));
  EXPECT_NE(support::error_of([&] { Turnstile(region.bytes(), 3, 128, 64); }), "");
  EXPECT_EQ(support::error_of([&] { Turnstile(region.bytes(), 2, 128, 64); }), "");
}

#ifdef FERAL_TEST_CAN_STEP
// What a process killed at any instruction of a round leaves behind, be it in training or in making the next
// version: whoever goes on from that comes to the same bits.
TEST(Turnstile, AProcessKilledAtAnyInstructionChangesNoBit) {
  if (!support::stepping_is_allowed()) GTEST_SKIP() << "ptrace is not allowed here";
  constexpr std::uint64_t rounds = 3;
  Memory undisturbed;
  undisturbed.run(0, rounds);
  Memory live;
  live.run(0, 1);
  support::Stepped process([&] {
    live.run(1, 2);
    return 0;
  });
  Memory left;
  std::vector<std::byte> seen;
  int different = 0;
  for (std::uint64_t instructions = 0; process.step_anything(); ++instructions) {
    std::vector<std::byte> now = live.bits();
    if (now == seen) continue;
    seen = std::move(now);
    ++different;
    left = live;
    left.run(1, rounds);
    ASSERT_EQ(left.same(), undisturbed.same()) << "killed after " << instructions << " instructions";
  }
  EXPECT_EQ(live.turnstile.version(), 2U);
  EXPECT_GT(different, 40) << "the process was not stepped";
}
#endif

}  // namespace
}  // namespace feral
