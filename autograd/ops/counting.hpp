// Counting elements by value; not differentiable.
#pragma once

#include "autograd/op.hpp"

namespace feral::ops {

// weights: undefined, or of x's shape and float32 or float64.
struct Bincount {
  static constexpr std::string_view name = "bincount";
  static constexpr int arity = 2;
  static constexpr bool differentiable = false;
  struct Attributes {
    std::int64_t min_length = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& weights);
  static void run(const Attributes&, const Tensor& out, Aux<Bincount>&, const Tensor& x, const Tensor& weights);
};

// Elements outside of [low, high], and NaN, are not counted.
struct Histogram {
  static constexpr std::string_view name = "histogram";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {
    std::int64_t bins = 0;
    double low = 0;
    double high = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Histogram>&, const Tensor& x);
};

}  // namespace feral::ops
