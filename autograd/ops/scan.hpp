// Running sums and products along a dimension.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Along which dimension, and whether from its end.
struct Scan {
  int dim = 0;
  bool reverse = false;
};

// Of float32 and float64 their type, of integers and bool int64.
struct Cumsum {
  static constexpr std::string_view name = "cumsum";
  static constexpr int arity = 1;
  using Attributes = Scan;
  static Result infer(const Scan& attributes, const Tensor& x);
  static void run(const Scan& attributes, const Tensor& out, Aux<Cumsum>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Cumsum>& saved, const Tensor& gradient);
};

struct Cumprod {
  static constexpr std::string_view name = "cumprod";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  using Attributes = Scan;
  static Result infer(const Scan& attributes, const Tensor& x);
  static void run(const Scan& attributes, const Tensor& out, Aux<Cumprod>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Cumprod>& saved, const Tensor& gradient);
};

// y[i] = b[i] + a[i] * y[i - 1] (y[i + 1] in reverse), 0 before the first: what the derivative of a running product
// is made of. a and b have one shape and type.
struct Recurrence {
  static constexpr std::string_view name = "recurrence";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b01;
  static constexpr bool saves_output = true;
  using Attributes = Scan;
  static Result infer(const Scan& attributes, const Tensor& a, const Tensor& b);
  static void run(const Scan& attributes, const Tensor& out, Aux<Recurrence>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Recurrence>& saved, const Tensor& gradient);
};

// x moved on by one along `dim`, a 0 in its first place; in reverse moved back, a 0 in its last place.
Tensor shifted(const Tensor& x, int dim, bool reverse);

// As long as x along `dim`, of size 1 elsewhere: 1 in the first place (the last in reverse), 0 in the others.
Tensor first_one(const Tensor& x, int dim, bool reverse);

}  // namespace feral::ops
