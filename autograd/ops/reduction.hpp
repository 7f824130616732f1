// Sums and their like over any set of dimensions.
#pragma once

#include "autograd/op.hpp"
#include "autograd/ops/check.hpp"
#include "tensor/dim_set.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Which dimensions go, and whether they stay with size 1.
struct Reduction {
  DimSet dims;
  bool keepdim = false;
};

// `result` of a reduction of a tensor of `shape`, with size 1 in the reduced dimensions.
inline Tensor with_reduced_dims(const Tensor& result, const Shape& shape, DimSet dims) {
  return result.reshape(reduced_shape(shape, dims, true));
}

// What the ops of ReduceKernel share.
template <class Self, ReduceKernel kernel>
struct Reduce {
  static constexpr int arity = 1;
  using Attributes = Reduction;
  static void run(const Reduction& attributes, const Tensor& out, Aux<Self>&, const Tensor& x) {
    kernels(out.device()).reduce(kernel, out, x, attributes.dims);
  }
};

// Of floats their type, of integers and bool int64.
struct Sum : Reduce<Sum, ReduceKernel::sum> {
  static constexpr std::string_view name = "sum";
  static Result infer(const Reduction& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Sum>& saved, const Tensor& gradient);
};

struct Prod : Reduce<Prod, ReduceKernel::prod> {
  static constexpr std::string_view name = "prod";
  static constexpr unsigned saved_inputs = 0b1;
  static Result infer(const Reduction& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Prod>& saved, const Tensor& gradient);
};

// Of floats.
struct Mean : Reduce<Mean, ReduceKernel::mean> {
  static constexpr std::string_view name = "mean";
  static Result infer(const Reduction& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Mean>& saved, const Tensor& gradient);
};

struct Any : Reduce<Any, ReduceKernel::any> {
  static constexpr std::string_view name = "any";
  static constexpr bool differentiable = false;
  static Result infer(const Reduction& attributes, const Tensor& x);
};

struct All : Reduce<All, ReduceKernel::all> {
  static constexpr std::string_view name = "all";
  static constexpr bool differentiable = false;
  static Result infer(const Reduction& attributes, const Tensor& x);
};

struct CountNonzero : Reduce<CountNonzero, ReduceKernel::count_nonzero> {
  static constexpr std::string_view name = "count_nonzero";
  static constexpr bool differentiable = false;
  static Result infer(const Reduction& attributes, const Tensor& x);
};

// Sums over every dimension along which `shape` would have to be broadcast to give x's shape.
struct SumTo {
  static constexpr std::string_view name = "sum_to";
  static constexpr int arity = 1;
  struct Attributes {
    Shape shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<SumTo>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<SumTo>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
