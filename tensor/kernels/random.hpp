// Kernels that draw from Philox streams by position: the result does not depend on who computes it.
#pragma once

#include <cstdint>

#include "tensor/philox.hpp"
#include "tensor/tensor.hpp"

namespace feral {

struct DropoutDraw {
  float probability = 0.5F;  // of an element, or a group, to become 0; the others are scaled by 1 / (1 - p)
  std::int64_t group = 1;    // that many consecutive elements share one draw
  PhiloxPosition position = {};
};

// Element i of a fill reads `words_an_element` words from word i * words_an_element on.
struct RandomKernels {
  // out = x with elements dropped as `draw` says; contiguous.
  void (*dropout)(const Tensor& out, const Tensor& x, const DropoutDraw& draw);

  // Fills of a contiguous tensor. Float32 and float64; one word an element of float32, two of float64.
  void (*uniform)(const Tensor& out, double low, double high, PhiloxPosition position);  // [low, high)
  // Box and Muller's: elements 2i and 2i + 1 are made of the words of both.
  void (*normal)(const Tensor& out, double mean, double std, PhiloxPosition position);
  void (*exponential)(const Tensor& out, double rate, PhiloxPosition position);
  // Two words an element, whatever the type; by inversion of the distribution function.
  void (*truncated_normal)(const Tensor& out, double mean, double std, double low, double high,
                           PhiloxPosition position);

  // Any type. One word an element: 1 with the probability, 0 otherwise.
  void (*bernoulli)(const Tensor& out, double probability, PhiloxPosition position);
  // Two words an element: low, low + 1, … low + count - 1 (count 0: 2^64). All fit into the type.
  void (*integers)(const Tensor& out, std::int64_t low, std::uint64_t count, PhiloxPosition position);
  // out int64 [n]: 0 … n - 1 shuffled by Fisher and Yates; position i, from the last down, reads two words.
  void (*permutation)(const Tensor& out, PhiloxPosition position);
  // out int64 [rows, samples] of columns of weights [rows, n], checked by the caller. Two words for each sample
  // with replacement; without, two for each weight (the race of Efraimidis and Spirakis, "Weighted random sampling
  // with a reservoir", 2006: the smallest exponential(weight) numbers win, in order).
  void (*multinomial)(const Tensor& out, const Tensor& weights, bool replacement, PhiloxPosition position);
};

}  // namespace feral
