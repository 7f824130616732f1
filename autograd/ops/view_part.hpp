// Views of a part of a tensor, and the one way back that they share.
//
// Each says where its elements stand in a tensor of given sizes and strides. Asked with x's own strides that is the
// view; asked with the strides of a contiguous tensor of x's shape it is where the gradient goes: into zeros of
// that shape, added up where the view shows an element more than once.
#pragma once

#include "autograd/op.hpp"
#include "autograd/ops/view.hpp"

namespace feral::ops {

// A contiguous tensor of `shape` with x in the view `part` of it and zeros around; elements that `part` shows
// several times get the sum.
struct ViewBackward {
  static constexpr std::string_view name = "view_backward";
  static constexpr int arity = 1;
  struct Attributes {
    Shape shape;
    Geometry part;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<ViewBackward>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<ViewBackward>& saved, const Tensor& gradient);
};

// What they share: Self has `static Geometry part(const Attributes&, const Shape& shape, const Shape& strides)`.
template <class Self, class SelfAttributes>
struct PartOf {
  static constexpr int arity = 1;
  using Attributes = SelfAttributes;
  static Tensor view(const Attributes& attributes, const Tensor& x) {
    return look(x, Self::part(attributes, x.shape(), x.strides()));
  }
  static Gradients<1> gradient(const Saved<Self>& saved, const Tensor& gradient) {
    const Shape& shape = saved.input_shape(0);
    return {apply<ViewBackward>(
        {.shape = shape, .part = Self::part(saved.attributes(), shape, shape.contiguous_strides())}, gradient)};
  }
};

// length elements from start on along dim.
struct NarrowAttributes {
  int dim = 0;
  std::int64_t start = 0;
  std::int64_t length = 0;
};
struct Narrow : PartOf<Narrow, NarrowAttributes> {
  static constexpr std::string_view name = "narrow";
  static Geometry part(const Attributes& attributes, const Shape& shape, const Shape& strides);
};

// The same, `step` apart.
struct SliceAttributes {
  int dim = 0;
  std::int64_t start = 0;
  std::int64_t length = 0;
  std::int64_t step = 1;
};
struct Slice : PartOf<Slice, SliceAttributes> {
  static constexpr std::string_view name = "slice";
  static Geometry part(const Attributes& attributes, const Shape& shape, const Shape& strides);
};

// One position of dim, which is left out.
struct SelectAttributes {
  int dim = 0;
  std::int64_t index = 0;
};
struct Select : PartOf<Select, SelectAttributes> {
  static constexpr std::string_view name = "select";
  static Geometry part(const Attributes& attributes, const Shape& shape, const Shape& strides);
};

// Elements [i, i + offset] of dim0 and dim1, which are left out; i is the last dimension.
struct DiagonalAttributes {
  std::int64_t offset = 0;
  int dim0 = 0;
  int dim1 = 1;
};
struct Diagonal : PartOf<Diagonal, DiagonalAttributes> {
  static constexpr std::string_view name = "diagonal";
  static Geometry part(const Attributes& attributes, const Shape& shape, const Shape& strides);
};

// Windows of `size` along dim, each `step` after the one before; the place in the window is the last dimension.
struct UnfoldAttributes {
  int dim = 0;
  std::int64_t size = 1;
  std::int64_t step = 1;
};
struct Unfold : PartOf<Unfold, UnfoldAttributes> {
  static constexpr std::string_view name = "unfold";
  static Geometry part(const Attributes& attributes, const Shape& shape, const Shape& strides);
};

// Any view of x's storage. It may show elements that x does not: they get no gradient.
struct AsStrided {
  static constexpr std::string_view name = "as_strided";
  static constexpr int arity = 1;
  struct Attributes {
    Geometry part;
    Shape x_strides;
  };
  static Tensor view(const Attributes& attributes, const Tensor& x);
  static Gradients<1> gradient(const Saved<AsStrided>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
