#include "tensor/tensor.hpp"

#include <gtest/gtest.h>

#include "autograd/grad_mode.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::contains;
using testing_support::error_of;

constexpr DType all_dtypes[] = {DType::float32, DType::float64, DType::int32, DType::int64, DType::uint8};

TEST(Tensor, IsUndefinedUntilItIsMade) {
  const Tensor tensor;
  EXPECT_FALSE(tensor.defined());
  EXPECT_FALSE(tensor.requires_grad());
  EXPECT_EQ(tensor.to_string(), "Tensor undefined");
}

TEST(Tensor, FactoriesFillEveryType) {
  for (const DType dtype : all_dtypes) {
    EXPECT_EQ(Tensor::zeros({2, 3}, dtype).to_vector<double>(), std::vector<double>(6, 0)) << name_of(dtype);
    EXPECT_EQ(Tensor::ones({2, 3}, dtype).to_vector<double>(), std::vector<double>(6, 1)) << name_of(dtype);
    EXPECT_EQ(Tensor::full({2, 3}, 7, dtype).to_vector<double>(), std::vector<double>(6, 7)) << name_of(dtype);
    const Tensor empty = Tensor::empty({2, 3}, dtype);
    EXPECT_EQ(empty.dtype(), dtype);
    EXPECT_EQ(empty.numel(), 6);
    EXPECT_TRUE(empty.is_contiguous());
  }
}

TEST(Tensor, MayBeEmptyOrHaveNoDimension) {
  EXPECT_EQ(Tensor::zeros({0, 3}).to_vector<float>(), std::vector<float>());
  EXPECT_TRUE(Tensor::zeros({0, 3}).is_contiguous());
  const Tensor scalar = Tensor::full({}, 2.5);
  EXPECT_EQ(scalar.dims(), 0);
  EXPECT_EQ(scalar.numel(), 1);
  EXPECT_EQ(scalar.item(), 2.5);
}

TEST(Tensor, RefusesShapesThatNoMemoryHolds) {
  constexpr std::int64_t two_to_40 = std::int64_t{1} << 40;
  EXPECT_TRUE(contains(error_of([] { Tensor::empty({two_to_40, two_to_40}); }), "too many elements"));
  EXPECT_TRUE(contains(error_of([] { Tensor::empty({std::int64_t{1} << 61}, DType::float64); }), "overflow"));
  EXPECT_TRUE(contains(error_of([] { Tensor::empty({two_to_40, 1024}); }), "allocator"));
  EXPECT_TRUE(contains(error_of([] { Tensor::empty({-1}); }), "negative"));
}

TEST(Tensor, FromVectorCopiesAndChecksTheCount) {
  std::vector<std::int32_t> values = {1, 2, 3, 4, 5, 6};
  const Tensor tensor = Tensor::from_vector(values, {2, 3});
  values[0] = 99;
  EXPECT_EQ(tensor.dtype(), DType::int32);
  EXPECT_EQ(tensor.to_vector<std::int32_t>(), (std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}));
  const std::string message = error_of([&] { Tensor::from_vector(values, {2, 2}); });
  EXPECT_TRUE(contains(message, "from_vector: 6 values for shape [2, 2]")) << message;
}

TEST(Tensor, BorrowSeesTheCallersMemoryBothWays) {
  double memory[4] = {1, 2, 3, 4};
  {
    const Tensor tensor = Tensor::borrow(memory, {2, 2}, DType::float64);
    memory[3] = 40;
    EXPECT_EQ(tensor.to_vector<double>(), (std::vector<double>{1, 2, 3, 40}));
    tensor.fill_(5);
  }
  EXPECT_EQ(memory[0], 5);
  EXPECT_EQ(memory[3], 5);
}

TEST(Tensor, CopiesOfAHandleShareElements) {
  const Tensor tensor = Tensor::zeros({2});
  const Tensor copy = tensor;
  copy.fill_(3);
  EXPECT_EQ(tensor.to_vector<float>(), (std::vector<float>{3, 3}));
  const Tensor clone = tensor.clone();
  clone.fill_(4);
  EXPECT_EQ(tensor.to_vector<float>(), (std::vector<float>{3, 3}));
}

TEST(Tensor, AssigningATensorToItselfKeepsIt) {
  Tensor tensor = Tensor::ones({2});
  const Tensor& same = tensor;
  tensor = same;
  EXPECT_EQ(tensor.to_vector<float>(), (std::vector<float>{1, 1}));
  const Tensor moved = std::move(tensor);
  EXPECT_EQ(moved.numel(), 2);
}

TEST(Tensor, DataRefusesTheWrongElementType) {
  const Tensor tensor = Tensor::zeros({2}, DType::float32);
  EXPECT_NE(tensor.data<float>(), nullptr);
  EXPECT_TRUE(contains(error_of([&] { (void)tensor.data<double>(); }), "holds float32, asked for float64"));
  EXPECT_TRUE(contains(error_of([&] { (void)tensor.data<std::uint8_t>(); }), "asked for uint8"));
  EXPECT_TRUE(contains(error_of([] { (void)Tensor::zeros({1}, DType::int64).data<std::int32_t>(); }), "int64"));
}

TEST(Tensor, ItemNeedsExactlyOneElement) {
  EXPECT_EQ(Tensor::full({1, 1, 1}, 3, DType::int64).item(), 3);
  EXPECT_EQ(Tensor::full({}, 200, DType::uint8).item(), 200);
  const std::string message = error_of([] { (void)Tensor::zeros({2, 3}).item(); });
  EXPECT_TRUE(contains(message, "item")) << message;
  EXPECT_TRUE(contains(message, "[2, 3]")) << message;
  EXPECT_TRUE(contains(error_of([] { (void)Tensor::zeros({0}).item(); }), "item"));
}

TEST(Tensor, ItemOfAViewReadsItsOwnElement) {
  const Tensor tensor = Tensor::from_vector(std::vector<float>{1, 2, 3, 4}, {2, 2});
  EXPECT_EQ(tensor.narrow(0, 1, 1).narrow(1, 1, 1).item(), 4);
}

TEST(Tensor, ToVectorConvertsAndFollowsTheStrides) {
  const Tensor tensor = Tensor::from_vector(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(tensor.transpose(0, 1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 4, 2, 5, 3, 6}));
}

TEST(Tensor, SizeCountsFromTheEndAndIsChecked) {
  const Tensor tensor = Tensor::zeros({2, 3});
  EXPECT_EQ(tensor.size(0), 2);
  EXPECT_EQ(tensor.size(-1), 3);
  EXPECT_TRUE(contains(error_of([&] { (void)tensor.size(2); }), "size: dimension 2"));
}

TEST(Tensor, CopyBroadcastsConvertsAndChecks) {
  const Tensor target = Tensor::zeros({2, 3}, DType::float64);
  target.copy_(Tensor::from_vector(std::vector<std::int32_t>{1, 2, 3}, {3}));
  EXPECT_EQ(target.to_vector<double>(), (std::vector<double>{1, 2, 3, 1, 2, 3}));
  target.narrow(1, 1, 1).copy_(Tensor::full({}, 9));
  EXPECT_EQ(target.to_vector<double>(), (std::vector<double>{1, 9, 3, 1, 9, 3}));
  const std::string message = error_of([&] { target.copy_(Tensor::zeros({4, 2, 3})); });
  for (const char* part : {"copy_", "[4, 2, 3]", "[2, 3]"}) EXPECT_TRUE(contains(message, part)) << message;
  EXPECT_TRUE(contains(error_of([&] { Tensor::zeros({1, 3}).copy_(target); }), "copy_"));
  EXPECT_TRUE(contains(error_of([&] { target.copy_(Tensor()); }), "copy_"));
  EXPECT_EQ(target.to_vector<double>(), (std::vector<double>{1, 9, 3, 1, 9, 3})) << "a refused copy wrote";
}

TEST(Tensor, FillWritesThroughAView) {
  const Tensor tensor = Tensor::zeros({3, 3});
  tensor.transpose(0, 1).narrow(0, 1, 1).fill_(2);
  EXPECT_EQ(tensor.to_vector<float>(), (std::vector<float>{0, 2, 0, 0, 2, 0, 0, 2, 0}));
  tensor.zero_();
  EXPECT_EQ(tensor.to_vector<float>(), std::vector<float>(9, 0));
}

TEST(Tensor, RandomNumbersAreRefusedForRecordedResults) {
  Tensor leaf = Tensor::ones({2});
  leaf.set_requires_grad(true);
  const Tensor result = leaf * 2;
  EXPECT_TRUE(contains(error_of([&] { result.uniform_(); }), "uniform_"));
  EXPECT_TRUE(contains(error_of([&] { result.bernoulli_(); }), "bernoulli_"));
  EXPECT_EQ(result.to_vector<float>(), (std::vector<float>{2, 2}));
  result.detach().bernoulli_(1);
  EXPECT_EQ(result.to_vector<float>(), (std::vector<float>{1, 1}));
}

TEST(Tensor, SetDataGivesAllHandlesTheOthersMemoryShapeAndType) {
  Tensor leaf = Tensor::ones({2});
  leaf.set_requires_grad(true);
  const Tensor same = leaf;
  const std::uint32_t version = leaf.version();
  const Tensor other = Tensor::full({3}, 7, DType::float64);
  leaf.set_data(other);
  EXPECT_EQ(same.to_vector<double>(), std::vector<double>(3, 7));
  EXPECT_TRUE(same.requires_grad());
  EXPECT_NE(same.version(), version);
  other.fill_(8);
  EXPECT_EQ(same.detach()[0].item(), 8);
  leaf.set_grad(Tensor::ones({3}, DType::float64));
  EXPECT_TRUE(contains(error_of([&] { leaf.set_data(other); }), "set_data"));
  leaf.set_grad({});
  EXPECT_TRUE(contains(error_of([&] { leaf.set_data(Tensor::ones({2}, DType::int64)); }), "int64"));
  EXPECT_TRUE(contains(error_of([&] { (leaf * 2).set_data(other); }), "set_data"));
}

TEST(Tensor, RebindMovesAllHandlesToTheNewMemory) {
  alignas(64) float memory[4] = {1, 2, 3, 4};
  const Tensor tensor = Tensor::zeros({2, 2});
  const Tensor handle = tensor;
  tensor.rebind(memory);
  EXPECT_EQ(handle.to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
  handle.fill_(8);
  EXPECT_EQ(memory[2], 8);
}

TEST(Tensor, RebindRefusesViewsAndResults) {
  float memory[6] = {};
  const Tensor view = Tensor::zeros({2, 3}).transpose(0, 1);
  EXPECT_TRUE(contains(error_of([&] { view.rebind(memory); }), "rebind"));
  Tensor leaf = Tensor::zeros({6});
  leaf.set_requires_grad(true);
  EXPECT_TRUE(contains(error_of([&] { (leaf + 1.0).rebind(memory); }), "rebind"));
}

TEST(Tensor, OnlyFloatingLeavesCanRequireAGradient) {
  Tensor integers = Tensor::zeros({2}, DType::int32);
  EXPECT_TRUE(contains(error_of([&] { integers.set_requires_grad(true); }), "int32"));
  integers.set_requires_grad(false);
  Tensor leaf = Tensor::zeros({2});
  EXPECT_TRUE(leaf.set_requires_grad(true).requires_grad());
  Tensor result = leaf + 1.0;
  EXPECT_TRUE(contains(error_of([&] { result.set_requires_grad(true); }), "leaves"));
}

TEST(Tensor, ToKeepsWhatHasTheTypeAlready) {
  const Tensor tensor = Tensor::full({2}, 1.5);
  EXPECT_EQ(tensor.to(DType::float32).impl(), tensor.impl());
  EXPECT_EQ(tensor.to(DType::float64).to_vector<double>(), (std::vector<double>{1.5, 1.5}));
  EXPECT_EQ(tensor.to(DType::int32).dtype(), DType::int32);
}

TEST(Tensor, UndefinedTensorsAreRefusedByName) {
  const Tensor none;
  const Tensor some = Tensor::zeros({2, 2});
  EXPECT_TRUE(contains(error_of([&] { (void)none.item(); }), "item"));
  EXPECT_TRUE(contains(error_of([&] { (void)none.size(0); }), "size"));
  EXPECT_TRUE(contains(error_of([&] { (void)none.to_vector<float>(); }), "to_vector"));
  EXPECT_TRUE(contains(error_of([&] { none.fill_(0); }), "fill_"));
  EXPECT_TRUE(contains(error_of([&] { none.copy_(some); }), "copy_"));
  EXPECT_TRUE(contains(error_of([&] { none.backward(); }), "backward"));
  EXPECT_TRUE(contains(error_of([&] { (void)none.detach(); }), "detach"));
  EXPECT_TRUE(contains(error_of([&] { Tensor().set_requires_grad(true); }), "set_requires_grad"));
}

}  // namespace
}  // namespace feral
