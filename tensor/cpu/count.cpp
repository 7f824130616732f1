// Counting elements by value.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/strided_loop.hpp"

namespace feral::cpu {
namespace {

// Calls each(element) for the elements of x in row-major order.
template <class T, class Each>
void for_each_element(const Tensor& x, Each&& each) {
  StridedLoop<1>({&x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    const T* row = reinterpret_cast<const T*>(x.raw_data()) + offsets[0];
    for (std::int64_t i = 0; i < n; ++i) each(row[i * strides[0]]);
  });
}

}  // namespace

void bincount(const Tensor& out, const Tensor& x, const Tensor& weights) {
  fill(out, 0);
  visit_dtype(x.dtype(), [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      if (!weights.defined()) {
        std::int64_t* const counts = out.data<std::int64_t>();
        for_each_element<T>(x, [&](T value) { ++counts[static_cast<std::int64_t>(value)]; });
        return;
      }
      visit_floating(out.dtype(), [&]<class W>() {
        W* const sums = reinterpret_cast<W*>(out.raw_data());
        StridedLoop<2>({&x, &weights}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
          const T* row = reinterpret_cast<const T*>(x.raw_data()) + offsets[0];
          const W* weight = reinterpret_cast<const W*>(weights.raw_data()) + offsets[1];
          for (std::int64_t i = 0; i < n; ++i) {
            sums[static_cast<std::int64_t>(row[i * strides[0]])] += weight[i * strides[1]];
          }
        });
      });
    }
  });
}

IntegerRange integer_range(const Tensor& x) {
  IntegerRange range{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  visit_dtype(x.dtype(), [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      T smallest = std::numeric_limits<T>::max();
      T largest = std::numeric_limits<T>::min();
      for_each_element<T>(x, [&](T value) {
        smallest = std::min(smallest, value);
        largest = std::max(largest, value);
      });
      range = {static_cast<std::int64_t>(smallest), static_cast<std::int64_t>(largest)};
    }
  });
  return range;
}

}  // namespace feral::cpu
