// Reading and writing along one dimension, every element with an index of its own. `index` (int64) has as many
// dimensions as x and, but along dim, no larger sizes; `source` has index's shape.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

struct GatherAttributes {
  int dim = 0;
  std::string_view caller = {};  // the method that errors name; the op itself when empty
};

// out[i, j, k] = x[i, index[i, j, k], k] for dim 1.
struct Gather {
  static constexpr std::string_view name = "gather";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  using Attributes = GatherAttributes;
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& index);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Gather>&, const Tensor& x,
                  const Tensor& index);
  static Gradients<2> gradient(const Saved<Gather>& saved, const Tensor& gradient);
};

// x with x[i, index[i, j, k], k] = source[i, j, k]; of several at one place the last one stays, and the gradient
// takes each for it, as PyTorch's does.
struct Scatter {
  static constexpr std::string_view name = "scatter";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b010;
  using Attributes = GatherAttributes;
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& index, const Tensor& source);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Scatter>&, const Tensor& x,
                  const Tensor& index, const Tensor& source);
  static Gradients<3> gradient(const Saved<Scatter>& saved, const Tensor& gradient);
};

// The same with one number in the place of a source.
struct ScatterFill {
  static constexpr std::string_view name = "scatter_fill";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes : GatherAttributes {
    Scalar value = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& index);
  static void run(const Attributes& attributes, const Tensor& out, Aux<ScatterFill>&, const Tensor& x,
                  const Tensor& index);
  static Gradients<2> gradient(const Saved<ScatterFill>& saved, const Tensor& gradient);
};

// x with x[i, index[i, j, k], k] += source[i, j, k]. Without x: zeros of `shape`.
struct ScatterAdd {
  static constexpr std::string_view name = "scatter_add";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b010;
  struct Attributes : GatherAttributes {
    Shape shape = {};
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& index, const Tensor& source);
  static void run(const Attributes& attributes, const Tensor& out, Aux<ScatterAdd>&, const Tensor& x,
                  const Tensor& index, const Tensor& source);
  static Gradients<3> gradient(const Saved<ScatterAdd>& saved, const Tensor& gradient);
};

// x with the elements of source that meet at one place reduced. Gradients are PyTorch's: those of amax and amin are
// shared out evenly among equals; that of prod has itself a gradient where at most one factor at a place is 0.
struct ScatterReduce {
  static constexpr std::string_view name = "scatter_reduce";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b111;
  static constexpr bool saves_output = true;
  struct Attributes {
    int dim = 0;
    ScatterReduction reduction = ScatterReduction::sum;
    bool include_self = true;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& index, const Tensor& source);
  static void run(const Attributes& attributes, const Tensor& out, Aux<ScatterReduce>&, const Tensor& x,
                  const Tensor& index, const Tensor& source);
  static Gradients<3> gradient(const Saved<ScatterReduce>& saved, const Tensor& gradient);
};

// Checks what the ops have in common; without a source (undefined) only x and index.
void check_scatter(std::string_view op, const Shape& x, DType dtype, int dim, const Tensor& index,
                   const Tensor* source);

// The operands of a method as the ops want them: int64 index, source cut to index's shape, and where x has no
// dimensions all with one.
struct GatherOperands {
  Tensor x;
  Tensor index;
  Tensor source;
  int dim;
};
GatherOperands gather_operands(std::string_view op, const Tensor& x, std::int64_t dim, const Tensor& index,
                               const Tensor* source);

}  // namespace feral::ops
