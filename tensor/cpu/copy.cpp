// Copies with conversion, and fills, over any strides.
#include <cmath>
#include <cstring>

#include "tensor/cpu/converted.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/strided_loop.hpp"

namespace feral::cpu {

void copy(const Tensor& out, const Tensor& x) {
  const StridedLoop<2> loop({&out, &x});
  visit_dtype(out.dtype(), [&]<class To>() {
    visit_dtype(x.dtype(), [&]<class From>() {
      loop.for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
        To* to = reinterpret_cast<To*>(out.raw_data()) + offsets[0];
        const From* from = reinterpret_cast<const From*>(x.raw_data()) + offsets[1];
        if constexpr (std::is_same_v<To, From>) {
          if (strides[0] == 1 && strides[1] == 1) {
            std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(To));
            return;
          }
        }
        for (std::int64_t i = 0; i < n; ++i) to[i * strides[0]] = converted<To>(from[i * strides[1]]);
      });
    });
  });
}

void fill(const Tensor& out, Scalar scalar) {
  const double value = scalar.value;
  visit_dtype(out.dtype(), [&]<class T>() {
    const T element = scalar.floating ? converted<T>(value) : converted<T>(scalar.integer);
    StridedLoop<1>({&out}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      T* to = reinterpret_cast<T*>(out.raw_data()) + offsets[0];
      if (strides[0] == 1 && value == 0 && !std::signbit(value)) {
        std::memset(static_cast<void*>(to), 0, static_cast<std::size_t>(n) * sizeof(T));
        return;
      }
      for (std::int64_t i = 0; i < n; ++i) to[i * strides[0]] = element;
    });
  });
}

}  // namespace feral::cpu
