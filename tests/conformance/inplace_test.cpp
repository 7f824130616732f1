// In-place forms, in the operand's own memory and with operands that overlap it: against PyTorch. That nothing is
// written beside the elements is checked by the suite.
#include <gtest/gtest.h>

#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

const std::vector<std::string> own = {"contiguous", "transposed", "stepped", "empty", "0-dim"};

Op number(const std::string& name, InPlaceScalar method, std::vector<DType> types) {
  return of_method(name + "_", in_place(name + "_number_", method, std::move(types)));
}

std::vector<Op> of_two() {
  return {
      in_place("add_", InPlace1(&Tensor::add_), all_types),
      in_place("sub_", InPlace1(&Tensor::sub_), numbers),
      in_place("mul_", InPlace1(&Tensor::mul_), all_types),
      in_place("div_", InPlace1(&Tensor::div_), all_floats),
      in_place("pow_", InPlace1(&Tensor::pow_), all_floats),
      in_place("fmod_", InPlace1(&Tensor::fmod_), all_floats),
      in_place("remainder_", InPlace1(&Tensor::remainder_), all_floats),
      in_place("maximum_", InPlace1(&Tensor::maximum_), all_types),
      in_place("minimum_", InPlace1(&Tensor::minimum_), all_types),
      in_place("bitwise_and_", InPlace1(&Tensor::bitwise_and_), integers + boolean),
      in_place("bitwise_or_", InPlace1(&Tensor::bitwise_or_), integers + boolean),
      in_place("bitwise_xor_", InPlace1(&Tensor::bitwise_xor_), integers + boolean),
      in_place("copy_", InPlace1(&Tensor::copy_), all_types),
      number("add", InPlaceScalar(&Tensor::add_), numbers),
      number("sub", InPlaceScalar(&Tensor::sub_), numbers),
      number("mul", InPlaceScalar(&Tensor::mul_), numbers),
      number("div", InPlaceScalar(&Tensor::div_), all_floats),
      number("pow", InPlaceScalar(&Tensor::pow_), all_floats),
      writing("clamp_", numbers, own,
              [](const Call& c) { return Tensor(c[0].clamp_(c.scalar("low"), c.scalar("high"))); }),
      writing("lerp_", all_floats, any_layout,
              [](const Call& c) { return Tensor(c[0].lerp_(c[1], c.scalar("weight"))); }),
  };
}

std::vector<Op> of_one() {
  return {
      in_place("neg_", &Tensor::neg_, numbers),        in_place("abs_", &Tensor::abs_, numbers),
      in_place("sign_", &Tensor::sign_, numbers),      in_place("square_", &Tensor::square_, numbers),
      in_place("floor_", &Tensor::floor_, numbers),    in_place("ceil_", &Tensor::ceil_, numbers),
      in_place("trunc_", &Tensor::trunc_, numbers),    in_place("round_", &Tensor::round_, numbers),
      in_place("relu_", &Tensor::relu_, numbers),      in_place("exp_", &Tensor::exp_, all_floats),
      in_place("log_", &Tensor::log_, all_floats),     in_place("sqrt_", &Tensor::sqrt_, all_floats),
      in_place("rsqrt_", &Tensor::rsqrt_, all_floats), in_place("reciprocal_", &Tensor::reciprocal_, all_floats),
      in_place("sin_", &Tensor::sin_, all_floats),     in_place("cos_", &Tensor::cos_, all_floats),
      in_place("tanh_", &Tensor::tanh_, all_floats),   in_place("sigmoid_", &Tensor::sigmoid_, all_floats),
      in_place("erf_", &Tensor::erf_, all_floats),
  };
}

std::vector<Op> filling() {
  return {
      in_place("zero_", &Tensor::zero_, all_types),
      writing("fill_", all_types, own, [](const Call& c) { return Tensor(c[0].fill_(c.number("number"))); }),
      writing("nan_to_num_", all_types, own, [](const Call& c) { return Tensor(c[0].nan_to_num_()); }),
      writing("masked_fill_", all_types, own,
              [](const Call& c) { return Tensor(c[0].masked_fill_(c[1], c.scalar("number"))); }),
      writing("masked_scatter_", all_types, own,
              [](const Call& c) { return Tensor(c[0].masked_scatter_(c[1], c[2])); }),
  };
}

const FamilyOfOps of_two_family("inplace", of_two());
const FamilyOfOps of_one_family("inplace", of_one());
const FamilyOfOps filling_family("inplace", filling());

TEST(Conformance, InPlace) { check_family("inplace"); }

}  // namespace
}  // namespace feral::conformance
