#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/finite.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/finite.hpp"
#include "optim/update-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
HWY_ATTR bool finite(const T* values, std::size_t count) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d);
  // Each stays 0 until it meets a value that is no number, and is NaN from there on.
  auto a = zero;
  auto b = zero;
  auto c = zero;
  auto e = zero;
  std::size_t i = 0;
#ifndef FERAL_RACY_ATOMICS
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::MulAdd(hn::LoadU(d, values + i), zero, a);
    b = hn::MulAdd(hn::LoadU(d, values + i + lanes), zero, b);
    c = hn::MulAdd(hn::LoadU(d, values + i + 2 * lanes), zero, c);
    e = hn::MulAdd(hn::LoadU(d, values + i + 3 * lanes), zero, e);
  }
#endif
  for (; i < count; i += lanes) a = hn::MulAdd(load_live(d, values + i, HWY_MIN(lanes, count - i)), zero, a);
  const auto sum = hn::Add(hn::Add(a, b), hn::Add(c, e));
  return hn::AllTrue(d, hn::Eq(sum, sum));
}

bool finite_float32(const float* values, std::size_t count) { return finite(values, count); }
bool finite_float64(const double* values, std::size_t count) { return finite(values, count); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(finite_float32);
HWY_EXPORT(finite_float64);

}  // namespace

bool all_finite(const Tensor& tensor) {
  if (!tensor.defined() || tensor.numel() == 0) return true;
  if (!has_gradient(tensor.dtype())) fail("all_finite: expected float32 or float64, got {}", tensor.to_string());
  const NoGradGuard no_grad;
  const Tensor whole = tensor.is_contiguous() ? tensor : tensor.contiguous();
  const auto count = static_cast<std::size_t>(whole.numel());
  if (whole.dtype() == DType::float64) return HWY_DYNAMIC_DISPATCH(finite_float64)(whole.data<double>(), count);
  return HWY_DYNAMIC_DISPATCH(finite_float32)(whole.data<float>(), count);
}

std::size_t first_nonfinite_gradient(std::span<const Tensor> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!all_finite(parameters[i].grad()) || !all_finite(parameters[i].sparse_grad().values)) return i;
  }
  return parameters.size();
}

}  // namespace feral::optim
#endif  // HWY_ONCE
