// Elementwise functions of three operands, and of one operand with plain numbers. Loops that the compiler
// vectorizes where it can.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/parametric.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <cmath>
#include <limits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/special_functions.hpp"
#include "tensor/cpu/strided_loop.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

// Calls function(a, b, c) for each element.
template <class T, class Function>
HWY_ATTR void each_of_three(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c,
                            const Function& function) {
  StridedLoop<4>({&out, &a, &b, &c}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    T* to = out.data<T>() + offsets[0];
    const T* from_a = a.data<T>() + offsets[1];
    const T* from_b = b.data<T>() + offsets[2];
    const T* from_c = c.data<T>() + offsets[3];
    if (strides[0] == 1 && strides[1] == 1 && strides[2] == 1 && strides[3] == 1) {
      for (std::int64_t i = 0; i < n; ++i) to[i] = function(from_a[i], from_b[i], from_c[i]);
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      to[i * strides[0]] = function(from_a[i * strides[1]], from_b[i * strides[2]], from_c[i * strides[3]]);
    }
  });
}

template <class T, class Function>
HWY_ATTR void each(const Tensor& out, const Tensor& x, const Function& function) {
  StridedLoop<2>({&out, &x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    T* to = out.data<T>() + offsets[0];
    const T* from = x.data<T>() + offsets[1];
    if (strides[0] == 1 && strides[1] == 1) {
      for (std::int64_t i = 0; i < n; ++i) to[i] = function(from[i]);
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) to[i * strides[0]] = function(from[i * strides[1]]);
  });
}

template <class T>
void ternary_of(TernaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c,
                double number) {
  const T value = static_cast<T>(number);
  switch (kernel) {
    case TernaryKernel::lerp:
      // From the nearer end, so that both ends are reached exactly.
      each_of_three<T>(out, a, b, c, [](T start, T end, T weight) {
        const T whole = end - start;
        return std::fabs(weight) < T{0.5} ? start + weight * whole : end - whole * (1 - weight);
      });
      return;
    case TernaryKernel::addcmul:
      each_of_three<T>(out, a, b, c, [=](T x, T y, T z) { return x + value * y * z; });
      return;
    case TernaryKernel::addcdiv:
      each_of_three<T>(out, a, b, c, [=](T x, T y, T z) { return x + value * y / z; });
      return;
  }
  __builtin_unreachable();
}

template <class T>
void parametric_of(ParametricKernel kernel, const Tensor& out, const Tensor& x, const double (&numbers)[3]) {
  const T first = static_cast<T>(numbers[0]);
  const T second = static_cast<T>(numbers[1]);
  const T third = static_cast<T>(numbers[2]);
  switch (kernel) {
    case ParametricKernel::clamp:
      // A NaN stays one: no comparison with it holds.
      each<T>(out, x, [=](T value) {
        const T raised = value < first ? first : value;
        return raised > second ? second : raised;
      });
      return;
    case ParametricKernel::elu:
      if (out.raw_data() == x.raw_data()) {
        each<T>(out, x, [=](T value) { return value > 0 ? value : first * std::expm1(value); });
        return;
      }
      unary(UnaryKernel::expm1, out, x);
      each_of_three<T>(out, x, out, out, [=](T value, T below, T) {
        const T scaled = first * below;
        return value > 0 ? value : scaled;
      });
      return;
    case ParametricKernel::leaky_relu:
      each<T>(out, x, [=](T value) {
        const T below = value * first;  // computed always: the compiler makes vectors of it
        return value > 0 ? value : below;
      });
      return;
    case ParametricKernel::nan_to_num:
      each<T>(out, x, [=](T value) {
        constexpr T infinity = std::numeric_limits<T>::infinity();
        return value != value ? first : value == infinity ? second : value == -infinity ? third : value;
      });
      return;
    case ParametricKernel::polygamma:
      each<T>(out, x, [order = static_cast<int>(numbers[0])](T value) {
        return static_cast<T>(cpu::polygamma(order, static_cast<double>(value)));
      });
      return;
  }
  __builtin_unreachable();
}

void run_ternary(TernaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c,
                 double value) {
  visit_floating(out.dtype(), [&]<class T>() { ternary_of<T>(kernel, out, a, b, c, value); });
}

void run_parametric(ParametricKernel kernel, const Tensor& out, const Tensor& x, const double (&numbers)[3]) {
  visit_floating(out.dtype(), [&]<class T>() { parametric_of<T>(kernel, out, x, numbers); });
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(run_ternary);
HWY_EXPORT(run_parametric);

void ternary(TernaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c,
             double value) {
  HWY_DYNAMIC_DISPATCH(run_ternary)(kernel, out, a, b, c, value);
}

void parametric(ParametricKernel kernel, const Tensor& out, const Tensor& x, const double (&numbers)[3]) {
  HWY_DYNAMIC_DISPATCH(run_parametric)(kernel, out, x, numbers);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
