// Dropout: while training, parts of the input become 0 (Srivastava et al., "Dropout: a simple way to prevent neural
// networks from overfitting", 2014). In evaluation, and with a probability of 0, the input itself is the result.
//
// What is dropped follows from the calling thread's generator alone, which the worker loop puts at the start of
// each batch's own stream: it does not depend on the worker that trains the batch.
#pragma once

#include "autograd/ops/dropout.hpp"
#include "nn/module.hpp"

namespace feral::nn {

namespace detail {

using DropoutFunction = Tensor (*)(const Tensor& x, double probability, bool training, Generator& generator);

// Throws feral::Error unless it lies in [0, 1].
void check_drop_probability(double probability);
std::string dropout_repr(double probability);

template <DropoutFunction function>
class DropoutOf : public Module {
 public:
  explicit DropoutOf(double probability = 0.5) : probability_(probability) { check_drop_probability(probability); }
  Tensor forward(const Tensor& x) override { return function(x, probability_, is_training(), default_generator()); }
  std::string extra_repr() const override { return dropout_repr(probability_); }

 private:
  double probability_;
};

}  // namespace detail

#define FERAL_DROPOUT(Name, function)               \
  class Name : public detail::DropoutOf<function> { \
   public:                                          \
    using DropoutOf::DropoutOf;                     \
  };

FERAL_DROPOUT(Dropout, dropout)                            // elements
FERAL_DROPOUT(Dropout1d, dropout1d)                        // channels of x [n, c, l] or [c, l]
FERAL_DROPOUT(Dropout2d, dropout2d)                        // channels of x [n, c, h, w]
FERAL_DROPOUT(Dropout3d, dropout3d)                        // channels of x [n, c, d, h, w]
FERAL_DROPOUT(AlphaDropout, alpha_dropout)                 // elements, keeping mean and variance, for SELU
FERAL_DROPOUT(FeatureAlphaDropout, feature_alpha_dropout)  // the same for channels of x [n, c, ...]

#undef FERAL_DROPOUT

}  // namespace feral::nn
