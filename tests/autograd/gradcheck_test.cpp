// That gradient checking sees what is wrong: it is the judge of every op.
#include "autograd/gradcheck.hpp"

#include <gtest/gtest.h>

#include "autograd/op.hpp"
#include "tests/autograd/leaf.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using support::leaf;
using testing_support::contains;
using testing_support::error_of;

// x² with a gradient that each user writes for itself.
template <class Op>
struct SquareOf {
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x) { return {x.shape(), x.dtype(), x.device()}; }
  static void run(const Attributes&, const Tensor& out, Aux<Op>&, const Tensor& x) {
    const NoGradGuard no_grad;
    out.copy_(x * x);
  }
};

struct Square : SquareOf<Square> {
  static constexpr std::string_view name = "test_right_square";
  static Gradients<1> gradient(const Saved<Square>& saved, const Tensor& gradient) {
    return {gradient * saved.input(0) * 2.0};
  }
};

struct WrongSquare : SquareOf<WrongSquare> {
  static constexpr std::string_view name = "test_wrong_square";
  static Gradients<1> gradient(const Saved<WrongSquare>& saved, const Tensor& gradient) {
    return {gradient * saved.input(0)};  // the factor 2 is missing
  }
};

// Right at first order, and flat where its gradient is not.
struct SquareOfDetachedGradient : SquareOf<SquareOfDetachedGradient> {
  static constexpr std::string_view name = "test_square_of_detached_gradient";
  static Gradients<1> gradient(const Saved<SquareOfDetachedGradient>& saved, const Tensor& gradient) {
    return {gradient * saved.input(0).detach() * 2.0};
  }
};

template <class Op>
Tensor call(const std::vector<Tensor>& x) {
  return apply<Op>({}, x[0]);
}

TEST(Gradcheck, SeesAWrongGradientAndSaysWhere) {
  const std::string message = gradcheck(call<WrongSquare>, {leaf({0, -2, 3})});
  EXPECT_TRUE(contains(message, "input 0 element 1")) << message;
}

TEST(Gradcheck, SeesAWrongGradientOfTheGradient) {
  EXPECT_EQ(gradcheck(call<SquareOfDetachedGradient>, {leaf({1, -2, 3})}), "");
  // The product with the input keeps the first gradient on the tape.
  const auto function = [](const std::vector<Tensor>& x) { return call<SquareOfDetachedGradient>(x) * x[0]; };
  EXPECT_TRUE(contains(gradgradcheck(function, {leaf({1, -2, 3})}), "finite difference"));
  const auto right = [](const std::vector<Tensor>& x) { return call<Square>(x) * x[0]; };
  EXPECT_EQ(gradgradcheck(right, {leaf({1, -2, 3})}), "");
}

TEST(Gradcheck, SeesErrorsThatAPlainSumWouldCancel) {
  // A gradient that is handed to the neighbour: its sum is right.
  const auto function = [](const std::vector<Tensor>& x) {
    const NoGradGuard no_grad;
    const Tensor turned = Tensor::from_vector<double>({x[0].data<double>()[1], x[0].data<double>()[0]}, {2});
    const GradModeGuard record(true);
    return x[0] + (turned - x[0].detach());
  };
  EXPECT_NE(gradcheck(function, {leaf({1, 2})}), "");
}

TEST(Gradcheck, SeesANaN) {
  const auto function = [](const std::vector<Tensor>& x) { return (x[0] - x[0]) / (x[0] - x[0]); };
  EXPECT_NE(gradcheck(function, {leaf({1})}), "");
}

TEST(Gradcheck, LooksAtEveryInputThatRequiresAGradient) {
  const auto function = [](const std::vector<Tensor>& x) { return x[0] * call<WrongSquare>({x[1]}); };
  EXPECT_TRUE(contains(gradcheck(function, {leaf({1, 2}), leaf({3, 4})}), "input 1 element 0"));
  const Tensor constant = Tensor::from_vector<double>({3, 4}, {2});
  EXPECT_EQ(gradcheck(function, {leaf({1, 2}), constant}), "");
}

TEST(Gradcheck, RestoresTheInputsAndLeavesNoGradient) {
  const Tensor x = leaf({1, -2, 3});
  gradcheck(call<Square>, {x});
  gradgradcheck(call<Square>, {x});
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{1, -2, 3}));
  EXPECT_FALSE(x.grad().defined());
  EXPECT_TRUE(GradMode::enabled());
}

TEST(Gradcheck, RefusesInputsItCannotStepThrough) {
  const auto function = [](const std::vector<Tensor>& x) { return x[0].sum(); };
  Tensor single = Tensor::ones({2});
  single.set_requires_grad(true);
  EXPECT_TRUE(contains(error_of([&] { gradcheck(function, {single}); }), "float32"));
  Tensor turned = Tensor::ones({2, 3}, DType::float64).transpose(0, 1);
  turned.set_requires_grad(true);
  EXPECT_TRUE(contains(error_of([&] { gradcheck(function, {turned}); }), "not contiguous"));
}

}  // namespace
}  // namespace feral
