// Elementwise arithmetic, with Highway's run-time choice of the instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/elementwise.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <limits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/strided_loop.hpp"

#ifndef FERAL_TENSOR_CPU_ELEMENTWISE_ONCE
#define FERAL_TENSOR_CPU_ELEMENTWISE_ONCE
namespace feral::cpu {
// A row: n elements of each operand, strides in elements.
using UnaryRow = void (*)(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                          std::int64_t x_stride);
using BinaryRow = void (*)(std::byte* out, const std::byte* a, const std::byte* b, std::int64_t n,
                           std::int64_t out_stride, std::int64_t a_stride, std::int64_t b_stride);
using AffineRow = void (*)(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                           std::int64_t x_stride, double scale, double shift);
}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Exp {
  template <class D, class V>
  V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    // Highway's exponent wraps around far above where the result is infinite, and a NaN comes out as 0.
    const auto y = hn::Exp(d, hn::Min(x, hn::Set(d, static_cast<T>(sizeof(T) == 4 ? 104 : 1000))));
    return hn::IfThenElse(hn::IsNaN(x), x, y);
  }
};
struct Log {
  template <class D, class V>
  V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    // Highway's holds for finite numbers above 0 alone.
    const auto zero = hn::Zero(d);
    const auto infinity = hn::Set(d, std::numeric_limits<T>::infinity());
    const auto nan = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
    const auto positive = hn::Gt(x, zero);
    const auto beyond = hn::IfThenElse(positive, x, hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), nan));
    return hn::IfThenElse(hn::And(positive, hn::Lt(x, infinity)), hn::Log(d, x), beyond);
  }
};
struct Relu {
  template <class D, class V>
  V operator()(D d, V x) const {
    // A NaN stays one, as PyTorch has it: it is not below zero.
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
  }
};
struct Add {
  template <class D, class V>
  V operator()(D, V a, V b) const {
    return hn::Add(a, b);
  }
};
struct Sub {
  template <class D, class V>
  V operator()(D, V a, V b) const {
    return hn::Sub(a, b);
  }
};
struct Mul {
  template <class D, class V>
  V operator()(D, V a, V b) const {
    return hn::Mul(a, b);
  }
};
struct Div {
  template <class D, class V>
  V operator()(D, V a, V b) const {
    return hn::Div(a, b);
  }
};
// The gradient where the output was above zero.
struct ReluBackward {
  template <class D, class V>
  V operator()(D d, V gradient, V output) const {
    return hn::IfThenElseZero(hn::Gt(output, hn::Zero(d)), gradient);
  }
};

// Up to a vector of elements, `stride` apart; lanes past n are 0.
template <class D, class T = hn::TFromD<D>>
HWY_ATTR hn::Vec<D> load_some(D d, const T* from, std::size_t n, std::int64_t stride) {
  HWY_ALIGN T lanes[hn::MaxLanes(D())] = {};
  for (std::size_t i = 0; i < n; ++i) lanes[i] = from[static_cast<std::int64_t>(i) * stride];
  return hn::Load(d, lanes);
}

template <class D, class T = hn::TFromD<D>>
HWY_ATTR void store_some(D d, hn::Vec<D> v, T* to, std::size_t n, std::int64_t stride) {
  HWY_ALIGN T lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  for (std::size_t i = 0; i < n; ++i) to[static_cast<std::int64_t>(i) * stride] = lanes[i];
}

// One operand of a row: contiguous, one broadcast element, or strided.
template <class D>
struct Operand {
  using T = hn::TFromD<D>;
  const T* data;
  std::int64_t stride;
  hn::Vec<D> same;

  HWY_ATTR Operand(D d, const std::byte* bytes, std::int64_t element_stride)
      : data(reinterpret_cast<const T*>(bytes)), stride(element_stride), same(hn::Set(d, data[0])) {}

  HWY_ATTR hn::Vec<D> load(D d, std::int64_t i, std::size_t n) const {
    if (stride == 0) return same;
    if (stride == 1 && n == hn::Lanes(d)) return hn::LoadU(d, data + i);
    return load_some(d, data + i * stride, n, stride);
  }
};

template <class D, class T = hn::TFromD<D>>
HWY_ATTR void store(D d, hn::Vec<D> v, std::byte* out, std::int64_t i, std::size_t n, std::int64_t stride) {
  T* to = reinterpret_cast<T*>(out) + i * stride;
  if (stride == 1 && n == hn::Lanes(d)) {
    hn::StoreU(v, d, to);
  } else {
    store_some(d, v, to, n, stride);
  }
}

template <class Op, class T>
HWY_ATTR void unary_row(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                        std::int64_t x_stride) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Op op;
  std::int64_t i = 0;
  if (out_stride == 1 && x_stride == 1) {
    const T* from = reinterpret_cast<const T*>(x);
    T* to = reinterpret_cast<T*>(out);
    for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, hn::LoadU(d, from + i)), d, to + i);
  }
  const Operand<decltype(d)> operand(d, x, x_stride);
  for (; i < n; i += lanes) {
    const auto count = static_cast<std::size_t>(HWY_MIN(lanes, n - i));
    store(d, op(d, operand.load(d, i, count)), out, i, count, out_stride);
  }
}

template <class Op, class T>
HWY_ATTR void binary_row(std::byte* out, const std::byte* a, const std::byte* b, std::int64_t n,
                         std::int64_t out_stride, std::int64_t a_stride, std::int64_t b_stride) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Op op;
  std::int64_t i = 0;
  if (out_stride == 1 && a_stride == 1 && b_stride == 1) {
    const T* from_a = reinterpret_cast<const T*>(a);
    const T* from_b = reinterpret_cast<const T*>(b);
    T* to = reinterpret_cast<T*>(out);
    for (; i + lanes <= n; i += lanes) {
      hn::StoreU(op(d, hn::LoadU(d, from_a + i), hn::LoadU(d, from_b + i)), d, to + i);
    }
  }
  const Operand<decltype(d)> operand_a(d, a, a_stride);
  const Operand<decltype(d)> operand_b(d, b, b_stride);
  for (; i < n; i += lanes) {
    const auto count = static_cast<std::size_t>(HWY_MIN(lanes, n - i));
    store(d, op(d, operand_a.load(d, i, count), operand_b.load(d, i, count)), out, i, count, out_stride);
  }
}

template <class T>
HWY_ATTR void affine_row(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                         std::int64_t x_stride, double scale, double shift) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto scales = hn::Set(d, static_cast<T>(scale));
  const auto shifts = hn::Set(d, static_cast<T>(shift));
  const Operand<decltype(d)> operand(d, x, x_stride);
  for (std::int64_t i = 0; i < n; i += lanes) {
    const auto count = static_cast<std::size_t>(HWY_MIN(lanes, n - i));
    store(d, hn::Add(hn::Mul(operand.load(d, i, count), scales), shifts), out, i, count, out_stride);
  }
}

template <class Op>
UnaryRow typed_unary(DType dtype) {
  return dtype == DType::float64 ? unary_row<Op, double> : unary_row<Op, float>;
}

UnaryRow pick_unary(UnaryKernel kernel, DType dtype) {
  switch (kernel) {
    case UnaryKernel::exp:
      return typed_unary<Exp>(dtype);
    case UnaryKernel::log:
      return typed_unary<Log>(dtype);
    case UnaryKernel::relu:
      return typed_unary<Relu>(dtype);
  }
  __builtin_unreachable();
}

template <class Op>
BinaryRow typed_binary(DType dtype) {
  return dtype == DType::float64 ? binary_row<Op, double> : binary_row<Op, float>;
}

BinaryRow pick_binary(BinaryKernel kernel, DType dtype) {
  switch (kernel) {
    case BinaryKernel::add:
      return typed_binary<Add>(dtype);
    case BinaryKernel::sub:
      return typed_binary<Sub>(dtype);
    case BinaryKernel::mul:
      return typed_binary<Mul>(dtype);
    case BinaryKernel::div:
      return typed_binary<Div>(dtype);
    case BinaryKernel::relu_backward:
      return typed_binary<ReluBackward>(dtype);
  }
  __builtin_unreachable();
}

AffineRow pick_affine(DType dtype) { return dtype == DType::float64 ? affine_row<double> : affine_row<float>; }

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_unary);
HWY_EXPORT(pick_binary);
HWY_EXPORT(pick_affine);

void unary(UnaryKernel kernel, const Tensor& out, const Tensor& x) {
  const UnaryRow row = HWY_DYNAMIC_DISPATCH(pick_unary)(kernel, out.dtype());
  const auto size = static_cast<std::int64_t>(size_of(out.dtype()));
  StridedLoop<2>({&out, &x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    row(out.raw_data() + offsets[0] * size, x.raw_data() + offsets[1] * size, n, strides[0], strides[1]);
  });
}

void binary(BinaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b) {
  const BinaryRow row = HWY_DYNAMIC_DISPATCH(pick_binary)(kernel, out.dtype());
  const auto size = static_cast<std::int64_t>(size_of(out.dtype()));
  StridedLoop<3>({&out, &a, &b}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    row(out.raw_data() + offsets[0] * size, a.raw_data() + offsets[1] * size, b.raw_data() + offsets[2] * size, n,
        strides[0], strides[1], strides[2]);
  });
}

void affine(const Tensor& out, const Tensor& x, double scale, double shift) {
  const AffineRow row = HWY_DYNAMIC_DISPATCH(pick_affine)(out.dtype());
  const auto size = static_cast<std::int64_t>(size_of(out.dtype()));
  StridedLoop<2>({&out, &x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    row(out.raw_data() + offsets[0] * size, x.raw_data() + offsets[1] * size, n, strides[0], strides[1], scale,
        shift);
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
