// Functions with a gradient of one's own.
#include "autograd/function.hpp"

#include <gtest/gtest.h>

#include "autograd/grad_mode.hpp"
#include "autograd/gradcheck.hpp"
#include "tensor/allocator.hpp"
#include "tests/autograd/leaf.hpp"
#include "tests/support/messages.hpp"

namespace feral::autograd {
namespace {

using support::error_of;
using support::has;
using support::leaf;
using Tensors = std::vector<Tensor>;

Tensor off_tape(const std::function<Tensor()>& compute) {
  const NoGradGuard guard;
  return compute();
}

Tensor product(const Tensor& a, const Tensor& b) {
  return custom_function("product", off_tape([&] { return a * b; }), {a, b}, [a, b](const Tensor& g) {
    return Tensors{g * b, g * a};
  });
}

TEST(CustomFunction, PassesBothChecks) {
  const auto function = [](const Tensors& in) { return product(in[0], in[1]) * in[0]; };
  EXPECT_EQ(gradcheck(function, {leaf({1, 2}), leaf({3, -1})}), "");
  EXPECT_EQ(gradgradcheck(function, {leaf({1, 2}), leaf({3, -1})}), "");
}

TEST(CustomFunction, HasTheGradientItIsGivenNotTheTrueOne) {
  const Tensor x = leaf({-2, 3});
  // Straight-through: the sign forward, the identity backward.
  const Tensor y = custom_function("straight", off_tape([&] { return x.sign(); }), {x},
                                   [](const Tensor& g) { return Tensors{g}; });
  y.sum().backward();
  EXPECT_EQ(y.to_vector<double>(), (std::vector<double>{-1, 1}));
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{1, 1}));
}

TEST(CustomFunction, IsNotRecordedWithoutNeed) {
  const Tensor plain = Tensor::ones({2}, DType::float64);
  EXPECT_FALSE(product(plain, plain).requires_grad());
  const NoGradGuard guard;
  EXPECT_FALSE(product(leaf({1}), leaf({1})).requires_grad());
}

TEST(CustomFunction, LeaksNothing) {
  const auto run = [] { product(leaf({1, 2}), leaf({3, 4})).sum().backward(); };
  run();
  const std::int64_t before = allocator_statistics().live_bytes;
  run();
  EXPECT_EQ(allocator_statistics().live_bytes, before);
}

TEST(CustomFunction, SaysWhatItsGradientGotWrong) {
  const Tensor x = leaf({1, 2});
  const auto with = [&](std::function<Tensors(const Tensor&)> backward) {
    return error_of([&] {
      custom_function("mine", off_tape([&] { return x * 2; }), {x}, std::move(backward)).sum().backward();
    });
  };
  EXPECT_TRUE(has(with([](const Tensor&) { return Tensors{}; }), {"'mine'", "0 gradients for 1"}));
  EXPECT_TRUE(has(with([](const Tensor& g) { return Tensors{g.sum()}; }), {"'mine'", "[]", "[2]"}));
  EXPECT_TRUE(
      has(with([](const Tensor& g) { return Tensors{g.to(DType::float32)}; }), {"'mine'", "float32", "float64"}));
  EXPECT_TRUE(
      has(error_of([&] { custom_function("mine", x * 2, {x}, [](const Tensor& g) { return Tensors{g}; }); }),
          {"mine: ", "NoGradGuard"}));
  EXPECT_TRUE(has(with({}), {"mine: ", "empty"}));
  EXPECT_EQ(with([](const Tensor& g) { return Tensors{g}; }), "");
}

}  // namespace
}  // namespace feral::autograd
