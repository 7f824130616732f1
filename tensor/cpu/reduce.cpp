// Sums and argmax.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/reduce.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <cmath>
#include <cstring>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/strided_loop.hpp"

#ifndef FERAL_TENSOR_CPU_REDUCE_ONCE
#define FERAL_TENSOR_CPU_REDUCE_ONCE
namespace feral::cpu {
// out (one element, or n of them when out_stride is 1) += the n elements of x.
using SumRow = void (*)(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                        std::int64_t x_stride);
}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Four partial sums a lane keep the error of a long float32 row near that of pairwise summation.
template <class T>
HWY_ATTR T sum_contiguous(const T* x, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sum0 = hn::Zero(d);
  auto sum1 = hn::Zero(d);
  auto sum2 = hn::Zero(d);
  auto sum3 = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    sum0 = hn::Add(sum0, hn::LoadU(d, x + i));
    sum1 = hn::Add(sum1, hn::LoadU(d, x + i + lanes));
    sum2 = hn::Add(sum2, hn::LoadU(d, x + i + 2 * lanes));
    sum3 = hn::Add(sum3, hn::LoadU(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) sum0 = hn::Add(sum0, hn::LoadU(d, x + i));
  T total = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
  for (; i < n; ++i) total += x[i];
  return total;
}

template <class T>
HWY_ATTR void sum_row(std::byte* out_bytes, const std::byte* x_bytes, std::int64_t n, std::int64_t out_stride,
                      std::int64_t x_stride) {
  T* out = reinterpret_cast<T*>(out_bytes);
  const T* x = reinterpret_cast<const T*>(x_bytes);
  if (out_stride == 0 && x_stride == 1) {
    // Long rows in pieces: float32 sums of millions of elements stay accurate.
    constexpr std::int64_t piece = 4096;
    double total = 0;
    for (std::int64_t i = 0; i < n; i += piece) total += sum_contiguous(x + i, HWY_MIN(piece, n - i));
    *out = static_cast<T>(*out + total);
  } else if (out_stride == 1 && x_stride == 1) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      hn::StoreU(hn::Add(hn::LoadU(d, out + i), hn::LoadU(d, x + i)), d, out + i);
    }
    for (; i < n; ++i) out[i] += x[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i * out_stride] += x[i * x_stride];
  }
}

SumRow pick_sum(DType dtype) { return dtype == DType::float64 ? sum_row<double> : sum_row<float>; }

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_sum);

namespace {
template <class T>
bool is_nan(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value);
  } else {
    return false;
  }
}
}  // namespace

void sum_to(const Tensor& out, const Tensor& x) {
  fill(out, 0);
  const SumRow row = HWY_DYNAMIC_DISPATCH(pick_sum)(x.dtype());
  const auto size = static_cast<std::int64_t>(size_of(x.dtype()));
  // x sets the shape; out has stride 0 along the summed dimensions.
  StridedLoop<2>({&x, &out}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    row(out.raw_data() + offsets[1] * size, x.raw_data() + offsets[0] * size, n, strides[1], strides[0]);
  });
}

void argmax(const Tensor& out, const Tensor& x, int dim) {
  const std::int64_t length = x.shape()[dim];
  const std::int64_t step = x.strides()[dim];
  // One position of `out` is one line of `x` along `dim`: walk x with that dimension cut down to its first element.
  Shape cut = x.shape();
  cut[dim] = 1;
  x.impl()->storage->retain();
  const Tensor lines =
      Tensor::adopt(TensorImpl::create(x.impl()->storage, x.raw_data(), cut, x.strides(), x.dtype()));
  std::int64_t* to = out.data<std::int64_t>();
  visit_dtype(x.dtype(), [&]<class T>() {
    const T* from = reinterpret_cast<const T*>(x.raw_data());
    std::int64_t line = 0;
    StridedLoop<1>({&lines}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      for (std::int64_t i = 0; i < n; ++i) {
        const T* first = from + offsets[0] + i * strides[0];
        std::int64_t best = 0;
        T largest = first[0];
        for (std::int64_t k = 1; k < length && !is_nan(largest); ++k) {
          const T value = first[k * step];
          if (value > largest || is_nan(value)) {
            largest = value;
            best = k;
          }
        }
        to[line++] = best;
      }
    });
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
