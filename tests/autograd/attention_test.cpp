#include "autograd/ops/attention.hpp"

#include <gtest/gtest.h>

#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"
#include "tests/tensor/targets.hpp"

namespace feral {
namespace {

using namespace testing_support;

void add_cases(std::vector<OpCase>& cases) {
  const auto add = [&](const char* detail, auto call, Inputs inputs) {
    cases.push_back({"scaled_dot_product_attention", detail, call, std::move(inputs)});
  };
  const auto three = [] { return Inputs{leaf({2, 2, 3, 2}), leaf({2, 2, 4, 2}), leaf({2, 2, 4, 3})}; };
  add(
      "heads", [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }, three());
  add(
      "causal",
      [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {}, {.is_causal = true}); },
      three());
  const Tensor allowed = Tensor::from_vector<float>({1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1}, {3, 4}).gt(0);
  add(
      "bool mask, one row blind",
      [=](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2], allowed, {.scale = 0.6}); },
      three());
  Inputs masked = three();
  masked.push_back(leaf({2, 1, 1, 4}));
  add(
      "added mask", [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2], x[3]); }, masked);
  add("views",
      [](const Inputs& x) {
        return scaled_dot_product_attention(turned(x[0]), turned(x[1]), x[2].expand({3, 2}));
      },
      {leaf({2, 3}), leaf({2, 3}), leaf({2})});
  const auto packed = [](bool sequence_first) {
    return [=](const Inputs& x) {
      return apply<ops::Attention>({.scale = 0.5, .sequence_first = sequence_first, .packed = true}, x[0], Tensor(),
                                   Tensor(), Tensor());
    };
  };
  add("packed", packed(false), {leaf({2, 3, 3, 2, 2})});
  add("packed, sequence first", packed(true), {leaf({3, 2, 3, 2, 2})});
  add("sequence first",
      [](const Inputs& x) {
        return apply<ops::Attention>({.scale = 0.5, .sequence_first = true}, x[0], x[1], x[2], Tensor());
      },
      {leaf({3, 2, 2, 2}), leaf({4, 2, 2, 2}), leaf({4, 2, 2, 3})});
  add(
      "dropout",
      [](const Inputs& x) {
        Generator generator(3);
        return scaled_dot_product_attention(x[0], x[1], x[2], {}, {.dropout = 0.5}, generator);
      },
      three());
}
const FamilyOfOpCases cases(add_cases);

void add_wrong(std::vector<WrongCall>& calls) {
  const auto call = [](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask = {},
                       const AttentionOptions& options = {}) {
    return [=] { scaled_dot_product_attention(q, k, v, mask, options); };
  };
  const char* name = "scaled_dot_product_attention";
  const Tensor x = f32({2, 3, 4});
  calls.push_back({name, call(Tensor(), x, x), {"undefined"}});
  calls.push_back({name, call(x, x, Tensor()), {"undefined"}});
  calls.push_back({name, call(f32({4}), f32({4}), f32({4})), {"[4]", "2, 3 or 4"}});
  calls.push_back({name, call(x, f32({3, 4}), x), {"[2, 3, 4]", "[3, 4]"}});
  calls.push_back({name, call(x, f64({2, 3, 4}), x), {"float32", "float64"}});
  calls.push_back({name, call(i32({2, 3}), i32({2, 3}), i32({2, 3})), {"int32"}});
  calls.push_back({name, call(x, f32({3, 3, 4}), x), {"heads"}});
  calls.push_back({name, call(x, f32({2, 3, 5}), x), {"do not fit"}});
  calls.push_back({name, call(x, x, f32({2, 5, 4})), {"do not fit"}});
  calls.push_back({name, call(x, x, x, f32({4, 3})), {"mask of shape [1, 1, 4, 3]", "[1, 2, 3, 3]"}});
  calls.push_back({name, call(x, x, x, f64({3, 3})), {"float32", "float64"}});
  calls.push_back({name, call(x, x, x, f32({1, 1, 1, 3, 3})), {"more than four"}});
  calls.push_back({name, call(x, x, x, f32({3, 3}), {.is_causal = true}), {"exclude each other"}});
  calls.push_back({name, call(x, x, x, {}, {.dropout = 2}), {"dropout 2"}});
  calls.push_back({name,
                   [] {
                     apply<ops::Attention>({.packed = true}, f32({2, 3, 2, 2, 2}), Tensor(), Tensor(), Tensor());
                   },
                   {"2 parts", "expected 3"}});
}
const FamilyOfWrongCalls wrong(add_wrong);

// The fused kernels beside the composition, at sizes with whole vectors and a rest.
TEST(Attention, FusedIsTheComposedOne) {
  Numbers numbers(18);
  for (const std::int64_t target : targets()) {
    const OnTarget on(target);
    for (const std::int64_t columns : {1, 7, 16, 37, 64}) {
      for (const std::int64_t width : {5, 16, 35}) {
        for (const bool masked : {false, true}) {
          SCOPED_TRACE(std::to_string(columns) + " columns, " + std::to_string(width) + " wide");
          const auto leaf_of = [&](std::int64_t rows) {
            return numbers.tensor<float>({2, 2, rows, width}, -2, 2).set_requires_grad(true);
          };
          const Inputs x{leaf_of(19), leaf_of(columns), leaf_of(columns)};
          const Tensor mask = masked ? numbers.tensor<float>({19, columns}, -3, 3) : Tensor();
          const ops::Attention::Attributes attributes{.scale = 0.4, .causal = !masked};
          Tensor four;
          if (masked) four = mask.reshape({1, 1, 19, columns});
          const auto gradients = [&](const Tensor& out) {
            for (const Tensor& input : x) input.set_grad({});
            out.square().sum().backward();
            return Inputs{out.detach(), x[0].grad(), x[1].grad(), x[2].grad()};
          };
          const Inputs fused =
              gradients(scaled_dot_product_attention(x[0], x[1], x[2], mask, {.is_causal = !masked, .scale = 0.4}));
          const Inputs composed = gradients(ops::composed_attention(attributes, x[0], x[1], x[2], four).output);
          for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(fused[i].allclose(composed[i], 1e-4, 1e-4)) << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace feral
