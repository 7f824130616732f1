// Counting floats by ranges of equal width: the ranges' numbers as vectors, then one increment per element.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/histogram.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/strided_loop.hpp"
#include "tensor/cpu/tiles.hpp"
#include "tensor/cpu/workspace.hpp"

#ifndef FERAL_TENSOR_CPU_HISTOGRAM_ONCE
#define FERAL_TENSOR_CPU_HISTOGRAM_ONCE
namespace feral::cpu {

template <class T>
struct Bins {
  T first;
  T last;
  std::int64_t count;
};

// Adds 1 to the element's bin, bins.count for what is in none, in one of `tables` that stand one after another: an
// increment need not wait for that of its neighbour in the same bin.
template <class T>
using CountInto = void (*)(std::int64_t* counts, std::int64_t tables, const T* x, std::int64_t n,
                           const Bins<T>& bins);

// The range of some elements.
template <class T>
struct Range {
  T smallest = std::numeric_limits<T>::infinity();
  T largest = -std::numeric_limits<T>::infinity();
  bool nan = false;
};
template <class T>
using WidenRange = void (*)(Range<T>& range, const T* x, std::int64_t n);

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_ATTR void count_into(std::int64_t* counts, std::int64_t tables, const T* x, std::int64_t n,
                         const Bins<T>& bins) {
  const hn::ScalableTag<T> d;
  const hn::RebindToSigned<decltype(d)> di;
  using I = hn::TFromD<decltype(di)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto first = hn::Set(d, bins.first);
  const auto last = hn::Set(d, bins.last);
  const auto count = hn::Set(d, static_cast<T>(bins.count));
  const auto width = hn::Set(d, bins.last - bins.first);
  const auto none = hn::Set(di, static_cast<I>(bins.count));
  const auto highest = hn::Set(di, static_cast<I>(bins.count - 1));
  const std::int64_t size = bins.count + 1;
  HWY_ALIGN T values[hn::MaxLanes(hn::ScalableTag<T>())] = {};
  HWY_ALIGN I places[hn::MaxLanes(hn::ScalableTag<T>())];
  for (std::int64_t i = 0; i < n; i += lanes) {
    const std::int64_t some = std::min(lanes, n - i);
    if (some < lanes) std::copy_n(x + i, some, values);
    const auto value = some < lanes ? hn::Load(d, values) : hn::LoadU(d, x + i);
    const auto inside = hn::And(hn::Ge(value, first), hn::Le(value, last));  // NaN is not
    // Rounded as PyTorch's torch.histc does.
    const auto place = hn::Min(hn::Div(hn::Mul(hn::Sub(value, first), count), width), count);
    const auto bin = hn::Min(hn::ConvertTo(di, hn::IfThenElseZero(inside, place)), highest);
    hn::Store(hn::IfThenElse(hn::RebindMask(di, inside), bin, none), di, places);
    if (tables == 4 && some == lanes && lanes % 4 == 0) {
      for (std::int64_t j = 0; j < lanes; j += 4) {
        ++counts[places[j]];
        ++counts[size + places[j + 1]];
        ++counts[2 * size + places[j + 2]];
        ++counts[3 * size + places[j + 3]];
      }
    } else {
      for (std::int64_t j = 0; j < some; ++j) ++counts[places[j]];
    }
  }
}

template <class T>
HWY_ATTR void widen_range(Range<T>& range, const T* x, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto smallest = hn::Set(d, range.smallest);
  auto largest = hn::Set(d, range.largest);
  auto nan = hn::IsNaN(smallest);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto value = hn::LoadU(d, x + i);
    nan = hn::Or(nan, hn::IsNaN(value));
    smallest = hn::Min(smallest, value);
    largest = hn::Max(largest, value);
  }
  range.nan = range.nan || !hn::AllFalse(d, nan);
  range.smallest = hn::GetLane(hn::MinOfLanes(d, smallest));
  range.largest = hn::GetLane(hn::MaxOfLanes(d, largest));
  for (; i < n; ++i) {
    range.nan = range.nan || x[i] != x[i];
    range.smallest = std::min(range.smallest, x[i]);
    range.largest = std::max(range.largest, x[i]);
  }
}

CountInto<float> pick_count32() { return count_into<float>; }
CountInto<double> pick_count64() { return count_into<double>; }
WidenRange<float> pick_widen32() { return widen_range<float>; }
WidenRange<double> pick_widen64() { return widen_range<double>; }

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_count32);
HWY_EXPORT(pick_count64);
HWY_EXPORT(pick_widen32);
HWY_EXPORT(pick_widen64);

namespace {

// Calls block(elements, n) with all elements of x, contiguous.
template <class T, class Block>
void for_each_contiguous(const Tensor& x, Block&& block) {
  constexpr std::int64_t most = 1024;
  T gathered[most];
  StridedLoop<1>({&x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    const T* row = reinterpret_cast<const T*>(x.raw_data()) + offsets[0];
    if (strides[0] == 1) return block(row, n);
    for (std::int64_t i = 0; i < n; i += most) {
      const std::int64_t some = std::min(most, n - i);
      copy_strided(reinterpret_cast<std::byte*>(gathered), 1,
                   reinterpret_cast<const std::byte*>(row + i * strides[0]), strides[0], some, sizeof(T));
      block(gathered, some);
    }
  });
}

// More bins than int32 numbers: element by element.
template <class T>
void count_one_by_one(std::int64_t* counts, const T* x, std::int64_t n, const Bins<T>& bins) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (!(x[i] >= bins.first && x[i] <= bins.last)) continue;
    const T place = (x[i] - bins.first) * static_cast<T>(bins.count) / (bins.last - bins.first);
    const auto bin = static_cast<std::int64_t>(std::min(place, static_cast<T>(bins.count)));
    ++counts[std::min(bin, bins.count - 1)];
  }
}

template <class T>
void histogram_of(CountInto<T> count_into, const Tensor& out, const Tensor& x, const Bins<T>& bins) {
  const std::int64_t tables = bins.count <= 4096 && x.numel() > 4 * bins.count ? 4 : 1;
  const std::int64_t size = bins.count + 1;
  const Workspace workspace(static_cast<std::size_t>(tables * size) * sizeof(std::int64_t));
  auto* const counts = reinterpret_cast<std::int64_t*>(workspace.get());
  std::fill_n(counts, tables * size, 0);
  for_each_contiguous<T>(x, [&](const T* from, std::int64_t n) {
    if (bins.count > std::numeric_limits<std::int32_t>::max() / 2) return count_one_by_one(counts, from, n, bins);
    count_into(counts, tables, from, n, bins);
  });
  T* const to = reinterpret_cast<T*>(out.raw_data());
  for (std::int64_t i = 0; i < bins.count; ++i) {
    std::int64_t sum = 0;
    for (std::int64_t table = 0; table < tables; ++table) sum += counts[table * size + i];
    to[i] = static_cast<T>(sum);
  }
}

template <class T>
FloatRange range_of(WidenRange<T> widen, const Tensor& x) {
  Range<T> range;
  for_each_contiguous<T>(x, [&](const T* from, std::int64_t n) { widen(range, from, n); });
  const double none = std::numeric_limits<double>::quiet_NaN();
  return range.nan ? FloatRange{none, none}
                   : FloatRange{static_cast<double>(range.smallest), static_cast<double>(range.largest)};
}

}  // namespace

void histogram(const Tensor& out, const Tensor& x, double low, double high) {
  const std::int64_t bins = out.numel();
  if (x.dtype() == DType::float64) {
    histogram_of<double>(HWY_DYNAMIC_DISPATCH(pick_count64)(), out, x, {low, high, bins});
  } else {
    histogram_of<float>(HWY_DYNAMIC_DISPATCH(pick_count32)(), out, x,
                        {static_cast<float>(low), static_cast<float>(high), bins});
  }
}

FloatRange float_range(const Tensor& x) {
  return x.dtype() == DType::float64 ? range_of<double>(HWY_DYNAMIC_DISPATCH(pick_widen64)(), x)
                                     : range_of<float>(HWY_DYNAMIC_DISPATCH(pick_widen32)(), x);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
