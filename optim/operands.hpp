// What an update rule works on: one parameter, whole or some of its rows, with its gradient and its state.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"

namespace feral::optim {

// The most state tensors that a rule keeps of a parameter.
inline constexpr std::size_t max_states = 3;

// All pointers are to elements of `dtype` (float32 or float64). Without `rows` there is one block of `width`
// elements: the whole parameter. With `rows` block k of the gradient belongs to row rows[k] of the parameter and of
// each state; rows are unique.
struct Operands {
  DType dtype = DType::float32;
  std::byte* parameter = nullptr;       // may be written by other processes at the same time
  const std::byte* gradient = nullptr;  // private
  std::byte* states[max_states] = {};   // may be shared as the parameter
  bool shared = false;                  // the states are: others may write them at the same time
  std::size_t width = 0;
  const std::int64_t* rows = nullptr;
  std::size_t row_count = 1;
};

}  // namespace feral::optim
