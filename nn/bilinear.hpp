// A layer of two inputs.
#pragma once

#include <cstdint>
#include <string>

#include "nn/module.hpp"

namespace feral::nn {

// x1 [..., in1], x2 [..., in2] → x1ᵀ weight x2 + bias [..., out]. Parameters: weight [out, in1, in2], bias [out].
class Bilinear : public Module {
 public:
  Bilinear(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features, bool bias = true);
  using Module::forward;
  Tensor forward(const Tensor& x1, const Tensor& x2);
  std::string extra_repr() const override;

  Tensor weight;
  Tensor bias;  // undefined without one
};

}  // namespace feral::nn
