// Inputs with or without a batch dimension.
#pragma once

#include "tensor/tensor.hpp"

namespace feral::nn {

// function(x); for an x of `dims` dimensions, one less than a batch has, function of a batch of one.
template <class Function>
Tensor batched(const Tensor& x, int dims, const Function& function) {
  if (!x.defined() || x.dims() != dims) return function(x);
  return function(x.unsqueeze(0)).squeeze(0);
}

}  // namespace feral::nn
