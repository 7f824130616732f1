// Bags of rows of a table.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/embedding.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <cstdint>

#include "tensor/cpu/kernels.hpp"
#include "tensor/racy.hpp"

#ifndef FERAL_TENSOR_CPU_EMBEDDING_ONCE
#define FERAL_TENSOR_CPU_EMBEDDING_ONCE
namespace feral::cpu {

// One bag of rows of d contiguous elements; T is float or double.
template <class T>
struct BagOf {
  T* out;
  const T* table;
  std::int64_t row_step;
  std::int64_t d;
  const std::int64_t* index;  // of its rows
  const T* scales;            // of its rows, or null
  std::int64_t n;
  std::int64_t padding;
};
using SumBag = void (*)(const void* bag);

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Elements of a live shared parameter (tensor/racy.hpp).
template <class D, class T = hn::TFromD<D>>
HWY_ATTR hn::Vec<D> load_live(D d, const T* from) {
#ifdef FERAL_RACY_ATOMICS
  HWY_ALIGN T lanes[hn::MaxLanes(D())];
  racy_copy(lanes, from, hn::Lanes(d));
  return hn::Load(d, lanes);
#else
  return hn::LoadU(d, from);
#endif
}

// The sums of `vectors` neighbouring vectors of columns from j on, kept in registers over all rows.
template <int vectors, class T>
HWY_ATTR void sum_columns(const BagOf<T>& bag, std::int64_t j) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sum0 = hn::Zero(d);
  auto sum1 = hn::Zero(d);
  auto sum2 = hn::Zero(d);
  auto sum3 = hn::Zero(d);
  for (std::int64_t i = 0; i < bag.n; ++i) {
    if (bag.index[i] == bag.padding) continue;
    const T* row = bag.table + bag.index[i] * bag.row_step + j;
    const auto scale = hn::Set(d, bag.scales != nullptr ? bag.scales[i] : T{1});
    sum0 = hn::MulAdd(scale, load_live(d, row), sum0);
    if constexpr (vectors == 4) {
      sum1 = hn::MulAdd(scale, load_live(d, row + lanes), sum1);
      sum2 = hn::MulAdd(scale, load_live(d, row + 2 * lanes), sum2);
      sum3 = hn::MulAdd(scale, load_live(d, row + 3 * lanes), sum3);
    }
  }
  hn::StoreU(sum0, d, bag.out + j);
  if constexpr (vectors == 4) {
    hn::StoreU(sum1, d, bag.out + j + lanes);
    hn::StoreU(sum2, d, bag.out + j + 2 * lanes);
    hn::StoreU(sum3, d, bag.out + j + 3 * lanes);
  }
}

template <class T>
HWY_ATTR void sum_bag(const void* argument) {
  const auto& bag = *static_cast<const BagOf<T>*>(argument);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  std::int64_t j = 0;
  for (; j + 4 * lanes <= bag.d; j += 4 * lanes) sum_columns<4>(bag, j);
  for (; j + lanes <= bag.d; j += lanes) sum_columns<1>(bag, j);
  for (; j < bag.d; ++j) {
    T sum = 0;
    for (std::int64_t i = 0; i < bag.n; ++i) {
      if (bag.index[i] == bag.padding) continue;
      const T value = racy_load(bag.table + bag.index[i] * bag.row_step + j);
      sum += bag.scales != nullptr ? bag.scales[i] * value : value;
    }
    bag.out[j] = sum;
  }
}

SumBag sum_bag_of(DType dtype) { return dtype == DType::float64 ? sum_bag<double> : sum_bag<float>; }

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(sum_bag_of);

namespace {

// The largest elements of a bag's rows, `stride` apart, and the rows that have them.
template <class T>
void largest_of_bag(const BagOf<T>& bag, std::int64_t stride, std::int64_t* winners) {
  bool first = true;
  for (std::int64_t i = 0; i < bag.n; ++i) {
    if (bag.index[i] == bag.padding) continue;
    const T* row = bag.table + bag.index[i] * bag.row_step;
    for (std::int64_t j = 0; j < bag.d; ++j) {
      const T value = racy_load(row + j * stride);
      const bool larger = first || value > bag.out[j] || (value != value && bag.out[j] == bag.out[j]);
      bag.out[j] = larger ? value : bag.out[j];
      if (winners != nullptr) winners[j] = larger ? bag.index[i] : winners[j];
    }
    first = false;
  }
}

// Sums of rows whose elements lie `stride` apart.
template <class T>
void sum_strided_bag(const BagOf<T>& bag, std::int64_t stride) {
  for (std::int64_t i = 0; i < bag.n; ++i) {
    if (bag.index[i] == bag.padding) continue;
    const T* row = bag.table + bag.index[i] * bag.row_step;
    const T scale = bag.scales != nullptr ? bag.scales[i] : T{1};
    for (std::int64_t j = 0; j < bag.d; ++j) bag.out[j] += scale * racy_load(row + j * stride);
  }
}

}  // namespace

void embedding_bag(BagKernel kernel, const Tensor& out, const Tensor& winners, const Tensor& weight,
                   const Tensor& indices, const Tensor& bounds, const Tensor& scales, std::int64_t padding) {
  const std::int64_t d = weight.shape()[1];
  const std::int64_t stride = weight.strides()[1];
  const std::int64_t* bound = bounds.data<std::int64_t>();
  const SumBag sum = HWY_DYNAMIC_DISPATCH(sum_bag_of)(weight.dtype());
  fill(out, 0);
  if (winners.defined()) fill(winners, 0);
  visit_floating(weight.dtype(), [&]<class T>() {
    for (std::int64_t b = 0; b < out.shape()[0]; ++b) {
      const BagOf<T> bag{.out = out.data<T>() + b * d,
                         .table = weight.data<T>(),
                         .row_step = weight.strides()[0],
                         .d = d,
                         .index = indices.data<std::int64_t>() + bound[b],
                         .scales = scales.defined() ? scales.data<T>() + bound[b] : nullptr,
                         .n = bound[b + 1] - bound[b],
                         .padding = padding};
      if (kernel == BagKernel::max) {
        largest_of_bag(bag, stride, winners.defined() ? winners.data<std::int64_t>() + b * d : nullptr);
        continue;
      }
      if (stride == 1 || d == 1) {
        sum(&bag);
      } else {
        sum_strided_bag(bag, stride);
      }
      if (kernel != BagKernel::mean) continue;
      std::int64_t count = 0;
      for (std::int64_t i = 0; i < bag.n; ++i) count += bag.index[i] != padding ? 1 : 0;
      for (std::int64_t j = 0; count > 1 && j < d; ++j) bag.out[j] /= static_cast<T>(count);
    }
  });
}

void bag_counts(const Tensor& counts, const Tensor& indices, const Tensor& bounds, std::int64_t padding) {
  const std::int64_t* index = indices.data<std::int64_t>();
  const std::int64_t* bound = bounds.data<std::int64_t>();
  for (std::int64_t b = 0; b < counts.numel(); ++b) {
    std::int64_t count = 0;
    for (std::int64_t i = bound[b]; i < bound[b + 1]; ++i) count += index[i] != padding ? 1 : 0;
    counts.data<std::int64_t>()[b] = count;
  }
}

void bag_entries(const Tensor& places, const Tensor& bags, const Tensor& indices, const Tensor& bounds,
                 std::int64_t padding) {
  const std::int64_t* index = indices.data<std::int64_t>();
  const std::int64_t* bound = bounds.data<std::int64_t>();
  std::int64_t k = 0;
  for (std::int64_t b = 0; b + 1 < bounds.numel(); ++b) {
    for (std::int64_t i = bound[b]; i < bound[b + 1]; ++i) {
      if (index[i] == padding) continue;
      places.data<std::int64_t>()[k] = i;
      bags.data<std::int64_t>()[k] = b;
      ++k;
    }
  }
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
