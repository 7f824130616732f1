// The largest, the smallest and the middle elements, and where they stand.
#pragma once

#include "autograd/op.hpp"
#include "autograd/ops/reduction.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Equal elements share the gradient.
template <class Self, ReduceKernel kernel>
struct Extreme : Reduce<Self, kernel> {
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  static Result infer(const Reduction& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Self>& saved, const Tensor& gradient);
};

struct Amax : Extreme<Amax, ReduceKernel::amax> {
  static constexpr std::string_view name = "amax";
};
struct Amin : Extreme<Amin, ReduceKernel::amin> {
  static constexpr std::string_view name = "amin";
};

// The lower of the two middle ones of all elements, a NaN where there is one; equal elements share the gradient.
struct Median {
  static constexpr std::string_view name = "median";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<Median>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Median>& saved, const Tensor& gradient);
};

// The gradient of what equals `result` (with size 1 in the dimensions reduced, as `gradient`), shared among equals.
Tensor shared_gradient(const Tensor& x, const Tensor& result, const Tensor& gradient, DimSet dims);

// An index a line along `dim`; -1: among all elements in row-major order.
struct ArgAttributes {
  int dim = -1;
  bool keepdim = false;
};

template <class Self>
struct Arg {
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  using Attributes = ArgAttributes;
  static Result infer(const ArgAttributes& attributes, const Tensor& x);
};

struct Argmax : Arg<Argmax> {
  static constexpr std::string_view name = "argmax";
  static void run(const ArgAttributes& attributes, const Tensor& out, Aux<Argmax>&, const Tensor& x);
};
struct Argmin : Arg<Argmin> {
  static constexpr std::string_view name = "argmin";
  static void run(const ArgAttributes& attributes, const Tensor& out, Aux<Argmin>&, const Tensor& x);
};
// Where the median stands, along a dimension.
struct Argmedian : Arg<Argmedian> {
  static constexpr std::string_view name = "argmedian";
  static void run(const ArgAttributes& attributes, const Tensor& out, Aux<Argmedian>&, const Tensor& x);
};

}  // namespace feral::ops
