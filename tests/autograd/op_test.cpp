// An op defined outside of the library, through autograd/op.hpp alone.
#include "autograd/op.hpp"

#include <gtest/gtest.h>

#include "autograd/gradcheck.hpp"
#include "autograd/ops/check.hpp"
#include "autograd/ops/registry.hpp"
#include "tests/autograd/leaf.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using support::leaf;
using testing_support::contains;
using testing_support::error_of;

// x² with the output scaled by an attribute.
struct Square {
  static constexpr std::string_view name = "test_square";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {
    double scale = 1;
  };
  static Result infer(const Attributes&, const Tensor& x) {
    ops::check_floating(name, x);
    return {x.shape(), x.dtype(), x.device()};
  }
  static void run(const Attributes& attributes, const Tensor& out, Aux<Square>&, const Tensor& x) {
    const NoGradGuard no_grad;
    out.copy_(x * x * attributes.scale);
  }
  static Gradients<1> gradient(const Saved<Square>& saved, const Tensor& gradient) {
    return {gradient * saved.input(0) * (2 * saved.attributes().scale)};
  }
};

// The remainder of x / 2 left aside by run() for the way back, and counted.
int aux_computed = 0;
struct WithAux {
  static constexpr std::string_view name = "test_with_aux";
  static constexpr int arity = 1;
  static constexpr int aux = 1;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x) { return {x.shape(), x.dtype(), x.device()}; }
  static void run(const Attributes&, const Tensor& out, Aux<WithAux>& left, const Tensor& x) {
    const NoGradGuard no_grad;
    out.copy_(x * 3.0);
    if (!left.wanted) return;
    ++aux_computed;
    left[0] = Tensor::full(x.shape(), 3, x.dtype());
  }
  static Gradients<1> gradient(const Saved<WithAux>& saved, const Tensor& gradient) {
    return {gradient * saved.aux(0)};
  }
};

TEST(OpOutside, IsRecordedAndPassesBothChecks) {
  const Tensor x = leaf({1, -2, 3});
  const Tensor y = apply<Square>({.scale = 0.5}, x);
  EXPECT_TRUE(y.requires_grad());
  EXPECT_EQ(y.to_vector<double>(), (std::vector<double>{0.5, 2, 4.5}));
  EXPECT_EQ(node_of(y)->op->name, "test_square");
  y.sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{1, -2, 3}));
  const auto square = [](const std::vector<Tensor>& inputs) { return apply<Square>({.scale = 0.5}, inputs[0]); };
  EXPECT_EQ(gradcheck(square, {leaf({1, -2, 3})}), "");
  EXPECT_EQ(gradgradcheck(square, {leaf({1, -2, 3})}), "");
}

TEST(OpOutside, IsNotInTheLibrarysRegistry) {
  for (const OpInfo* op : all_ops()) EXPECT_NE(op->name, Square::name);
}

TEST(OpOutside, IsNotRecordedWithoutNeed) {
  EXPECT_FALSE(apply<Square>({}, Tensor::ones({2})).requires_grad());
  const NoGradGuard no_grad;
  EXPECT_FALSE(apply<Square>({}, leaf({1})).requires_grad());
}

TEST(OpOutside, LeavesAuxiliaryTensorsOnlyForTheWayBack) {
  aux_computed = 0;
  apply<WithAux>({}, Tensor::ones({2}));
  EXPECT_EQ(aux_computed, 0);
  const Tensor x = leaf({1, 2});
  apply<WithAux>({}, x).sum().backward();
  EXPECT_EQ(aux_computed, 1);
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{3, 3}));
}

TEST(OpOutside, NamesItselfWhenItsInputIsWrong) {
  const std::string message = error_of([] { apply<Square>({}, Tensor::ones({2}, DType::int32)); });
  EXPECT_TRUE(contains(message, "test_square")) << message;
  EXPECT_TRUE(contains(message, "int32")) << message;
}

}  // namespace
}  // namespace feral
