// Steps from gradients of the rows that an embedding has read.
#include <gtest/gtest.h>

#include "autograd/ops/embedding.hpp"
#include "optim/adagrad.hpp"
#include "optim/adam.hpp"
#include "optim/clip_grad.hpp"
#include "optim/sgd.hpp"
#include "optim/sparse_adam.hpp"
#include "tests/support/messages.hpp"

namespace feral::optim {
namespace {

using support::error_of;
using support::has;

Tensor table() {
  return Tensor::linspace(-1, 1, 40, DType::float64).reshape({10, 4}).clone().detach().set_requires_grad(true);
}

const Tensor& words() {
  static const Tensor numbers = Tensor::from_vector<std::int64_t>({7, 2, 7, 0}, {4});
  return numbers;
}

void look_up(const Tensor& weight, bool sparse, std::int64_t turn = 0) {
  const Tensor x = embedding(weight, (words() + turn).remainder(10), {.sparse = sparse});
  (x * x * Tensor::linspace(1, 2, 16, DType::float64).reshape({4, 4})).sum().backward();
}

template <class Optimizer, class Options>
void expect_same(const Options& options) {
  const Tensor rows = table();
  const Tensor dense = table();
  Optimizer by_rows({rows}, options);
  Optimizer by_all({dense}, options);
  for (int i = 0; i < 5; ++i) {
    look_up(rows, true, i);
    look_up(dense, false, i);
    by_rows.step();
    by_all.step();
    by_rows.zero_grad();
    by_all.zero_grad();
    EXPECT_FALSE(rows.sparse_grad().defined());
  }
  EXPECT_TRUE(rows.allclose(dense, 1e-12, 1e-12));
}

TEST(SparseStep, EqualsTheDenseOneWhereOtherRowsStay) {
  expect_same<SGD>(SGDOptions{.lr = 0.1});
  expect_same<Adagrad>(AdagradOptions{.lr = 0.1});
}

TEST(SparseStep, LeavesOtherRowsAsTheyAre) {
  const Tensor weight = table();
  const Tensor before = weight.detach().clone();
  SparseAdam optimizer({weight}, {.lr = 0.1});
  look_up(weight, true);
  optimizer.step();
  for (const std::int64_t row : {0, 2, 7}) EXPECT_FALSE(weight.detach()[row].equal(before[row])) << row;
  for (const std::int64_t row : {1, 3, 4, 5, 6, 8, 9}) EXPECT_TRUE(weight.detach()[row].equal(before[row])) << row;
}

TEST(SparseStep, ATableUsedInBothWaysGetsTheSum) {
  const Tensor both = table();
  const Tensor dense = table();
  look_up(both, true);
  look_up(both, false, 1);
  look_up(dense, false);
  look_up(dense, false, 1);
  SGD({both}, {.lr = 0.1, .momentum = 0.9}).step();  // momentum takes it: the sum is dense
  SGD({dense}, {.lr = 0.1, .momentum = 0.9}).step();
  EXPECT_TRUE(both.allclose(dense, 1e-12, 1e-12));
}

TEST(SparseStep, IsRefusedBeforeAnythingIsWritten) {
  const Tensor first = table();
  const Tensor weight = table();
  const Tensor before = first.detach().clone();
  look_up(first, false);
  look_up(weight, true);
  Adam adam({first, weight}, {});
  EXPECT_TRUE(has(error_of([&] { adam.step(); }), {"Adam: parameter 1", "sparse"}));
  EXPECT_TRUE(has(error_of([&] {
                    SGD({first, weight}, {.momentum = 0.5}).step();
                  }),
                  {"SGD: parameter 1", "momentum"}));
  EXPECT_TRUE(has(error_of([&] { SparseAdam({weight, first}, {}).step(); }), {"SparseAdam: parameter 1", "dense"}));
  EXPECT_TRUE(first.detach().equal(before));
}

TEST(SparseStep, ClippingCountsAndScalesItsValues) {
  const Tensor weight = table();
  const Tensor dense = table();
  look_up(weight, true);
  look_up(dense, false);
  const double norm = clip_grad_norm_(std::vector{weight}, 0.5);
  EXPECT_NEAR(norm, clip_grad_norm_(std::vector{dense}, 0.5), 1e-12);
  EXPECT_NEAR(weight.sparse_grad().values.norm().item(), 0.5, 1e-5);
  clip_grad_value_(std::vector{weight}, 0.01);
  EXPECT_LE(weight.sparse_grad().values.abs().max().item(), 0.01);
}

TEST(SparseStep, AStepBetweenForwardAndBackwardIsNoticed) {
  const Tensor weight = table();
  const Tensor loss = (weight * weight).sum();
  look_up(weight, true);
  SGD({weight}, {.lr = 0.1}).step();
  EXPECT_TRUE(has(error_of([&] { loss.backward(); }), {"backward: ", "'mul'", "written in place"}));
}

}  // namespace
}  // namespace feral::optim
