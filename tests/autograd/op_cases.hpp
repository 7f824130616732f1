// Gradient checks of ops: what a case is, the leaves it is made of, and where families of ops hand in theirs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/gradcheck.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::testing_support {

using Inputs = std::vector<Tensor>;

struct OpCase {
  std::string op;      // the registry's name
  std::string detail;  // what is special about this case
  std::function<Tensor(const Inputs&)> function;
  Inputs inputs;  // float64 leaves that require a gradient
  GradcheckOptions options = {};
  bool twice = true;  // false: the gradient has none itself, and must say so
};

// What the leaves are made of; set back before the cases are made.
inline Numbers numbers(71);

inline Tensor leaf(const Shape& shape, double low = -2, double high = 2) {
  return numbers.tensor<double>(shape, low, high).set_requires_grad(true);
}

// Away from 0 by at least 0.5, of either sign: no kink of relu, no pole of a division within reach.
inline Tensor leaf_away_from_zero(const Shape& shape) {
  Tensor tensor = numbers.tensor<double>(shape, 0.5, 2);
  for (std::int64_t i = 0; i < tensor.numel(); i += 2) tensor.data<double>()[i] *= -1;
  return tensor.set_requires_grad(true);
}

// All elements at least 0.01 apart, in no order: no ties within reach.
inline Tensor leaf_without_ties(const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DType::float64);
  const std::int64_t n = tensor.numel();
  for (std::int64_t i = 0; i < n; ++i)
    tensor.data<double>()[i] = 0.01 * static_cast<double>(i * 37 % 101 + i / 101);
  return tensor.set_requires_grad(true);
}

// A view that is not contiguous, with every element of x.
inline Tensor turned(const Tensor& x) { return x.transpose(0, 1); }

using AddOpCases = void (*)(std::vector<OpCase>&);
inline std::vector<AddOpCases>& op_case_families() {
  static std::vector<AddOpCases> families;
  return families;
}

// A family's test file hands its cases in: `const FamilyOfOpCases family(add_sorting);` at namespace scope. They
// are run by ops_gradcheck_test.cpp.
struct FamilyOfOpCases {
  explicit FamilyOfOpCases(AddOpCases add) { op_case_families().push_back(add); }
};

}  // namespace feral::testing_support
