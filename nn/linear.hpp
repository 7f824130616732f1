// Fully connected layer.
#pragma once

#include <cstdint>
#include <string>

#include "nn/module.hpp"

namespace feral::nn {

// x [n, in] → x × weightᵀ + bias [n, out]. Parameters: weight [out, in], bias [out].
class Linear : public Module {
 public:
  Linear(std::int64_t in_features, std::int64_t out_features, bool bias = true);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

  Tensor weight;
  Tensor bias;  // undefined without one
};

}  // namespace feral::nn
