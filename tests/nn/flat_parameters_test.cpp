#include "nn/flat_parameters.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "core/sizes.hpp"
#include "nn/batch_norm.hpp"
#include "nn/linear.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;

// Parameters of 15, 3, 12 and 4 floats.
class Net : public Module {
 public:
  Net() {
    register_module("first", first);
    register_module("second", second);
  }
  Tensor forward(const Tensor& x) override { return second(first(x)); }
  Linear first{5, 3};
  Linear second{3, 4};
};

struct alignas(64) Region {
  std::byte bytes[256];
};

TEST(FlatParameters, StandOnCacheLinesInOrder) {
  const Net net;
  const FlatLayout layout = flat_layout(net);
  ASSERT_EQ(layout.parameters.size(), 4U);
  EXPECT_EQ(layout.parameters[2].name, "second.weight");
  EXPECT_EQ(layout.offsets_bytes, (std::vector<std::size_t>{0, 64, 128, 192}));
  EXPECT_EQ(layout.size_bytes, 256U);
  EXPECT_EQ(layout.elements, 34);
  const FlatLayout other = flat_layout(Net());
  EXPECT_EQ(other.offsets_bytes, layout.offsets_bytes);
}

TEST(FlatParameters, AreCopiedWithoutTouchingThePadding) {
  const Net net;
  const FlatLayout layout = flat_layout(net);
  Region region;
  std::memset(region.bytes, 0xEE, sizeof(region.bytes));
  copy_parameters(layout, region.bytes);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto values = layout.parameters[i].tensor.to_vector<float>();
    const std::byte* at = region.bytes + layout.offsets_bytes[i];
    EXPECT_EQ(std::memcmp(at, values.data(), values.size() * sizeof(float)), 0) << layout.parameters[i].name;
    EXPECT_EQ(at[values.size() * sizeof(float)], std::byte{0xEE}) << layout.parameters[i].name;
  }
}

TEST(FlatParameters, BoundParametersLiveInTheRegion) {
  Net net;
  const FlatLayout layout = flat_layout(net);
  Region region = {};
  const std::vector<Tensor> handles = net.parameters();
  bind_parameters(layout, region.bytes);
  EXPECT_EQ(net.first.weight.raw_data(), region.bytes);
  EXPECT_EQ(net.second.bias.raw_data(), region.bytes + 192);
  EXPECT_EQ(handles[3].raw_data(), region.bytes + 192);
  EXPECT_TRUE(net.second.bias.requires_grad());
  EXPECT_EQ(net.second.bias.to_vector<float>(), std::vector<float>(4, 0));
  const float value = 2.5F;
  std::memcpy(region.bytes + 192, &value, sizeof(value));
  EXPECT_EQ(net(Tensor::zeros({1, 5})).to_vector<float>(), (std::vector<float>{2.5F, 0, 0, 0}));
}

TEST(FlatParameters, TwoModelsBoundToOneRegionShareTheirValues) {
  Net writer;
  Net reader;
  Region region;
  copy_parameters(flat_layout(writer), region.bytes);
  bind_parameters(flat_layout(writer), region.bytes);
  bind_parameters(flat_layout(reader), region.bytes);
  const Tensor x = Tensor::ones({2, 5});
  EXPECT_EQ(writer(x).to_vector<float>(), reader(x).to_vector<float>());
  writer.first.bias.fill_(9);
  EXPECT_EQ(reader.first.bias.to_vector<float>(), std::vector<float>(3, 9));
  reader(x).sum().backward();
  EXPECT_TRUE(reader.first.weight.grad().defined());
  EXPECT_FALSE(writer.first.weight.grad().defined());
}

TEST(FlatParameters, BuffersStandBehindThem) {
  BatchNorm1d norm(3);
  const FlatLayout layout = flat_layout(norm);
  ASSERT_EQ(layout.parameters.size(), 2U);
  ASSERT_EQ(layout.buffers.size(), 3U);
  EXPECT_EQ(layout.buffers[0].name, "running_mean");
  EXPECT_EQ(layout.buffers[2].name, "num_batches_tracked");
  EXPECT_EQ(layout.elements, 6) << "parameters alone";
  EXPECT_EQ(layout.parameter_bytes, 128U);
  EXPECT_EQ(layout.buffer_offsets_bytes, (std::vector<std::size_t>{128, 192, 256}));
  EXPECT_EQ(layout.size_bytes, 320U);

  struct alignas(64) Place {
    std::byte bytes[320];
  } region;
  norm(Tensor::from_vector<float>({1, 2, 3, 5, 6, 7}, {2, 3}));
  copy_parameters(layout, region.bytes);
  BatchNorm1d other(3);
  bind_parameters(flat_layout(other), region.bytes);
  EXPECT_EQ(other.running_mean.to_vector<float>(), norm.running_mean.to_vector<float>());
  EXPECT_EQ(other.num_batches_tracked.item<std::int64_t>(), 1);
  EXPECT_EQ(other.weight.to_vector<float>(), (std::vector<float>{1, 1, 1}));
  other(Tensor::from_vector<float>({1, 2, 3, 5, 6, 7}, {2, 3}));
  std::int64_t count = 0;
  std::memcpy(&count, region.bytes + 256, sizeof(count));
  EXPECT_EQ(count, 2) << "it lives in the region";
}

TEST(FlatParameters, TiedTensorsHaveOnePlace) {
  class Tied : public Module {
   public:
    Tied() {
      register_module("first", first);
      register_module("second", second);
      second.weight = first.weight;
      second.running_mean = first.running_mean;
      alias = first.bias;
      register_buffer("alias", alias);
    }
    BatchNorm1d first{3};
    BatchNorm1d second{3};
    Tensor alias;
  };
  const Tied net;
  const FlatLayout layout = flat_layout(net);
  EXPECT_EQ(layout.parameters.size(), 3U);
  EXPECT_EQ(layout.buffers.size(), 5U);
  EXPECT_EQ(layout.size_bytes, 8 * 64U);
}

TEST(FlatParameters, RefuseARegionOfAnotherSize) {
  const Net net;
  const FlatLayout layout = flat_layout(net);
  Region region = {};
  const std::span<std::byte> small(region.bytes, 192);
  for (const std::string& message :
       {error_of([&] { copy_parameters(layout, small); }), error_of([&] { bind_parameters(layout, small); })}) {
    EXPECT_TRUE(contains(message, "256")) << message;
    EXPECT_TRUE(contains(message, "192")) << message;
  }
}

TEST(FlatParameters, OfAModuleWithoutAnyAreEmpty) {
  class Empty : public Module {
   public:
    Tensor forward(const Tensor& x) override { return x; }
  };
  const FlatLayout layout = flat_layout(Empty());
  EXPECT_EQ(layout.size_bytes, 0U);
  copy_parameters(layout, {});
  bind_parameters(layout, {});
  EXPECT_TRUE(layout.parameters.empty());
}

}  // namespace
}  // namespace feral::nn
