// Reading and writing whole slices that positions pick: index_select and its like, and what x[...] comes down to.
//
// Positions are int64 of any shape. They count, in row-major order, the elements of the dimensions [first, first +
// count) of x, which they replace by their own: x [outer..., indexed..., inner...] becomes [outer..., at...,
// inner...].
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

struct IndexAttributes {
  int first = 0;
  int count = 1;
  std::string_view caller = {};  // the method that errors name; the op itself when empty
};

// The picked elements, a copy.
struct Pick {
  static constexpr std::string_view name = "index";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  using Attributes = IndexAttributes;
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& positions);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Pick>&, const Tensor& x,
                  const Tensor& positions);
  static Gradients<2> gradient(const Saved<Pick>& saved, const Tensor& gradient);
};

// x with the elements of `source`, which has the shape of the picked ones, added to these; every one of several at
// one place counts. Without x: zeros of `shape`.
struct IndexAdd {
  static constexpr std::string_view name = "index_add";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b010;
  struct Attributes : IndexAttributes {
    Shape shape = {};
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& positions, const Tensor& source);
  static void run(const Attributes& attributes, const Tensor& out, Aux<IndexAdd>&, const Tensor& x,
                  const Tensor& positions, const Tensor& source);
  static Gradients<3> gradient(const Saved<IndexAdd>& saved, const Tensor& gradient);
};

// x with the picked elements replaced by those of `source`; of several at one place the last one stays, and the
// gradient takes each for it, as PyTorch's does.
struct IndexCopy {
  static constexpr std::string_view name = "index_copy";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b010;
  using Attributes = IndexAttributes;
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& positions, const Tensor& source);
  static void run(const Attributes& attributes, const Tensor& out, Aux<IndexCopy>&, const Tensor& x,
                  const Tensor& positions, const Tensor& source);
  static Gradients<3> gradient(const Saved<IndexCopy>& saved, const Tensor& gradient);
};

// x with the picked elements replaced by one number.
struct IndexFill {
  static constexpr std::string_view name = "index_fill";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes : IndexAttributes {
    Scalar value = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& positions);
  static void run(const Attributes& attributes, const Tensor& out, Aux<IndexFill>&, const Tensor& x,
                  const Tensor& positions);
  static Gradients<2> gradient(const Saved<IndexFill>& saved, const Tensor& gradient);
};

// The shape of what positions of shape `at` pick from a tensor of shape `x`.
Shape picked_shape(const Shape& x, const Shape& at, int first, int count);

}  // namespace feral::ops
