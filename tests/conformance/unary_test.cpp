// Functions of one element, classification, conversion, copies: against PyTorch and mpmath.
#include <gtest/gtest.h>

#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

std::vector<Op> functions() {
  return {
      unary("exp", &Tensor::exp),          unary("exp2", &Tensor::exp2),
      unary("expm1", &Tensor::expm1),      unary("log", &Tensor::log),
      unary("log2", &Tensor::log2),        unary("log10", &Tensor::log10),
      unary("log1p", &Tensor::log1p),      unary("sqrt", &Tensor::sqrt),
      unary("rsqrt", &Tensor::rsqrt),      unary("reciprocal", &Tensor::reciprocal),
      unary("sin", &Tensor::sin),          unary("cos", &Tensor::cos),
      unary("tan", &Tensor::tan),          unary("asin", &Tensor::asin),
      unary("acos", &Tensor::acos),        unary("atan", &Tensor::atan),
      unary("sinh", &Tensor::sinh),        unary("cosh", &Tensor::cosh),
      unary("tanh", &Tensor::tanh),        unary("asinh", &Tensor::asinh),
      unary("acosh", &Tensor::acosh),      unary("atanh", &Tensor::atanh),
      unary("sigmoid", &Tensor::sigmoid),  unary("softplus", &Tensor::softplus),
      unary("erf", &Tensor::erf),          unary("erfc", &Tensor::erfc),
      unary("neg", &Tensor::neg, numbers), unary("abs", &Tensor::abs),
      unary("sign", &Tensor::sign),        unary("square", &Tensor::square, numbers),
      unary("floor", &Tensor::floor),      unary("ceil", &Tensor::ceil),
      unary("trunc", &Tensor::trunc),      unary("round", &Tensor::round),
      unary("relu", &Tensor::relu),
  };
}

std::vector<Op> special_functions() {
  return {
      unary("erfinv", &Tensor::erfinv),
      unary("lgamma", &Tensor::lgamma),
      unary("digamma", &Tensor::digamma),
      unary("logit", &Tensor::logit),
      unary("logsigmoid", &Tensor::logsigmoid, all_floats),
      unary("sinc", &Tensor::sinc),
      unary("silu", &Tensor::silu, all_floats),
      unary("mish", &Tensor::mish, all_floats),
      unary("frac", &Tensor::frac),
      unary("deg2rad", &Tensor::deg2rad),
      unary("rad2deg", &Tensor::rad2deg),
      op("gelu", all_floats, any_layout, [](const Call& c) { return c[0].gelu(c.flag("tanh")); }),
      op("elu", all_floats, any_layout, [](const Call& c) { return c[0].elu(c.number("alpha", 1)); }),
      op("leaky_relu", all_floats, any_layout,
         [](const Call& c) { return c[0].leaky_relu(c.number("slope", 0.01)); }),
      op("hardtanh", all_floats + signed_integers, any_layout,
         [](const Call& c) { return c[0].hardtanh(c.number("low", -1), c.number("high", 1)); }),
      op("nan_to_num", all_types, any_layout,
         [](const Call& c) {
           if (!c.has("positive")) return c[0].nan_to_num(c.number("nan", 0));
           return c[0].nan_to_num(c.number("nan"), c.number("positive"), c.number("negative"));
         }),
  };
}

std::vector<Op> predicates() {
  return {
      unary("isnan", &Tensor::isnan, all_types, {"isnan"}),
      unary("isinf", &Tensor::isinf, all_types, {"isinf"}),
      unary("isfinite", &Tensor::isfinite, all_types, {"isfinite"}),
      unary("signbit", &Tensor::signbit, all_types, {"signbit"}),
      unary("logical_not", &Tensor::logical_not, all_types),
      unary("bitwise_not", &Tensor::bitwise_not, integers + boolean),
  };
}

std::vector<Op> copies() {
  return {
      op("to", all_types, any_layout, [](const Call& c) { return c[0].to(dtype_named(c.text("type"))); }),
      unary("clone", &Tensor::clone),
      unary("contiguous", &Tensor::contiguous),
      unary("detach", &Tensor::detach),
      unary("positive", &Tensor::positive),
  };
}

const FamilyOfOps functions_family("unary", functions());
const FamilyOfOps special_functions_family("unary", special_functions());
const FamilyOfOps predicates_family("unary", predicates());
const FamilyOfOps copies_family("unary", copies());

TEST(Conformance, Unary) { check_family("unary"); }

}  // namespace
}  // namespace feral::conformance
