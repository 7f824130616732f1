// Scaled dot-product attention.
#pragma once

#include "tensor/kernels/random.hpp"
#include "tensor/tensor.hpp"

namespace feral {

// One head's matrices in the last two dimensions of [b, h, rows, columns], of any strides but 1 in the last one;
// one type, float32 or float64. The weights are contiguous.
struct AttentionTensors {
  Tensor query;    // [b, h, l, d]
  Tensor key;      // [b, h, s, d]
  Tensor value;    // [b, h, s, e]
  Tensor mask;     // [b, h, l, s] of any strides, added to the scores; or undefined
  Tensor weights;  // [b, h, l, s]: softmax(scale × query × keyᵀ + mask); 0 in rows where every score is -inf
  double scale = 1;
  bool causal = false;                   // row i sees the first i + 1 columns
  const DropoutDraw* dropout = nullptr;  // of the weights, before they meet the values; null: none
};

struct AttentionGradients {
  Tensor query, key, value;  // out, of the strides that the inputs may have
};

struct AttentionKernels {
  // out [b, h, l, e], of any strides but 1 in the last one. Writes weights, too, where they are defined.
  void (*attention)(const Tensor& out, const AttentionTensors& tensors);
  // `gradient` is laid out as `out` may be; the weights are what attention() has left.
  void (*attention_backward)(const AttentionGradients& out, const AttentionTensors& tensors,
                             const Tensor& gradient);
};

}  // namespace feral
