// What few tensors have: hooks on their gradient, sparse gradients.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral {

struct GradientExtras {
  struct Hook {
    std::size_t number;
    std::function<Tensor(const Tensor&)> function;
  };
  std::vector<Hook> hooks;
  std::size_t next_number = 1;
  SparseGradient sparse;
};

}  // namespace feral
