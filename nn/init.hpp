// Initial values for parameters: PyTorch's torch.nn.init. Each fills a contiguous floating tensor in place, unseen
// by the tape (a parameter that requires a gradient may be filled, too), and throws feral::Error, naming itself,
// for one that it cannot fill.
#pragma once

#include <cstdint>
#include <string_view>

#include "tensor/generator.hpp"
#include "tensor/tensor.hpp"

namespace feral::nn::init {

void uniform_(const Tensor& tensor, double low = 0, double high = 1, Generator& generator = default_generator());
void normal_(const Tensor& tensor, double mean = 0, double std = 1, Generator& generator = default_generator());
// Normal numbers, those outside of [low, high] drawn again (by inversion).
void trunc_normal_(const Tensor& tensor, double mean = 0, double std = 1, double low = -2, double high = 2,
                   Generator& generator = default_generator());
void constant_(const Tensor& tensor, double value);
void ones_(const Tensor& tensor);
void zeros_(const Tensor& tensor);

// A matrix with ones on its diagonal.
void eye_(const Tensor& tensor);
// A convolution's weight [out, in, k…] that passes as many channels on as it can, in each group.
void dirac_(const Tensor& tensor, std::int64_t groups = 1);

// What a layer's inputs or outputs are that one element of its weight [out, in, k…] is summed over.
enum class FanMode : std::uint8_t { fan_in, fan_out };
struct Fans {
  std::int64_t in = 0;   // in × k…
  std::int64_t out = 0;  // out × k…
};
// Throws feral::Error for fewer than two dimensions.
Fans fans_of(const Tensor& weight);

enum class Nonlinearity : std::uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };
// By how much the nonlinearity shrinks what it lets through; `slope` is leaky_relu's for negative numbers.
double calculate_gain(Nonlinearity nonlinearity, double slope = 0.01);

// Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010: a standard
// deviation of gain √(2 / (fan_in + fan_out)).
void xavier_uniform_(const Tensor& tensor, double gain = 1, Generator& generator = default_generator());
void xavier_normal_(const Tensor& tensor, double gain = 1, Generator& generator = default_generator());

struct KaimingOptions {
  double a = 0;  // the slope for negative numbers, of leaky_relu alone
  FanMode mode = FanMode::fan_in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};
// He et al., "Delving deep into rectifiers", 2015: a standard deviation of gain / √fan.
void kaiming_uniform_(const Tensor& tensor, KaimingOptions options = {},
                      Generator& generator = default_generator());
void kaiming_normal_(const Tensor& tensor, KaimingOptions options = {}, Generator& generator = default_generator());

// [rows, ...] as a matrix with orthonormal rows, or columns where it has more rows; Saxe et al., "Exact solutions
// to the nonlinear dynamics of learning in deep linear neural networks", 2013.
void orthogonal_(const Tensor& tensor, double gain = 1, Generator& generator = default_generator());

// A matrix of normal numbers of deviation `std`, with sparsity × rows (rounded up) zeros in every column; Martens,
// "Deep learning via Hessian-free optimization", 2010.
void sparse_(const Tensor& tensor, double sparsity, double std = 0.01, Generator& generator = default_generator());

// What PyTorch gives the weight and bias of Linear and the convolutions: uniform within ±1/√fan_in (its
// kaiming_uniform_ with a = √5).
void fan_in_uniform_(const Tensor& tensor, std::int64_t fan_in, Generator& generator = default_generator());

}  // namespace feral::nn::init
