// Ops that look at the same memory through other sizes and strides: here those that show every element of the
// tensor. Parts of one: autograd/ops/view_part.hpp.
#pragma once

#include "autograd/op.hpp"

namespace feral::ops {

// How a view lies in memory: element [i, j, …] stands offset + i * strides[0] + j * strides[1] + … elements after
// the first one of the tensor that it is a view of.
struct Geometry {
  Shape shape;
  Shape strides;
  std::int64_t offset = 0;
};

// That view of x, off the tape; the caller sees to it that it lies within x's storage.
Tensor look(const Tensor& x, const Geometry& geometry);

// A view of other shape; the elements of x must be laid out so that one exists.
struct View {
  static constexpr std::string_view name = "reshape";
  static constexpr int arity = 1;
  struct Attributes {
    Shape shape;
    Shape strides;
  };
  static Tensor view(const Attributes& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<View>& saved, const Tensor& gradient);
};

struct Transpose {
  static constexpr std::string_view name = "transpose";
  static constexpr int arity = 1;
  struct Attributes {
    int dim0 = 0;
    int dim1 = 0;
  };
  static Tensor view(const Attributes& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Transpose>& saved, const Tensor& gradient);
};

// Dimension i is x's dimension order[i].
struct Permute {
  static constexpr std::string_view name = "permute";
  static constexpr int arity = 1;
  struct Attributes {
    Shape order;
  };
  static Tensor view(const Attributes& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Permute>& saved, const Tensor& gradient);
};

struct Expand {
  static constexpr std::string_view name = "expand";
  static constexpr int arity = 1;
  struct Attributes {
    Shape shape;
  };
  static Tensor view(const Attributes& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Expand>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
