// Ops that look at the same memory through other sizes and strides.
#pragma once

#include "autograd/op.hpp"

namespace feral::ops {

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

struct Expand {
  static constexpr std::string_view name = "expand";
  static constexpr int arity = 1;
  struct Attributes {
    Shape shape;
  };
  static Tensor view(const Attributes& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Expand>& saved, const Tensor& gradient);
};

// length elements from start on along dim.
struct Narrow {
  static constexpr std::string_view name = "narrow";
  static constexpr int arity = 1;
  struct Attributes {
    int dim = 0;
    std::int64_t start = 0;
    std::int64_t length = 0;
  };
  static Tensor view(const Attributes& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<Narrow>& saved, const Tensor& gradient);
};

// Zeros of `shape` with x at [start, start + length) along dim: the gradient of narrow.
struct NarrowBackward {
  static constexpr std::string_view name = "narrow_backward";
  static constexpr int arity = 1;
  struct Attributes {
    Shape shape;
    int dim = 0;
    std::int64_t start = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<NarrowBackward>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<NarrowBackward>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
