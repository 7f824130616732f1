// Softmax and its logarithm along a dimension.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// float32 and float64.
struct Softmax {
  static constexpr std::string_view name = "softmax";
  static constexpr int arity = 1;
  static constexpr bool saves_output = true;
  struct Attributes {
    int dim = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Softmax>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Softmax>& saved, const Tensor& gradient);
};

struct LogSoftmax {
  static constexpr std::string_view name = "log_softmax";
  static constexpr int arity = 1;
  static constexpr bool saves_output = true;
  struct Attributes {
    int dim = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<LogSoftmax>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<LogSoftmax>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
