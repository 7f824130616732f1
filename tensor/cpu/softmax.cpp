// Softmax and its logarithm.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/softmax.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/line_vectors-inl.hpp"
#include "tensor/cpu/lines.hpp"
#include "tensor/cpu/math-inl.hpp"
#include "tensor/cpu/workspace.hpp"

#ifndef FERAL_TENSOR_CPU_SOFTMAX_ONCE
#define FERAL_TENSOR_CPU_SOFTMAX_ONCE
namespace feral::cpu {

// Lines side by side that are done at once.
inline constexpr std::int64_t softmax_columns = 256;

struct SoftmaxKernel {
  // One contiguous line of n.
  void (*line)(std::byte* out, const std::byte* x, std::int64_t n, bool logarithm);
  // Up to softmax_columns lines side by side, their elements out_step and x_step apart.
  void (*columns)(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t columns, std::int64_t out_step,
                  std::int64_t x_step, bool logarithm);
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

template <class T>
HWY_ATTR void softmax_line(std::byte* out, const std::byte* bytes, std::int64_t n, bool logarithm) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T* x = reinterpret_cast<const T*>(bytes);
  T* y = reinterpret_cast<T*>(out);
  const T largest = largest_of_line(x, n);
  if (!std::isfinite(largest)) {  // a NaN, inf - inf, or nothing but -inf
    std::fill(y, y + n, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  // Shifted by the largest element no exponential overflows. Lines are filled up with it, too: a number far below
  // would take the exponential's slow way.
  const auto shift = hn::Set(d, largest);
  double total = 0;
  const std::int64_t piece = 256 * lanes;  // short enough that float32 sums stay accurate
  for (std::int64_t start = 0; start < n; start += piece) {
    auto sum = hn::Zero(d);
    const std::int64_t length = HWY_MIN(piece, n - start);
    if (logarithm) {
      for_each_vector(x + start, length, largest, [&](auto v, std::int64_t, std::int64_t count) HWY_ATTR {
        sum = hn::Add(sum, only_first(d, Exp()(d, hn::Sub(v, shift)), count));
      });
    } else {
      for_each_vector(x + start, length, largest, [&](auto v, std::int64_t i, std::int64_t count) HWY_ATTR {
        const auto e = Exp()(d, hn::Sub(v, shift));
        sum = hn::Add(sum, only_first(d, e, count));
        store_up_to(d, e, y + start + i, count);
      });
    }
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
  }
  if (logarithm) {
    const auto log_of_sum = hn::Set(d, static_cast<T>(std::log(total)));
    for_each_vector(x, n, T{0}, [&](auto v, std::int64_t i, std::int64_t count) HWY_ATTR {
      store_up_to(d, hn::Sub(hn::Sub(v, shift), log_of_sum), y + i, count);
    });
  } else {
    const auto scale = hn::Set(d, static_cast<T>(1 / total));
    for_each_vector(static_cast<const T*>(y), n, T{0}, [&](auto v, std::int64_t i, std::int64_t count) HWY_ATTR {
      store_up_to(d, hn::Mul(v, scale), y + i, count);
    });
  }
}

// The same for the columns from j on, by whole vectors of D; j moves behind them.
template <class D, class T = hn::TFromD<D>>
HWY_ATTR void softmax_vectors(D d, T* y, const T* x, std::int64_t n, std::int64_t& j, std::int64_t columns,
                              std::int64_t out_step, std::int64_t x_step, bool logarithm) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  HWY_ALIGN T shift[softmax_columns];
  HWY_ALIGN T sums[softmax_columns];
  HWY_ALIGN T partial[softmax_columns];
  const std::int64_t first = j;
  const std::int64_t end = first + (columns - first) / lanes * lanes;
  j = end;
  const auto each = [&](std::int64_t row, const T* from, std::int64_t step, const auto& body) HWY_ATTR {
    for (std::int64_t k = first; k < end; k += lanes) body(k, hn::LoadU(d, from + row * step + k));
  };
  for (std::int64_t k = first; k < end; ++k) shift[k] = -std::numeric_limits<T>::infinity();
  for (std::int64_t row = 0; row < n; ++row) {
    each(row, x, x_step, [&](std::int64_t k, auto v) HWY_ATTR {
      const auto held = hn::LoadU(d, shift + k);
      const auto stays = hn::Or(hn::Ge(held, v), hn::IsNaN(held));
      hn::StoreU(hn::IfThenElse(stays, held, v), d, shift + k);
    });
  }
  // Columns without a finite largest element become NaN at the end.
  HWY_ALIGN T end_factor[softmax_columns];
  for (std::int64_t k = first; k < end; ++k) {
    end_factor[k] = std::isfinite(shift[k]) ? T{1} : std::numeric_limits<T>::quiet_NaN();
    if (!std::isfinite(shift[k])) shift[k] = 0;
    sums[k] = 0;
  }
  constexpr std::int64_t piece = 64;
  for (std::int64_t start = 0; start < n; start += piece) {
    for (std::int64_t k = first; k < end; ++k) partial[k] = 0;
    for (std::int64_t row = start; row < HWY_MIN(start + piece, n); ++row) {
      each(row, x, x_step, [&](std::int64_t k, auto v) HWY_ATTR {
        const auto e = Exp()(d, hn::Sub(v, hn::LoadU(d, shift + k)));
        hn::StoreU(hn::Add(hn::LoadU(d, partial + k), e), d, partial + k);
        if (!logarithm) hn::StoreU(e, d, y + row * out_step + k);
      });
    }
    for (std::int64_t k = first; k < end; ++k) sums[k] += partial[k];
  }
  for (std::int64_t k = first; k < end; ++k) {
    sums[k] = (logarithm ? std::log(sums[k]) : 1 / sums[k]) * end_factor[k];
  }
  for (std::int64_t row = 0; row < n; ++row) {
    if (logarithm) {
      each(row, x, x_step, [&](std::int64_t k, auto v) HWY_ATTR {
        const auto shifted = hn::Sub(v, hn::LoadU(d, shift + k));
        hn::StoreU(hn::Sub(shifted, hn::LoadU(d, sums + k)), d, y + row * out_step + k);
      });
    } else {
      each(row, y, out_step, [&](std::int64_t k, auto v) HWY_ATTR {
        hn::StoreU(hn::Mul(v, hn::LoadU(d, sums + k)), d, y + row * out_step + k);
      });
    }
  }
}

template <class T>
HWY_ATTR void softmax_tile(std::byte* out, const std::byte* bytes, std::int64_t n, std::int64_t columns,
                           std::int64_t out_step, std::int64_t x_step, bool logarithm) {
  const T* x = reinterpret_cast<const T*>(bytes);
  T* y = reinterpret_cast<T*>(out);
  std::int64_t j = 0;
  softmax_vectors(hn::ScalableTag<T>(), y, x, n, j, columns, out_step, x_step, logarithm);
  if (j < columns) softmax_vectors(hn::CappedTag<T, 4>(), y, x, n, j, columns, out_step, x_step, logarithm);
  if (j < columns) softmax_vectors(hn::CappedTag<T, 1>(), y, x, n, j, columns, out_step, x_step, logarithm);
}

SoftmaxKernel pick_softmax(DType dtype) {
  return dtype == DType::float64 ? SoftmaxKernel{softmax_line<double>, softmax_tile<double>}
                                 : SoftmaxKernel{softmax_line<float>, softmax_tile<float>};
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_softmax);

void softmax(const Tensor& out, const Tensor& x, int dim, bool logarithm) {
  const SoftmaxKernel kernel = HWY_DYNAMIC_DISPATCH(pick_softmax)(x.dtype());
  const std::int64_t n = x.dims() == 0 ? 1 : x.shape()[dim];
  const std::int64_t step = x.dims() == 0 ? 1 : x.strides()[dim];
  const std::int64_t out_step = x.dims() == 0 ? 1 : out.strides()[dim];
  if (n == 0) return;
  visit_floating(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = out.data<T>();
    const bool strided_line = step != 1 || out_step != 1;
    const Workspace scratch(strided_line ? static_cast<std::size_t>(n) * sizeof(T) : 0);
    T* line = reinterpret_cast<T*>(scratch.get());
    for_each_line_group(out, x, dim,
                        [&](std::int64_t offset, std::int64_t out_offset, std::int64_t count, std::int64_t stride,
                            std::int64_t out_stride) {
                          if (strided_line && stride == 1 && out_stride == 1) {
                            for (std::int64_t j = 0; j < count; j += softmax_columns) {
                              kernel.columns(reinterpret_cast<std::byte*>(to + out_offset + j),
                                             reinterpret_cast<const std::byte*>(from + offset + j), n,
                                             std::min(softmax_columns, count - j), out_step, step, logarithm);
                            }
                            return;
                          }
                          for (std::int64_t j = 0; j < count; ++j) {
                            const T* source = from + offset + j * stride;
                            T* target = to + out_offset + j * out_stride;
                            if (!strided_line) {
                              kernel.line(reinterpret_cast<std::byte*>(target),
                                          reinterpret_cast<const std::byte*>(source), n, logarithm);
                              continue;
                            }
                            for (std::int64_t i = 0; i < n; ++i) line[i] = source[i * step];
                            kernel.line(scratch.get(), scratch.get(), n, logarithm);
                            for (std::int64_t i = 0; i < n; ++i) target[i * out_step] = line[i];
                          }
                        });
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
