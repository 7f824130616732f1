#include "autograd/ops/recurrent.hpp"

#include <gtest/gtest.h>

#include "autograd/ops/join.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"
#include "tests/tensor/targets.hpp"

namespace feral {
namespace {

using namespace testing_support;

void add_cases(std::vector<OpCase>& cases) {
  struct Kind {
    const char* name;
    CellKernel cell;
  };
  for (const Kind& kind : {Kind{"tanh", CellKernel::rnn_tanh}, Kind{"relu", CellKernel::rnn_relu},
                           Kind{"lstm", CellKernel::lstm}, Kind{"gru", CellKernel::gru}}) {
    const std::int64_t all = 2 * gates_of(kind.cell);
    const bool lstm = kind.cell == CellKernel::lstm;
    // x, weights, biases, hidden, cell
    const auto leaves = [&](std::int64_t rows) {
      Inputs inputs{leaf({rows, 3}), leaf({all, 3}, -1, 1), leaf({all, 2}, -1, 1),
                    leaf({all}),     leaf({all}),           leaf({2, 2})};
      if (lstm) inputs.push_back(leaf({2, 2}));
      return inputs;
    };
    const auto call = [=, cell = kind.cell](const Inputs& x, const Tensor& sizes, bool reverse) {
      const auto result =
          recurrent(cell, x[0], {x[1], x[2], x[3], x[4]}, x[5], lstm ? x[6] : Tensor(), sizes, 2, reverse);
      return lstm ? cat({result.output, result.hidden * 2, result.cell * 3}, 0)
                  : cat({result.output, result.hidden * 2}, 0);
    };
    const Tensor sizes = labels({2, 2, 1});
    for (const bool reverse : {false, true}) {
      const std::string detail = std::string(kind.name) + (reverse ? " in reverse" : "");
      cases.push_back({"recurrent", detail, [=](const Inputs& x) { return call(x, {}, reverse); }, leaves(4)});
      cases.push_back(
          {"recurrent", detail + ", packed", [=](const Inputs& x) { return call(x, sizes, reverse); }, leaves(5)});
    }
    cases.push_back(
        {"recurrent",
         std::string(kind.name) + " of views, from 0, without biases",
         [cell = kind.cell](const Inputs& x) {
           return recurrent(cell, turned(x[0]), {turned(x[1]), turned(x[2]), {}, {}}, {}, {}, {}, 1, false).output;
         },
         {leaf({3, 2}), leaf({3, all}, -1, 1), leaf({2, all}, -1, 1)}});
  }
}
const FamilyOfOpCases cases(add_cases);

void add_wrong(std::vector<WrongCall>& calls) {
  const auto call = [](const Tensor& x, const Tensor& ih, const Tensor& hh, const Tensor& hidden = {},
                       const Tensor& cell = {}, const Tensor& sizes = {}, CellKernel kind = CellKernel::lstm) {
    return [=] { recurrent(kind, x, {ih, hh, {}, {}}, hidden, cell, sizes, 2, false); };
  };
  const Tensor x = f32({6, 3}), ih = f32({8, 3}), hh = f32({8, 2});
  calls.push_back({"recurrent", call(Tensor(), ih, hh), {"undefined"}});
  calls.push_back({"recurrent", call(f32({6}), ih, hh), {"2 dimensions", "[6]"}});
  calls.push_back({"recurrent", call(i32({6, 3}), ih, hh), {"int32"}});
  calls.push_back({"recurrent", call(x, f64({8, 3}), hh), {"float32", "float64"}});
  calls.push_back({"recurrent", call(x, f32({8, 4}), hh), {"weight_ih", "[8, 4]", "[8, 3]"}});
  calls.push_back({"recurrent", call(x, ih, f32({6, 2})), {"weight_hh", "[6, 2]", "[8, 2]"}});
  calls.push_back({"recurrent", call(x, ih, hh, f32({3, 2})), {"hidden state", "[3, 2]", "[2, 2]"}});
  calls.push_back({"recurrent", call(x, ih, hh, {}, f32({2, 3})), {"cell state", "[2, 3]", "[2, 2]"}});
  calls.push_back({"recurrent", call(f32({5, 3}), ih, hh), {"5 rows", "steps of 2"}});
  calls.push_back({"recurrent", call(x, ih, hh, {}, {}, i32({3})), {"int64", "int32"}});
  calls.push_back({"recurrent", call(x, ih, hh, {}, {}, labels({2, 1, 2, 1})), {"step 2", "size 2", "behind 1"}});
  calls.push_back({"recurrent", call(x, ih, hh, {}, {}, labels({1, 1})), {"step 0", "start at 2"}});
  calls.push_back({"recurrent", call(x, ih, hh, {}, {}, labels({2, 2, 0})), {"size 0"}});
  calls.push_back({"recurrent", call(x, ih, hh, {}, {}, labels({2, 2, 1})), {"5 rows", "6"}});
  calls.push_back(
      {"recurrent", call(x, f32({6, 3}), f32({6, 2}), {}, f32({2, 2}), {}, CellKernel::gru), {"only an LSTM"}});
}
const FamilyOfWrongCalls wrong(add_wrong);

// The fused kernels beside the composition of ordinary ops that second derivatives are made of: hidden sizes with
// whole vectors and a rest, more rows than a tile has, sequences that end early.
TEST(Recurrent, FusedGradientIsTheComposedOne) {
  Numbers numbers(17);
  const Tensor sizes = labels({25, 14, 14, 3});
  for (const std::int64_t target : targets()) {
    const OnTarget on(target);
    for (const CellKernel cell : {CellKernel::rnn_tanh, CellKernel::rnn_relu, CellKernel::lstm, CellKernel::gru}) {
      for (const DType dtype : {DType::float32, DType::float64}) {
        for (const bool reverse : {false, true}) {
          SCOPED_TRACE(static_cast<int>(cell) * 4 + (dtype == DType::float32 ? 2 : 0) + (reverse ? 1 : 0));
          constexpr std::int64_t h = 37;
          const std::int64_t all = gates_of(cell) * h;
          const auto leaf_of = [&](const Shape& shape) {
            return numbers.tensor<double>(shape, -0.5, 0.5).to(dtype).set_requires_grad(true);
          };
          Inputs x{leaf_of({56, 5}), leaf_of({all, 5}), leaf_of({all, h}), leaf_of({all}),
                   leaf_of({all}),   leaf_of({25, h}),  leaf_of({25, h})};
          const bool lstm = cell == CellKernel::lstm;
          const auto gradients = [&](bool create_graph) {
            for (const Tensor& input : x) input.set_grad({});
            const auto result =
                recurrent(cell, x[0], {x[1], x[2], x[3], x[4]}, x[5], lstm ? x[6] : Tensor(), sizes, 25, reverse);
            Tensor sum = (result.output.square().sum() + result.hidden.sum()) * 0.1;
            if (lstm) sum = sum + result.cell.square().sum();
            sum.backward({}, false, create_graph);
            Inputs list;
            for (const Tensor& input : x) {
              list.push_back(input.grad().defined() ? input.grad().detach() : Tensor());
              input.set_grad({});  // a recorded one leads back to its leaf
            }
            return list;
          };
          const Inputs fused = gradients(false);
          const Inputs composed = gradients(true);
          for (std::size_t i = 0; i < (lstm ? 7U : 6U); ++i) {
            const double tolerance = dtype == DType::float32 ? 2e-4 : 1e-11;
            EXPECT_TRUE(fused[i].allclose(composed[i], tolerance, tolerance)) << "input " << i;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace feral
