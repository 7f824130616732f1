// Gradients of the rows that an embedding has read, and of no others.
#include <gtest/gtest.h>

#include "autograd/grad.hpp"
#include "autograd/ops/embedding.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;
using Ints = std::vector<std::int64_t>;

Tensor table(std::int64_t rows, std::int64_t d, DType dtype = DType::float64) {
  return Tensor::linspace(-1, 1, rows * d, dtype).reshape({rows, d}).detach().set_requires_grad(true);
}

Tensor indices(const Ints& values, const Shape& shape) { return Tensor::from_vector(values, shape); }

// The dense gradient that a sparse one stands for.
Tensor dense(const Tensor& weight) {
  const SparseGradient sparse = weight.sparse_grad();
  Tensor sum = Tensor::zeros(weight.shape(), weight.dtype());
  if (sparse.defined()) sum.index_add_(0, sparse.rows, sparse.values);
  return sum;
}

void expect_sorted(const SparseGradient& sparse) {
  const Ints rows = sparse.rows.to_vector<std::int64_t>();
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_LT(rows[i - 1], rows[i]);
}

// A loss whose gradient differs from element to element.
Tensor loss_of(const Tensor& x) {
  return (x * Tensor::linspace(1, 2, x.numel(), x.dtype()).reshape(x.shape())).sum();
}

TEST(SparseGradient, HasEachRowOnceAscendingAndEqualsTheDenseOne) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor a = table(9, 5, dtype);
    const Tensor b = table(9, 5, dtype);
    const Tensor i = indices({7, 2, 2, 0, 7, 7}, {2, 3});
    loss_of(embedding(a, i, {.sparse = true})).backward();
    loss_of(embedding(b, i)).backward();
    EXPECT_EQ(a.sparse_grad().rows.to_vector<std::int64_t>(), (Ints{0, 2, 7}));
    EXPECT_FALSE(a.grad().defined());
    EXPECT_TRUE(dense(a).allclose(b.grad(), 1e-6, 1e-6));
  }
}

TEST(SparseGradient, OfManyRowsThatAreFarApart) {
  const std::int64_t rows = 100'000;
  const Tensor a = table(rows, 3);
  const Tensor b = table(rows, 3);
  Ints many;
  for (std::int64_t k = 0; k < 4000; ++k) many.push_back((k * k * 7919 + 31 * k) % (k % 3 == 0 ? 50 : rows));
  const Tensor i = indices(many, {4000});
  loss_of(embedding(a, i, {.sparse = true})).backward();
  loss_of(embedding(b, i)).backward();
  expect_sorted(a.sparse_grad());
  EXPECT_TRUE(dense(a).allclose(b.grad(), 1e-12, 1e-12));
}

TEST(SparseGradient, AddsUpOverUsesAndPassesAndGoesWithSetGrad) {
  const Tensor a = table(6, 2);
  const Tensor b = table(6, 2);
  for (const Tensor& weight : {a, b}) {
    const bool sparse = weight.impl() == a.impl();
    for (int pass = 0; pass < 2; ++pass) {
      const Tensor x = embedding(weight, indices({5, 1}, {2}), {.sparse = sparse});
      const Tensor y = embedding(weight, indices({1, 3}, {2}), {.sparse = sparse});
      loss_of(x * y).backward();
    }
  }
  expect_sorted(a.sparse_grad());
  EXPECT_TRUE(dense(a).allclose(b.grad(), 1e-12, 1e-12));
  a.set_grad({});
  EXPECT_FALSE(a.sparse_grad().defined());
}

TEST(SparseGradient, LeavesPaddingOut) {
  const Tensor a = table(6, 2);
  loss_of(embedding(a, indices({5, 1, 5}, {3}), {.padding_idx = 5, .sparse = true})).backward();
  EXPECT_EQ(a.sparse_grad().rows.to_vector<std::int64_t>(), (Ints{1}));
  const Tensor b = table(6, 2);
  loss_of(embedding(b, indices({5, 5}, {2}), {.padding_idx = 5, .sparse = true})).backward();
  EXPECT_EQ(b.sparse_grad().rows.numel(), 0);
}

TEST(SparseGradient, OfBagsEqualsTheDenseOne) {
  const Tensor i = indices({4, 1, 1, 0, 4, 2, 5}, {7});
  const Tensor offsets = indices({0, 3, 3, 6}, {4});
  for (const Bag mode : {Bag::sum, Bag::mean}) {
    for (const std::int64_t padding : {-1, 4}) {
      const Tensor a = table(6, 3);
      const Tensor b = table(6, 3);
      loss_of(embedding_bag(a, i, offsets, {.mode = mode, .padding_idx = padding, .sparse = true})).backward();
      loss_of(embedding_bag(b, i, offsets, {.mode = mode, .padding_idx = padding})).backward();
      expect_sorted(a.sparse_grad());
      EXPECT_TRUE(dense(a).allclose(b.grad(), 1e-12, 1e-12));
    }
  }
  const Tensor a = table(6, 3);
  const Tensor b = table(6, 3);
  Tensor scales = Tensor::linspace(-1, 2, 7, DType::float64);
  scales.set_requires_grad(true);
  loss_of(embedding_bag(a, i, offsets, {.mode = Bag::sum, .sparse = true}, scales)).backward();
  const Tensor once = scales.grad();
  scales.set_grad({});
  loss_of(embedding_bag(b, i, offsets, {.mode = Bag::sum}, scales)).backward();
  EXPECT_TRUE(dense(a).allclose(b.grad(), 1e-12, 1e-12));
  EXPECT_TRUE(once.allclose(scales.grad(), 1e-12, 1e-12));
}

TEST(SparseGradient, IsRefusedWhereItWouldBeLost) {
  const Tensor a = table(6, 2);
  const Tensor i = indices({5, 1}, {2});
  EXPECT_TRUE(has(error_of([&] { embedding(a * 2, i, {.sparse = true}); }), {"embedding: ", "leaf", "[6, 2]"}));
  EXPECT_TRUE(has(error_of([&] { embedding_bag(a, i, indices({0}, {1}), {.mode = Bag::max, .sparse = true}); }),
                  {"embedding_bag: ", "Bag::sum"}));
  EXPECT_TRUE(has(error_of([&] { embedding(a, i, {.sparse = true}).sum().backward({}, false, true); }),
                  {"embedding: ", "create_graph"}));
  EXPECT_TRUE(has(error_of([&] { autograd::grad({embedding(a, i, {.sparse = true}).sum()}, {a}); }),
                  {"embedding: ", "autograd::grad"}));
  EXPECT_TRUE(has(error_of([&] {
                    a.set_sparse_grad({i, Tensor::ones({3, 2}, DType::float64)});
                  }),
                  {"set_sparse_grad: ", "[3, 2]"}));
}

}  // namespace
}  // namespace feral
