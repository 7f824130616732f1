// Wrong calls of ops: what each must say, and where families of ops hand in theirs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/tensor/operands.hpp"

namespace feral::testing_support {

struct WrongCall {
  std::string op;
  std::function<void()> call;
  std::vector<std::string> parts;  // of the message, beside the op's name
};

inline Tensor f32(const Shape& shape) { return Tensor::ones(shape); }
inline Tensor f64(const Shape& shape) { return Tensor::ones(shape, DType::float64); }
inline Tensor i32(const Shape& shape) { return Tensor::ones(shape, DType::int32); }
inline Tensor u8(const Shape& shape) { return Tensor::zeros(shape, DType::uint8); }
inline Tensor labels(const std::vector<std::int64_t>& values) {
  return Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())});
}

inline constexpr std::int64_t two_to_40 = std::int64_t{1} << 40;

using AddWrongCalls = void (*)(std::vector<WrongCall>&);
inline std::vector<AddWrongCalls>& wrong_call_families() {
  static std::vector<AddWrongCalls> families;
  return families;
}

// A family's test file hands its calls in: `const FamilyOfWrongCalls family(add_sorting);` at namespace scope. They
// are run by ops_errors_test.cpp.
struct FamilyOfWrongCalls {
  explicit FamilyOfWrongCalls(AddWrongCalls add) { wrong_call_families().push_back(add); }
};

}  // namespace feral::testing_support
