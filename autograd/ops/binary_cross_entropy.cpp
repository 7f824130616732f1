#include "autograd/ops/binary_cross_entropy.hpp"

#include <limits>

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

constexpr double least_log = -100;
constexpr double least_divisor = 1e-12F;  // as float32 rounds it: PyTorch's

// The first element that is no probability; 0 when all are.
double no_probability_of(const Tensor& x) {
  const NoGradGuard no_grad;
  const Tensor dense = x.contiguous();
  double found = 0;
  visit_floating(x.dtype(), [&]<class T>() {
    const T* element = dense.data<T>();
    for (std::int64_t i = 0; i < dense.numel(); ++i) {
      if (element[i] >= 0 && element[i] <= 1) continue;
      found = static_cast<double>(element[i]);
      return;
    }
  });
  return found;
}

}  // namespace

Result BinaryCrossEntropy::infer(const Attributes&, const Tensor& x, const Tensor& target) {
  check_floating(name, x);
  check_same_dtype(name, x, target);
  if (!(x.shape() == target.shape())) {
    fail("{}: shapes {} and {} differ", name, x.shape().to_string(), target.shape().to_string());
  }
  if (const double value = no_probability_of(x); value != 0) {
    fail("{}: {} is no probability; apply sigmoid() first, or use binary_cross_entropy_with_logits", name, value);
  }
  return {x.shape(), x.dtype(), x.device()};
}

void BinaryCrossEntropy::run(const Attributes&, const Tensor& out, Aux<BinaryCrossEntropy>&, const Tensor& x,
                             const Tensor& target) {
  const Kernels& device = kernels(out.device());
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Tensor log = Tensor::empty(x.shape(), x.dtype());
  const Tensor share = Tensor::empty(x.shape(), x.dtype());
  device.unary(UnaryKernel::log, log, x);
  device.parametric(ParametricKernel::clamp, log, log, {least_log, infinity, 0});
  device.binary(BinaryKernel::mul, out, log, target);
  device.affine(log, x, -1, 0);
  device.unary(UnaryKernel::log1p, log, log);
  device.parametric(ParametricKernel::clamp, log, log, {least_log, infinity, 0});
  device.affine(share, target, -1, 1);
  device.binary(BinaryKernel::mul, log, log, share);
  device.binary(BinaryKernel::add, out, out, log);
  device.affine(out, out, -1, 0);
}

Gradients<2> BinaryCrossEntropy::gradient(const Saved<BinaryCrossEntropy>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const Tensor& target = saved.input(1);
  Gradients<2> result;
  if (saved.needs(0)) result[0] = gradient * (x - target) / (x * (1 - x)).clamp_min(least_divisor);
  if (saved.needs(1)) {
    result[1] = gradient * (x.neg().log1p().clamp_min(least_log) - x.log().clamp_min(least_log));
  }
  return result;
}

}  // namespace feral::ops
