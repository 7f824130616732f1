// Elementwise functions of two operands: floats as vectors, integers by loops that the compiler vectorizes.
// tensor/cpu/binary_elements.cpp has those that no vector instruction helps.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/binary.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <type_traits>

#include "tensor/cpu/binary_elements.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/row_types.hpp"
#include "tensor/cpu/rows-inl.hpp"
#include "tensor/cpu/through_float64-inl.hpp"
#include "tensor/cpu/wrapping.hpp"

#ifndef FERAL_TENSOR_CPU_BINARY_ONCE
#define FERAL_TENSOR_CPU_BINARY_ONCE
namespace feral::cpu {
using AffineRow = void (*)(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                           std::int64_t x_stride, double scale, double shift);
}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Each has a form on vectors of floats; those that integers have, too, one on elements.

struct Add {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Add(a, b);
  }
};
struct Sub {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Sub(a, b);
  }
};
struct Mul {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Mul(a, b);
  }
};
struct Div {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Div(a, b);
  }
};
// The gradient where the output was above zero.
struct ReluBackward {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V output) const {
    return hn::IfThenElseZero(hn::Gt(output, hn::Zero(d)), gradient);
  }
};
// A NaN on either side is the result.
struct Maximum {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    const auto larger = hn::IfThenElse(hn::Gt(b, a), b, a);
    return hn::IfThenElse(hn::IsNaN(b), b, larger);
  }
};
struct Minimum {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    const auto smaller = hn::IfThenElse(hn::Lt(b, a), b, a);
    return hn::IfThenElse(hn::IsNaN(b), b, smaller);
  }
};

// On bool, add is "or" and mul is "and".

struct IntegerAdd {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) + Wrapping<T>(b));
  }
};
struct IntegerSub {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) - Wrapping<T>(b));
  }
};
struct IntegerMul {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping_product(a, b);
  }
};
struct IntegerMaximum {
  template <class T>
  T operator()(T a, T b) const {
    return b > a ? b : a;
  }
};
struct IntegerMinimum {
  template <class T>
  T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};

template <class Op>
BinaryRow vectors(DType dtype) {
  return dtype == DType::float64 ? binary_row<Op, double> : binary_row<Op, float>;
}

template <class Op, class Function>
BinaryRow any_type(DType dtype) {
  if (is_floating(dtype)) return vectors<Op>(dtype);
  return visit_dtype(dtype, []<class T>() -> BinaryRow {
    if constexpr (std::is_integral_v<T>) {
      return binary_scalar_row<Function, T, T>;
    } else {
      return nullptr;
    }
  });
}

BinaryRow pick_binary(BinaryKernel kernel, DType dtype) {
  switch (kernel) {
    case BinaryKernel::add:
      return any_type<Add, IntegerAdd>(dtype);
    case BinaryKernel::sub:
      return any_type<Sub, IntegerSub>(dtype);
    case BinaryKernel::mul:
      return any_type<Mul, IntegerMul>(dtype);
    case BinaryKernel::div:
      return vectors<Div>(dtype);
    case BinaryKernel::relu_backward:
      return vectors<ReluBackward>(dtype);
    case BinaryKernel::maximum:
      return any_type<Maximum, IntegerMaximum>(dtype);
    case BinaryKernel::minimum:
      return any_type<Minimum, IntegerMinimum>(dtype);
    case BinaryKernel::pow:
      return dtype == DType::float32 ? binary_row<ThroughFloat64Of2<WidePow>, float>
                                     : binary_elements_of(kernel, dtype);
    default:
      return binary_elements_of(kernel, dtype);
  }
}

struct Affine {
  double scale;
  double shift;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    return hn::Add(hn::Mul(x, hn::Set(d, static_cast<T>(scale))), hn::Set(d, static_cast<T>(shift)));
  }
};
template <class T>
HWY_ATTR void affine_row(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                         std::int64_t x_stride, double scale, double shift) {
  unary_row_of<T>(Affine{scale, shift}, out, x, n, out_stride, x_stride);
}

AffineRow pick_affine(DType dtype) { return dtype == DType::float64 ? affine_row<double> : affine_row<float>; }

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_binary);
HWY_EXPORT(pick_affine);

void binary(BinaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b) {
  run_rows(HWY_DYNAMIC_DISPATCH(pick_binary)(kernel, out.dtype()), out, a, b);
}

void affine(const Tensor& out, const Tensor& x, double scale, double shift) {
  const AffineRow row = HWY_DYNAMIC_DISPATCH(pick_affine)(out.dtype());
  const std::size_t size = size_of(out.dtype());
  for_each_contiguous_row<2>(StridedLoop<2>({&out, &x}), {out.raw_data(), x.raw_data()}, {size, size},
                             [&](const auto& at, std::int64_t n, const auto& strides) {
                               row(at[0], at[1], n, strides[0], strides[1], scale, shift);
                             });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
