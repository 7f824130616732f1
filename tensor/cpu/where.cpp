// Choosing between two operands, element by element.
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/strided_loop.hpp"

namespace feral::cpu {

void where(const Tensor& out, const Tensor& condition, const Tensor& a, const Tensor& b) {
  const StridedLoop<4> loop({&out, &condition, &a, &b});
  visit_dtype(out.dtype(), [&]<class T>() {
    loop.for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      T* to = reinterpret_cast<T*>(out.raw_data()) + offsets[0];
      const bool* choose = reinterpret_cast<const bool*>(condition.raw_data()) + offsets[1];
      const T* from_a = reinterpret_cast<const T*>(a.raw_data()) + offsets[2];
      const T* from_b = reinterpret_cast<const T*>(b.raw_data()) + offsets[3];
      if (strides[0] == 1 && strides[1] == 1 && strides[2] == 1 && strides[3] == 1) {
        for (std::int64_t i = 0; i < n; ++i) {
          const T first = from_a[i];  // both are read: the compiler makes vectors of it
          const T second = from_b[i];
          to[i] = choose[i] ? first : second;
        }
        return;
      }
      for (std::int64_t i = 0; i < n; ++i) {
        to[i * strides[0]] = choose[i * strides[1]] ? from_a[i * strides[2]] : from_b[i * strides[3]];
      }
    });
  });
}

}  // namespace feral::cpu
