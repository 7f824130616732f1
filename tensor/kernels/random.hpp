// Kernels that draw from Philox streams by position.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct DropoutDraw {
  float probability = 0.5F;  // of an element, or a group, to become 0; the others are scaled by 1 / (1 - p)
  std::int64_t group = 1;    // that many consecutive elements share one draw
  std::uint64_t seed = 0;    // position in the Philox streams
  std::uint64_t stream = 0;
  std::uint64_t first_block = 0;
};

struct RandomKernels {
  // out = x with elements dropped as `draw` says; contiguous.
  void (*dropout)(const Tensor& out, const Tensor& x, const DropoutDraw& draw);
  // Fills a contiguous floating tensor with uniform numbers in [low, high).
  void (*uniform)(const Tensor& out, double low, double high, std::uint64_t seed, std::uint64_t stream,
                  std::uint64_t first_block);
};

}  // namespace feral
