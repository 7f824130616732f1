#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/clip_grad.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <cmath>

#include "optim/clip_grad.hpp"
#include "optim/update-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
struct ScaleGradient {
  static constexpr std::size_t count = 0;
  Vector<T> factor;
  explicit HWY_INLINE ScaleGradient(double f) : factor(broadcast<T>(f)) {}
  HWY_INLINE void operator()(Vector<T>& value, Vector<T>, Vector<T>*) const { value = hn::Mul(value, factor); }
};

template <class T>
struct LimitGradient {
  static constexpr std::size_t count = 0;
  Vector<T> limit;
  explicit HWY_INLINE LimitGradient(double l) : limit(broadcast<T>(l)) {}
  HWY_INLINE void operator()(Vector<T>& value, Vector<T>, Vector<T>*) const {
    const auto limited = hn::Min(hn::Max(value, hn::Neg(limit)), limit);
    value = hn::IfThenElse(hn::Eq(value, value), limited, value);
  }
};

void scale_gradient(const double& factor, const Operands& o) { update_with<ScaleGradient>(factor, o); }
void limit_gradient(const double& limit, const Operands& o) { update_with<LimitGradient>(limit, o); }

// Sums of a few thousand elements in T, all of them in double.
constexpr std::size_t elements_of_sum = 4096;

// `largest`: the largest magnitude in place of the sum of squares. A NaN anywhere makes either NaN.
template <class T>
HWY_ATTR double gather(const T* values, std::size_t count, bool largest) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  double total = 0;
  for (std::size_t start = 0; start < count; start += elements_of_sum) {
    const std::size_t end = HWY_MIN(count, start + elements_of_sum);
    Vector<T> parts[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    std::size_t k = 0;
    for (std::size_t i = start; i < end; i += lanes, k = (k + 1) % 4) {
      const auto v = i + lanes <= end ? hn::LoadU(d, values + i) : load_live(d, values + i, end - i);
      if (largest) {
        // Not hn::Max, which may lose a NaN: a NaN fails the comparison and is taken, and then stays.
        const auto magnitude = hn::Abs(v);
        const auto kept = hn::Gt(parts[k], magnitude);
        const auto nan = hn::IsNaN(parts[k]);  // hn::Ne is false of NaNs on AVX2
        parts[k] = hn::IfThenElse(hn::Or(kept, nan), parts[k], magnitude);
      } else {
        parts[k] = hn::MulAdd(v, v, parts[k]);
      }
    }
    HWY_ALIGN T lane[hn::MaxLanes(hn::ScalableTag<T>())];
    for (const auto& part : parts) {
      hn::Store(part, d, lane);
      for (std::size_t i = 0; i < lanes; ++i) {
        const double value = static_cast<double>(lane[i]);
        total = !largest ? total + value : (total > value || total != total ? total : value);
      }
    }
  }
  return total;
}

double gather_float32(const float* values, std::size_t count, bool largest) {
  return gather(values, count, largest);
}
double gather_float64(const double* values, std::size_t count, bool largest) {
  return gather(values, count, largest);
}

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(scale_gradient);
HWY_EXPORT(limit_gradient);
HWY_EXPORT(gather_float32);
HWY_EXPORT(gather_float64);

Operands operands_of(const Tensor& gradient) {
  Operands operands;
  operands.dtype = gradient.dtype();
  operands.parameter = gradient.raw_data();
  operands.gradient = gradient.raw_data();
  operands.width = static_cast<std::size_t>(gradient.numel());
  gradient.touch();
  return operands;
}

// Calls function(operands) with each gradient of the parameters as memory that may be written: a contiguous one as
// it is, a view as a copy that takes its place.
template <class Function>
void for_each_writable(std::span<const Tensor> parameters, Function&& function) {
  for (const Tensor& parameter : parameters) {
    if (Tensor gradient = parameter.grad(); gradient.defined()) {
      if (!gradient.is_contiguous()) {
        gradient = gradient.contiguous();
        parameter.set_grad(gradient);
      }
      function(operands_of(gradient));
    }
    if (SparseGradient sparse = parameter.sparse_grad(); sparse.defined()) {
      if (!sparse.values.is_contiguous()) {
        sparse.values = sparse.values.contiguous();
        parameter.set_sparse_grad(sparse);
      }
      function(operands_of(sparse.values));
    }
  }
}

// The largest magnitude (p infinite), or the sum of the p-th powers.
double part_of_norm(const Tensor& gradient, double p) {
  const Tensor whole = gradient.contiguous();
  const auto count = static_cast<std::size_t>(whole.numel());
  if (p == 2 || std::isinf(p)) {
    if (whole.dtype() == DType::float64) {
      return HWY_DYNAMIC_DISPATCH(gather_float64)(whole.data<double>(), count, std::isinf(p));
    }
    return HWY_DYNAMIC_DISPATCH(gather_float32)(whole.data<float>(), count, std::isinf(p));
  }
  return visit_floating(whole.dtype(), [&]<class T>() {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += std::pow(std::abs(static_cast<double>(whole.data<T>()[i])), p);
    return sum;
  });
}

}  // namespace

double total_grad_norm(std::span<const Tensor> parameters, double norm_type) {
  if (!(norm_type > 0)) fail("clip_grad_norm_: norm_type must be above 0, got {}", norm_type);
  const NoGradGuard no_grad;
  double total = 0;
  for (const Tensor& parameter : parameters) {
    for (const Tensor& gradient : {parameter.grad(), parameter.sparse_grad().values}) {
      if (!gradient.defined()) continue;
      const double part = part_of_norm(gradient, norm_type);
      if (!std::isinf(norm_type)) {
        total += part;
      } else if (!(part <= total)) {
        total = total != total ? total : part;
      }
    }
  }
  if (std::isinf(norm_type)) return total;
  return norm_type == 2 ? std::sqrt(total) : std::pow(total, 1 / norm_type);
}

double clip_grad_norm_(std::span<const Tensor> parameters, double max_norm, ClipNormOptions options) {
  const NoGradGuard no_grad;
  const double total = total_grad_norm(parameters, options.norm_type);
  if (options.error_if_nonfinite && !std::isfinite(total)) {
    fail(
        "clip_grad_norm_: the total norm of order {} is {}; look for the step that diverged, or leave "
        "error_if_nonfinite off",
        options.norm_type, total);
  }
  const double factor = max_norm / (total + 1e-6);
  if (factor >= 1) return total;
  for_each_writable(parameters, [&](const Operands& operands) {
    HWY_DYNAMIC_DISPATCH(scale_gradient)(factor, operands);
  });
  return total;
}

void clip_grad_value_(std::span<const Tensor> parameters, double clip_value) {
  if (!(clip_value >= 0)) fail("clip_grad_value_: the limit must not be negative, got {}", clip_value);
  const NoGradGuard no_grad;
  for_each_writable(parameters, [&](const Operands& operands) {
    HWY_DYNAMIC_DISPATCH(limit_gradient)(clip_value, operands);
  });
}

}  // namespace feral::optim
#endif  // HWY_ONCE
