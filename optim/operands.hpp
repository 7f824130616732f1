// What an update rule works on: one parameter, whole or some of its rows, with its gradient and its state.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"

namespace feral::optim {

// The most state tensors that a rule keeps of a parameter.
inline constexpr std::size_t max_states = 3;

// Looks at how many updates of a parameter's elements are lost (docs/hogwild-meters.md): every `spacing`-th element
// of a metered update is stored by an atomic exchange. When what comes out is not, bit for bit, what the update had
// read, somebody has stored in between, and that store is overwritten: lost. The other elements are stored as ever,
// so that the time between reading and storing stays what it is. Private to the worker.
struct UpdateMeter {
  std::size_t spacing = 1;    // 1: every element
  std::size_t next = 0;       // how many elements come before the next one to look at
  std::uint64_t metered = 0;  // elements looked at
  std::uint64_t lost = 0;     // of them, those where the update of somebody else was overwritten
};

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
  UpdateMeter* meter = nullptr;  // none: this update is not metered
};

}  // namespace feral::optim
