#include "workers/replicas.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "core/fail.hpp"
#include "nn/batch_norm.hpp"
#include "nn/module.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/shared_memory.hpp"
#include "tests/support/stepped.hpp"

namespace feral {
namespace {

constexpr std::int64_t elements = 64;  // four cache lines

struct Flat : nn::Module {
  Tensor weight = Tensor::zeros({elements});
  Flat() { register_parameter("weight", weight); }
};

// Replicas of a model of `elements` numbers, all of which begin as 100.
class ReplicasOfNumbers : public testing::Test {
 protected:
  static constexpr std::uint32_t nodes = 3;
  static constexpr std::size_t bytes = elements * sizeof(float);

  ReplicasOfNumbers() {
    std::fill_n(common(), elements, 100.0F);
    replicas().fill(common_.bytes().first(bytes));
  }

  Replicas replicas() const {
    return Replicas(memory_.bytes().first(Replicas::size_bytes(nodes, bytes)), nodes, bytes);
  }
  float* common() const { return reinterpret_cast<float*>(common_.bytes().data()); }
  float* replica(std::uint32_t node) const { return reinterpret_cast<float*>(replicas().replica(node).data()); }
  void add(std::uint32_t node, float change) const {
    for (std::int64_t i = 0; i < elements; ++i) replica(node)[i] += change;
  }
  void leave(std::uint16_t worker) const {
    replicas().leave({worker, 0}, stretches_, common_.bytes().first(bytes));
  }
  void batch_done(std::uint16_t worker) const {
    replicas().batch_done({worker, 0}, stretches_, common_.bytes().first(bytes));
  }
  static bool all(const float* values, float expected) {
    return std::all_of(values, values + elements, [&](float value) { return value == expected; });
  }

  ParameterStretches stretches_{nn::flat_layout(Flat())};
  support::SharedMemory common_{4096};
  support::SharedMemory memory_{1 << 16};
};

TEST_F(ReplicasOfNumbers, BeginAsTheCommonParametersAndLieApart) {
  for (std::uint32_t node = 0; node < nodes; ++node) {
    EXPECT_TRUE(all(replica(node), 100));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(replica(node)) % 4096, 0U);
    EXPECT_GE(memory_.bytes().data() + memory_.bytes().size(), reinterpret_cast<std::byte*>(replica(node)) + bytes);
  }
  add(0, 1);
  EXPECT_TRUE(all(replica(1), 100));
  EXPECT_TRUE(all(common(), 100));
  EXPECT_EQ(replicas().node_of(0), 0U);
  EXPECT_EQ(replicas().node_of(4), 1U);
}

TEST_F(ReplicasOfNumbers, EveryNodesChangesReachTheCommonParametersAndThenTheOthers) {
  add(0, 1);
  add(1, 2);
  add(2, 4);
  leave(0);
  EXPECT_TRUE(all(common(), 101));
  leave(1);
  EXPECT_TRUE(all(common(), 103));
  EXPECT_TRUE(all(replica(1), 103)) << "with what node 0 had brought";
  leave(2);
  EXPECT_TRUE(all(common(), 107));
  EXPECT_TRUE(all(replica(0), 101)) << "not yet";
  leave(0);
  leave(1);
  EXPECT_TRUE(all(common(), 107)) << "nothing counts twice";
  for (std::uint32_t node = 0; node < nodes; ++node) EXPECT_TRUE(all(replica(node), 107));
  EXPECT_EQ(replicas().reconciliations(), 5U);
}

TEST_F(ReplicasOfNumbers, ANodeIsReconciledEverySoManyOfItsBatches) {
  add(0, 1);
  for (std::uint64_t i = 1; i < Replicas::batches_between; ++i) batch_done(i % 2 == 0 ? 0 : nodes);
  EXPECT_TRUE(all(common(), 100));
  batch_done(1);  // another node's
  EXPECT_TRUE(all(common(), 100));
  batch_done(nodes);
  EXPECT_TRUE(all(common(), 101));
  batch_done(0);
  EXPECT_EQ(replicas().reconciliations(), 1U);
}

TEST_F(ReplicasOfNumbers, NobodyWaitsForTheTokenButWhoLeaves) {
  std::vector<std::thread> workers;
  constexpr int batches = 2000;
  for (std::uint16_t worker = 0; worker < nodes; ++worker) {
    workers.emplace_back([&, worker] {
      auto* own = reinterpret_cast<float*>(replicas().replica(worker).data());
      for (int i = 0; i < batches; ++i) {
        // Another node's worker may bring news to the common parameters meanwhile; to this replica only this thread
        // writes.
        for (std::int64_t e = 0; e < elements; ++e) own[e] += 1;
        batch_done(worker);
      }
      leave(worker);
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_TRUE(all(common(), 100 + 3 * batches)) << "no update of a node is lost";
  EXPECT_GE(replicas().reconciliations(), nodes);
}

#ifdef FERAL_TEST_CAN_STEP
// All that a killed holder leaves is what lies in shared memory: it goes on instruction by instruction, and after
// each one a copy of that memory is taken over as the launcher and the next worker would.
TEST_F(ReplicasOfNumbers, AHolderKilledAnywhereCostsAtMostOneLine) {
  if (!support::stepping_is_allowed()) GTEST_SKIP() << "ptrace is not allowed here";
  for (std::int64_t i = 0; i < elements; ++i) common()[i] += 8;  // what another node has brought
  add(0, 1);
  support::Stepped holder([&] {
    leave(0);
    return 0;
  });
  const support::SharedMemory common_then(common_.bytes().size());
  const support::SharedMemory memory_then(memory_.bytes().size());
  const std::size_t used = Replicas::size_bytes(nodes, bytes);
  int instructions = 0;
  int inexact = 0;
  while (holder.step_anything()) {
    ++instructions;
    std::ranges::copy(common_.bytes().first(bytes), common_then.bytes().begin());
    std::ranges::copy(memory_.bytes().first(used), memory_then.bytes().begin());
    Replicas then(memory_then.bytes().first(used), nodes, bytes);
    then.release_dead({0, 0});
    then.leave({0, 0}, stretches_, common_then.bytes().first(bytes));
    const auto* const sums = reinterpret_cast<const float*>(common_then.bytes().data());
    const auto* const own = reinterpret_cast<const float*>(then.replica(0).data());
    int lines_off = 0;
    for (std::int64_t line = 0; line < elements; line += 16) {
      bool exact = true;
      for (std::int64_t i = line; i < line + 16; ++i) {
        exact = exact && sums[i] == 109 && own[i] == 109;
        ASSERT_TRUE(sums[i] == 109 || sums[i] == 110 || sums[i] == 118) << sums[i] << " after " << instructions;
      }
      lines_off += exact ? 0 : 1;
    }
    ASSERT_LE(lines_off, 1) << "killed after " << instructions << " instructions";
    inexact += lines_off;
  }
  EXPECT_GT(instructions, 1000);
  EXPECT_GT(inexact, 0) << "the line that it was at";
  EXPECT_TRUE(all(common(), 109));
}
#endif

TEST(Replicas, OfRunningStatisticsTakeTheNewestInsteadOfASum) {
  nn::BatchNorm1d norm(4);
  const nn::FlatLayout layout = nn::flat_layout(norm);
  const ParameterStretches stretches(layout);
  const support::SharedMemory common(4096);
  const support::SharedMemory memory(1 << 16);
  const std::span<std::byte> parameters = common.bytes().first(layout.size_bytes);
  nn::copy_parameters(layout, parameters);
  Replicas replicas(memory.bytes().first(Replicas::size_bytes(2, layout.size_bytes)), 2, layout.size_bytes);
  replicas.fill(parameters);
  const std::size_t variance = layout.buffer_offsets_bytes.at(1);
  const auto of = [&](std::span<std::byte> region) -> float& {
    return *reinterpret_cast<float*>(region.data() + variance);
  };
  ASSERT_EQ(of(parameters), 1.0F);
  of(replicas.replica(0)) = 0.25F;
  of(replicas.replica(1)) = 0.5F;
  replicas.leave({0, 0}, stretches, parameters);
  replicas.leave({1, 0}, stretches, parameters);
  EXPECT_EQ(of(parameters), 0.5F);
  replicas.leave({0, 0}, stretches, parameters);
  EXPECT_EQ(of(replicas.replica(0)), 0.5F);
}

TEST(Replicas, RefuseMemoryOfAnotherSize) {
  std::vector<std::byte> memory(100);
  EXPECT_TRUE(support::has(support::error_of([&] { Replicas(memory, 2, 256); }), {"100 bytes", "2 nodes"}));
  EXPECT_NE(support::error_of([] { Replicas::size_bytes(4, std::numeric_limits<std::uint64_t>::max()); }), "");
}

}  // namespace
}  // namespace feral
