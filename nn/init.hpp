// Initial values for parameters.
#pragma once

#include "tensor/generator.hpp"
#include "tensor/tensor.hpp"

namespace feral::nn::init {

// Fills with uniform numbers between low and high.
void uniform_(const Tensor& tensor, double low, double high, Generator& generator = default_generator());

// What PyTorch gives the weight and bias of Linear and Conv2d: uniform within ±1/√fan_in (its
// kaiming_uniform_ with a = √5; He et al., "Delving deep into rectifiers", 2015).
void fan_in_uniform_(const Tensor& tensor, std::int64_t fan_in, Generator& generator = default_generator());

}  // namespace feral::nn::init
