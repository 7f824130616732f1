#include "autograd/ops/product.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/view.hpp"

namespace feral::ops {

Result Matmul::infer(const Attributes&, const Tensor& a, const Tensor& b) {
  check_floating(name, a);
  check_same_dtype(name, a, b);
  if (a.dims() != 2 || b.dims() != 2 || a.shape()[1] != b.shape()[0]) {
    fail("{}: shapes {} and {} do not multiply: expected [m, k] and [k, n]", name, a.shape().to_string(),
         b.shape().to_string());
  }
  return {{a.shape()[0], b.shape()[1]}, a.dtype(), a.device()};
}

void Matmul::run(const Attributes&, const Tensor& out, Aux<Matmul>&, const Tensor& a, const Tensor& b) {
  kernels(out.device()).matmul(out, a, b, false);
}

Gradients<2> Matmul::gradient(const Saved<Matmul>& saved, const Tensor& gradient) {
  Gradients<2> result;
  if (saved.needs(0)) result[0] = gradient.matmul(saved.input(1).transpose(0, 1));
  if (saved.needs(1)) result[1] = saved.input(0).transpose(0, 1).matmul(gradient);
  return result;
}

Result Linear::infer(const Attributes&, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_floating(name, x);
  check_same_dtype(name, x, weight);
  if (x.dims() != 2 || weight.dims() != 2 || x.shape()[1] != weight.shape()[1]) {
    fail("{}: input {} does not fit weight {}: expected [n, in] and [out, in]", name, x.shape().to_string(),
         weight.shape().to_string());
  }
  if (bias.defined()) {
    check_same_dtype(name, x, bias);
    if (!(bias.shape() == Shape{weight.shape()[0]}) || !bias.is_contiguous()) {
      fail("{}: bias {} does not fit weight {}: expected [out]", name, bias.shape().to_string(),
           weight.shape().to_string());
    }
  }
  return {{x.shape()[0], weight.shape()[0]}, x.dtype(), x.device()};
}

void Linear::run(const Attributes&, const Tensor& out, Aux<Linear>&, const Tensor& x, const Tensor& weight,
                 const Tensor& bias) {
  const Kernels& device = kernels(out.device());
  if (bias.defined()) device.fill_rows(out, bias);
  device.matmul(out, x, Transpose::view({.dim0 = 0, .dim1 = 1}, weight), bias.defined());
}

Gradients<3> Linear::gradient(const Saved<Linear>& saved, const Tensor& gradient) {
  Gradients<3> result;
  if (saved.needs(0)) result[0] = gradient.matmul(saved.input(1));
  if (saved.needs(1)) result[1] = gradient.transpose(0, 1).matmul(saved.input(0));
  if (saved.needs(2)) result[2] = gradient.sum({0});
  return result;
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::matmul(const Tensor& other) const { return apply<ops::Matmul>({}, *this, other); }

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return apply<ops::Linear>({}, x, weight, bias);
}

}  // namespace feral
