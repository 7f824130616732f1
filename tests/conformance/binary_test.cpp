// Functions of two and three elements, comparisons, operations with a number: against PyTorch and mpmath.
#include <gtest/gtest.h>

#include "autograd/ops/choice.hpp"
#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

std::vector<Op> arithmetic() {
  return {
      binary("add", &Tensor::add),
      binary("sub", &Tensor::sub, numbers),
      binary("mul", &Tensor::mul),
      binary("div", &Tensor::div),
      binary("maximum", &Tensor::maximum),
      binary("minimum", &Tensor::minimum),
      binary("pow", &Tensor::pow, numbers),
      binary("atan2", &Tensor::atan2),
      binary("hypot", &Tensor::hypot),
      binary("fmod", &Tensor::fmod, numbers),
      binary("remainder", &Tensor::remainder, numbers),
      binary("logaddexp", &Tensor::logaddexp),
      binary("eq", &Tensor::eq, all_types, {"eq"}),
      binary("ne", &Tensor::ne, all_types, {"ne"}),
      binary("lt", &Tensor::lt, all_types, {"lt"}),
      binary("le", &Tensor::le, all_types, {"le"}),
      binary("gt", &Tensor::gt),
      binary("ge", &Tensor::ge),
  };
}

std::vector<Op> more_arithmetic() {
  return {
      binary("logaddexp2", &Tensor::logaddexp2),
      binary("xlogy", &Tensor::xlogy),
      binary("copysign", &Tensor::copysign),
      binary("nextafter", &Tensor::nextafter, floats, {"nextafter"}),
      binary("floor_divide", &Tensor::floor_divide, numbers, {"floor_divide"}),
      binary("logical_and", &Tensor::logical_and),
      binary("logical_or", &Tensor::logical_or),
      binary("logical_xor", &Tensor::logical_xor),
      binary("bitwise_and", &Tensor::bitwise_and, integers + boolean, {"bitwise_and"}),
      binary("bitwise_or", &Tensor::bitwise_or, integers + boolean, {"bitwise_or"}),
      binary("bitwise_xor", &Tensor::bitwise_xor, integers + boolean, {"bitwise_xor"}),
      binary("bitwise_left_shift", &Tensor::bitwise_left_shift, integers, {"bitwise_left_shift"}),
      binary("bitwise_right_shift", &Tensor::bitwise_right_shift, integers, {"bitwise_right_shift"}),
      binary("gcd", &Tensor::gcd, integers, {"gcd"}),
      binary("lcm", &Tensor::lcm, integers, {"lcm"}),
      op("isclose", all_types, any_layout,
         [](const Call& c) {
           return c[0].isclose(c[1], c.number("rtol", 1e-5), c.number("atol", 1e-8), c.flag("equal_nan"));
         },
         {"isclose"}),
      op("allclose", all_types, any_layout,
         [](const Call& c) {
           return truth(c[0].allclose(c[1], c.number("rtol", 1e-5), c.number("atol", 1e-8), c.flag("equal_nan")));
         }),
      op("equal", all_types, any_layout, [](const Call& c) { return truth(c[0].equal(c[1])); }),
  };
}

std::vector<Op> with_numbers() {
  return {
      with_number("add_number", &Tensor::add, numbers),
      with_number("sub_number", &Tensor::sub, numbers),
      with_number("rsub_number", &Tensor::rsub, numbers),
      with_number("mul_number", &Tensor::mul, numbers),
      with_number("div_number", &Tensor::div, numbers),
      with_number("rdiv_number", &Tensor::rdiv, numbers),
      with_number("pow_number", &Tensor::pow, numbers),
      with_number("eq_number", &Tensor::eq),
      with_number("ne_number", &Tensor::ne),
      with_number("lt_number", &Tensor::lt),
      with_number("le_number", &Tensor::le),
      with_number("gt_number", &Tensor::gt),
      with_number("ge_number", &Tensor::ge),
      op("clamp", numbers, any_layout, [](const Call& c) { return c[0].clamp(c.scalar("low"), c.scalar("high")); }),
      with_number("fmod_number", &Tensor::fmod, numbers),
      with_number("remainder_number", &Tensor::remainder, numbers),
      with_number("floor_divide_number", &Tensor::floor_divide, numbers),
      with_number("clamp_min", &Tensor::clamp_min, numbers),
      with_number("clamp_max", &Tensor::clamp_max, numbers),
      op("affine", floats, any_layout,
         [](const Call& c) { return c[0].affine(c.number("scale"), c.number("shift")); }),
  };
}

std::vector<Op> choices() {
  return {
      op("where", all_types, any_layout, [](const Call& c) { return where(c[0], c[1], c[2]); }),
      op("lerp", all_floats, any_layout,
         [](const Call& c) {
           return c.has("weight") ? c[0].lerp(c[1], c.scalar("weight")) : c[0].lerp(c[1], c[2]);
         }),
      op("addcmul", numbers, any_layout, [](const Call& c) { return c[0].addcmul(c[1], c[2], c.number("value")); }),
      op("addcdiv", all_floats, any_layout,
         [](const Call& c) { return c[0].addcdiv(c[1], c[2], c.number("value")); }),
  };
}

const FamilyOfOps arithmetic_family("binary", arithmetic());
const FamilyOfOps more_arithmetic_family("binary", more_arithmetic());
const FamilyOfOps with_numbers_family("binary", with_numbers());
const FamilyOfOps choices_family("binary", choices());

TEST(Conformance, Binary) { check_family("binary"); }

}  // namespace
}  // namespace feral::conformance
