// Rows of elementwise kernels, compiled once an instruction set: include after hwy/foreach_target.h, inside
// HWY_BEFORE_NAMESPACE's reach. Has Highway's toggle instead of a plain include guard.
#if defined(FERAL_TENSOR_CPU_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_ROWS_INL
#undef FERAL_TENSOR_CPU_ROWS_INL
#else
#define FERAL_TENSOR_CPU_ROWS_INL
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Whether elements of this size can be loaded and stored under a mask that spares what lies behind the last.
template <class T>
constexpr bool has_masks() {
  return HWY_MEM_OPS_MIGHT_FAULT == 0 || (HWY_TARGET == HWY_AVX2 && sizeof(T) >= 4);
}

// Up to a vector of elements, `stride` apart; lanes past n are 0.
template <class D, class T = hn::TFromD<D>>
HWY_ATTR hn::Vec<D> load_some(D d, const T* from, std::size_t n, std::int64_t stride) {
  if constexpr (has_masks<T>()) {
    if (stride == 1) return hn::MaskedLoad(hn::FirstN(d, n), d, from);
  }
  HWY_ALIGN T lanes[hn::MaxLanes(D())] = {};
  if (stride == 1) {
    std::memcpy(lanes, from, n * sizeof(T));
    return hn::Load(d, lanes);
  }
  for (std::size_t i = 0; i < n; ++i) lanes[i] = from[static_cast<std::int64_t>(i) * stride];
  return hn::Load(d, lanes);
}

template <class D, class T = hn::TFromD<D>>
HWY_ATTR void store_some(D d, hn::Vec<D> v, T* to, std::size_t n, std::int64_t stride) {
  if constexpr (has_masks<T>()) {
    if (stride == 1) return hn::BlendedStore(v, hn::FirstN(d, n), d, to);
  }
  HWY_ALIGN T lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  if (stride == 1) {
    std::memcpy(to, lanes, n * sizeof(T));
    return;
  }
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

// Outputs of this size leave the caches before anyone reads them: they are written around them, which spares
// reading what they overwrite. Not in place.
constexpr std::int64_t streamed_bytes = std::int64_t{32} << 20;

template <class D, class T = hn::TFromD<D>>
HWY_ATTR bool streams(D d, const T* to, const T* a, const T* b, std::int64_t n) {
  return n * static_cast<std::int64_t>(sizeof(T)) >= streamed_bytes && to != a && to != b &&
         reinterpret_cast<std::uintptr_t>(to) % (hn::Lanes(d) * sizeof(T)) == 0;
}

// out = op(x), op on vectors.
template <class T, class Op>
HWY_ATTR void unary_row_of(const Op& op, std::byte* out, const std::byte* x, std::int64_t n,
                           std::int64_t out_stride, std::int64_t x_stride) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  if (out_stride == 1 && x_stride == 1) {
    const T* from = reinterpret_cast<const T*>(x);
    T* to = reinterpret_cast<T*>(out);
    if (HWY_UNLIKELY(streams(d, to, from, from, n))) {
      for (; i + lanes <= n; i += lanes) hn::Stream(op(d, hn::LoadU(d, from + i)), d, to + i);
      hwy::FlushStream();
    }
    for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, hn::LoadU(d, from + i)), d, to + i);
  }
  if (i == n) return;
  const Operand<decltype(d)> operand(d, x, x_stride);
  for (; i < n; i += lanes) {
    const auto count = static_cast<std::size_t>(HWY_MIN(lanes, n - i));
    store(d, op(d, operand.load(d, i, count)), out, i, count, out_stride);
  }
}

template <class Op, class T>
HWY_ATTR void unary_row(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                        std::int64_t x_stride) {
  unary_row_of<T>(Op(), out, x, n, out_stride, x_stride);
}

// out = op(a, b), op on vectors.
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
    if (HWY_UNLIKELY(streams(d, to, from_a, from_b, n))) {
      for (; i + lanes <= n; i += lanes) {
        hn::Stream(op(d, hn::LoadU(d, from_a + i), hn::LoadU(d, from_b + i)), d, to + i);
      }
      hwy::FlushStream();
    }
    for (; i + lanes <= n; i += lanes) {
      hn::StoreU(op(d, hn::LoadU(d, from_a + i), hn::LoadU(d, from_b + i)), d, to + i);
    }
  } else if (out_stride == 1 && a_stride == 1 && b_stride == 0) {
    const T* from_a = reinterpret_cast<const T*>(a);
    T* to = reinterpret_cast<T*>(out);
    const auto same = hn::Set(d, *reinterpret_cast<const T*>(b));
    for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, hn::LoadU(d, from_a + i), same), d, to + i);
  } else if (out_stride == 1 && a_stride == 0 && b_stride == 1) {
    const T* from_b = reinterpret_cast<const T*>(b);
    T* to = reinterpret_cast<T*>(out);
    const auto same = hn::Set(d, *reinterpret_cast<const T*>(a));
    for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, same, hn::LoadU(d, from_b + i)), d, to + i);
  }
  if (i == n) return;
  const Operand<decltype(d)> operand_a(d, a, a_stride);
  const Operand<decltype(d)> operand_b(d, b, b_stride);
  for (; i < n; i += lanes) {
    const auto count = static_cast<std::size_t>(HWY_MIN(lanes, n - i));
    store(d, op(d, operand_a.load(d, i, count), operand_b.load(d, i, count)), out, i, count, out_stride);
  }
}

// The same for functions of one element: the C library's, and integers, which the compiler vectorizes.
template <class Function, class Out, class In>
HWY_ATTR void unary_scalar_row(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                               std::int64_t x_stride) {
  const Function function;
  Out* to = reinterpret_cast<Out*>(out);
  const In* from = reinterpret_cast<const In*>(x);
  if (out_stride == 1 && x_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<Out>(function(from[i]));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) to[i * out_stride] = static_cast<Out>(function(from[i * x_stride]));
}

template <class Function, class Out, class In>
HWY_ATTR void binary_scalar_row(std::byte* out, const std::byte* a, const std::byte* b, std::int64_t n,
                                std::int64_t out_stride, std::int64_t a_stride, std::int64_t b_stride) {
  const Function function;
  Out* to = reinterpret_cast<Out*>(out);
  const In* from_a = reinterpret_cast<const In*>(a);
  const In* from_b = reinterpret_cast<const In*>(b);
  if (out_stride == 1 && a_stride == 1 && b_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<Out>(function(from_a[i], from_b[i]));
    return;
  }
  if (out_stride == 1 && a_stride == 1 && b_stride == 0) {
    const In same = from_b[0];
    for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<Out>(function(from_a[i], same));
    return;
  }
  if (out_stride == 1 && a_stride == 0 && b_stride == 1) {
    const In same = from_a[0];
    for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<Out>(function(same, from_b[i]));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    to[i * out_stride] = static_cast<Out>(function(from_a[i * a_stride], from_b[i * b_stride]));
  }
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
