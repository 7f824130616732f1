// Order: which element comes where. Each op answers positions (int64) and has no gradient; Tensor's methods take
// the values with gather, through which gradients flow.
#pragma once

#include "autograd/op.hpp"

namespace feral::ops {

struct Argsort {
  static constexpr std::string_view name = "argsort";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {
    int dim = 0;
    bool descending = false;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Argsort>&, const Tensor& x);
};

// The first k of that order.
struct Topk {
  static constexpr std::string_view name = "topk";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {
    std::int64_t k = 0;
    int dim = 0;
    bool largest = true;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Topk>&, const Tensor& x);
};

// The k-th smallest, k from 1; dim is left with size 1.
struct Kthvalue {
  static constexpr std::string_view name = "kthvalue";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {
    std::int64_t k = 0;
    int dim = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Kthvalue>&, const Tensor& x);
};

// The different values of x, packed as the kernel says (tensor/kernels/sorting.hpp): [3 * numel + 1].
struct Unique {
  static constexpr std::string_view name = "unique";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<Unique>&, const Tensor& x);
};

// sorted and values of one type, values with one dimension at least.
struct Searchsorted {
  static constexpr std::string_view name = "searchsorted";
  static constexpr int arity = 2;
  static constexpr bool differentiable = false;
  struct Attributes {
    bool right = false;
  };
  static Result infer(const Attributes& attributes, const Tensor& sorted, const Tensor& values);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Searchsorted>&, const Tensor& sorted,
                  const Tensor& values);
};

}  // namespace feral::ops

namespace feral {

// Where each of `values` belongs in an ascending row, so that it stays ascending: before its equals, or with
// `right` behind them. `sorted` is 1-dimensional, or has values' shape but for the last dimension: then each row of
// values is looked up in the same row of it. int64 of values' shape; types promote; NaN is the largest number. Not
// differentiable.
Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right = false);

}  // namespace feral
