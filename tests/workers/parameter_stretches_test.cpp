#include "workers/parameter_stretches.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "nn/batch_norm.hpp"
#include "nn/linear.hpp"
#include "tests/support/shared_memory.hpp"
#include "workers/parameter_access.hpp"

namespace feral {
namespace {

using support::SharedMemory;

// Parameters of two types, and running statistics with their count.
struct Net : nn::Module {
  nn::Linear wide{3, 40};
  Tensor fine = Tensor::ones({9}, DType::float64);
  nn::BatchNorm2d norm{5};
  Net() {
    register_module("wide", wide);
    register_parameter("fine", fine);
    register_module("norm", norm);
  }
  Tensor forward(const Tensor& x) override { return wide(x); }
};

// Views of a net's tensors in one flat region.
struct Region {
  Region() : layout(nn::flat_layout(net)), memory(layout.size_bytes) {
    nn::copy_parameters(layout, memory.bytes());
    nn::bind_parameters(layout, memory.bytes());
  }
  void operator=(const Region& other) {
    std::memcpy(memory.bytes().data(), other.memory.bytes().data(), memory.bytes().size());
  }
  bool operator==(const Region& other) const {
    return std::memcmp(memory.bytes().data(), other.memory.bytes().data(), memory.bytes().size()) == 0;
  }
  Net net;
  nn::FlatLayout layout;
  SharedMemory memory;
};

struct Three {
  Region target, base, now;
  Three() {
    target = base;
    now = base;
  }
  void add(Adding adding) {
    ParameterStretches(base.layout)
        .add_changes(target.memory.bytes(), base.memory.bytes(), now.memory.bytes(), adding);
  }
};

float* weights(Region& region) { return region.net.wide.weight.data<float>(); }

constexpr Adding both[] = {Adding::racy, Adding::atomic};

TEST(ParameterStretches, WhatNobodyElseHasChangedBecomesTheNewValueToTheBit) {
  for (const Adding adding : both) {
    Three three;
    weights(three.base)[0] = weights(three.target)[0] = 1e-9F;
    weights(three.now)[0] = 0.1F;  // 1e-9 + (0.1 - 1e-9) need not be 0.1
    three.now.net.fine.data<double>()[8] = 1.0 / 3;
    three.now.net.norm.running_mean.data<float>()[4] = 7;
    three.now.net.norm.num_batches_tracked.data<std::int64_t>()[0] = 11;
    three.add(adding);
    EXPECT_TRUE(three.target == three.now);
  }
}

TEST(ParameterStretches, ParametersAndCountsAreAddedToAndStatisticsReplaced) {
  for (const Adding adding : both) {
    Three three;
    weights(three.base)[5] = 1;
    weights(three.now)[5] = 1.5;
    weights(three.target)[5] = 3;
    three.target.net.fine.data<double>()[0] = 4;
    three.now.net.fine.data<double>()[0] = 0.75;  // it was 1
    three.target.net.norm.running_var.data<float>()[1] = 0.25;
    three.now.net.norm.running_var.data<float>()[1] = 0.125;  // it was 1: the sum of both moves is below 0
    three.target.net.norm.num_batches_tracked.data<std::int64_t>()[0] = 5;
    three.now.net.norm.num_batches_tracked.data<std::int64_t>()[0] = 2;
    three.add(adding);
    EXPECT_EQ(weights(three.target)[5], 3.5F);
    EXPECT_EQ(three.target.net.fine.data<double>()[0], 3.75);
    EXPECT_EQ(three.target.net.norm.running_var.data<float>()[1], 0.125F);
    EXPECT_EQ(three.target.net.norm.num_batches_tracked.data<std::int64_t>()[0], 7);
  }
}

TEST(ParameterStretches, LinesWithoutAChangeAreLeftAlone) {
  for (const Adding adding : both) {
    Three three;
    for (int i = 0; i < 120; ++i) weights(three.target)[i] = 1000.0F + static_cast<float>(i);
    const float changed = weights(three.now)[20] += 1;
    Region expected;
    expected = three.target;
    weights(expected)[20] += changed - weights(three.base)[20];
    three.add(adding);
    EXPECT_TRUE(three.target == expected);
  }
}

TEST(ParameterStretches, AtomicAdditionsOfThreadsLoseNothing) {
  constexpr int rounds = 20'000;
  Three three;
  std::memset(weights(three.target), 0, 120 * sizeof(float));
  std::memset(weights(three.base), 0, 120 * sizeof(float));
  for (int i = 0; i < 120; ++i) weights(three.now)[i] = static_cast<float>(i % 3);
  const auto add = [&] {
    for (int i = 0; i < rounds; ++i) three.add(Adding::atomic);
  };
  std::thread other(add);
  add();
  other.join();
  for (int i = 0; i < 120; ++i) ASSERT_EQ(weights(three.target)[i], static_cast<float>(2 * rounds * (i % 3)));
}

TEST(ParameterStretches, WholeRegionsAreCopied) {
  Region from;
  Region to;
  weights(from)[7] = 7;
  copy_live(to.memory.bytes(), from.memory.bytes());
  EXPECT_TRUE(to == from);
  weights(from)[119] = 9;
  copy_live(to.memory.bytes(), from.memory.bytes());
  EXPECT_TRUE(to == from);
}

TEST(ParameterStretches, TheChecksumTellsOneBitAndWhereItIs) {
  Region region;
  std::vector<std::uint64_t> seen = {checksum(region.memory.bytes())};
  for (const std::size_t byte : {0, 3, 7, 8, 11, 200}) {
    region.memory.bytes()[byte] ^= std::byte{0x80};
    seen.push_back(checksum(region.memory.bytes()));
    region.memory.bytes()[byte] ^= std::byte{0x80};
  }
  // Both signs of two numbers: their highest bits must not cancel.
  region.memory.bytes()[7] ^= std::byte{0x80};
  region.memory.bytes()[15] ^= std::byte{0x80};
  seen.push_back(checksum(region.memory.bytes()));
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST(ParameterAccess, WithoutACopyTheModelIsTheSharedOne) {
  for (const Policy policy : {Policy::racy, Policy::locked}) {
    Region shared;
    Net net;
    ParameterAccess access(nn::flat_layout(net), shared.memory.bytes(), policy, 1);
    access.begin();
    net.wide.weight.data<float>()[3] = 42;
    EXPECT_EQ(weights(shared)[3], 42);
    access.publish();
    EXPECT_EQ(weights(shared)[3], 42);
  }
}

TEST(ParameterAccess, ACopyIsOfItsBeginningAndSeenWhenPublished) {
  struct Case {
    Policy policy;
    std::int64_t every;
  };
  for (const Case& one : {Case{Policy::atomic_add, 1}, Case{Policy::snapshot, 1}, Case{Policy::racy, 4}}) {
    Region shared;
    Net net;
    ParameterAccess access(nn::flat_layout(net), shared.memory.bytes(), one.policy, one.every);
    const float* const mine = net.wide.weight.data<float>();
    weights(shared)[0] = 10;
    access.begin();
    EXPECT_EQ(mine[0], 10);
    weights(shared)[0] = 11;
    EXPECT_EQ(mine[0], 10) << "a copy does not move";
    net.wide.weight.data<float>()[0] = 10.5;
    net.wide.weight.data<float>()[1] = 3;
    EXPECT_NE(weights(shared)[1], 3);
    access.publish();
    EXPECT_EQ(weights(shared)[0], 11.5F);
    EXPECT_EQ(weights(shared)[1], 3);
    access.begin();
    EXPECT_EQ(mine[0], 11.5F);
  }
}

}  // namespace
}  // namespace feral
