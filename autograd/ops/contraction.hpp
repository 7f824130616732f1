// Tensors whose dimensions have labels, and the product of two of them.
#pragma once

#include <string>
#include <string_view>

#include "tensor/tensor.hpp"

namespace feral::ops {

// One label a dimension, none twice.
struct Labelled {
  Tensor tensor;
  std::string labels;
};

// Without the dimensions whose label does not stand in `keep`: summed.
Labelled summed(const Labelled& x, std::string_view keep);

// `x` with its dimensions in the order of `labels`, the same ones.
Tensor in_order(const Labelled& x, std::string_view labels);

// The product of a and b, summed over the labels that do not stand in `keep`. A dimension that both have has one
// size, or size 1 in one of them. The result's labels: those of both, those of a, those of b.
Labelled contract(Labelled a, Labelled b, std::string_view keep);

}  // namespace feral::ops
