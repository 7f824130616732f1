// Copies of a tensor with its elements in other places.
#pragma once

#include "autograd/op.hpp"

namespace feral::ops {

// The order of the elements reversed along `dims`.
struct Flip {
  static constexpr std::string_view name = "flip";
  static constexpr int arity = 1;
  struct Attributes {
    Shape dims;  // normalized
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Flip>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Flip>& saved, const Tensor& gradient);
};

// The lower (upper) triangle of the matrices in the last two dimensions, the rest 0.
struct Tril {
  static constexpr std::string_view name = "tril";
  static constexpr int arity = 1;
  struct Attributes {
    std::int64_t diagonal = 0;  // columns - rows of the last (first) diagonal that is kept
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Tril>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Tril>& saved, const Tensor& gradient);
};
struct Triu {
  static constexpr std::string_view name = "triu";
  static constexpr int arity = 1;
  using Attributes = Tril::Attributes;
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Triu>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Triu>& saved, const Tensor& gradient);
};

// A square matrix of 0 with a vector on a diagonal.
struct Diag {
  static constexpr std::string_view name = "diag";
  static constexpr int arity = 1;
  struct Attributes {
    std::int64_t diagonal = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Diag>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Diag>& saved, const Tensor& gradient);
};

// int64 or int32 [...] → int64 [..., classes].
struct OneHot {
  static constexpr std::string_view name = "one_hot";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {
    std::int64_t classes = -1;  // -1: the largest number + 1
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<OneHot>&, const Tensor& x);
};

}  // namespace feral::ops
