// Adding a row of numbers to another, compiled for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"

namespace feral::cpu {

// out[i] += scale * x[i] for n contiguous elements; x may be a live shared parameter.
using AddRow = void (*)(std::byte* out, const std::byte* x, std::int64_t n, double scale);

// Null for types other than float32 and float64.
AddRow pick_add_row(DType dtype);

}  // namespace feral::cpu
