// Dropout.
#pragma once

#include "autograd/op.hpp"
#include "tensor/generator.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Linear in x: the mask follows from the draw's position in the random stream, so the way back draws it again
// instead of storing it.
struct Dropout {
  static constexpr std::string_view name = "dropout";
  static constexpr int arity = 1;
  using Attributes = DropoutDraw;
  static Result infer(const Attributes& draw, const Tensor& x);
  static void run(const Attributes& draw, const Tensor& out, Aux<Dropout>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Dropout>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// Each element becomes 0 with the given probability, the others grow by 1 / (1 - probability). Returns x itself
// when not training or when the probability is 0.
Tensor dropout(const Tensor& x, double probability, bool training, Generator& generator = default_generator());

// The same for whole channels: of x [n, c, l] or [c, l], [n, c, h, w], [n, c, d, h, w] or [c, d, h, w].
Tensor dropout1d(const Tensor& x, double probability, bool training, Generator& generator = default_generator());
Tensor dropout2d(const Tensor& x, double probability, bool training, Generator& generator = default_generator());
Tensor dropout3d(const Tensor& x, double probability, bool training, Generator& generator = default_generator());

// Dropout beside selu (Klambauer et al., "Self-normalizing neural networks", 2017): what is dropped becomes the
// value that selu saturates at, then all are scaled and shifted so that mean 0 and variance 1 stay. With a
// probability of 1 the result is 0.
Tensor alpha_dropout(const Tensor& x, double probability, bool training,
                     Generator& generator = default_generator());
// The same for whole channels of x [n, c, ...].
Tensor feature_alpha_dropout(const Tensor& x, double probability, bool training,
                             Generator& generator = default_generator());

}  // namespace feral
