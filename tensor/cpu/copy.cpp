// Copies with conversion, and fills, over any strides. The loops of conversions are compiled once an instruction
// set; the compiler makes vectors of them.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/copy.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <cmath>
#include <cstring>

#include "tensor/cpu/converted.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/row_types.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

template <class To, class From>
HWY_ATTR void convert_row(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                          std::int64_t x_stride) {
  To* to = reinterpret_cast<To*>(out);
  const From* from = reinterpret_cast<const From*>(x);
  if (out_stride == 1 && x_stride == 1) {
    if constexpr (std::is_same_v<To, From>) {
      std::memcpy(out, x, static_cast<std::size_t>(n) * sizeof(To));
    } else if constexpr (std::is_same_v<From, bool>) {  // read as bytes, or the compiler makes no vectors
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(x);
      for (std::int64_t i = 0; i < n; ++i) to[i] = converted<To>(bytes[i]);
    } else {
      for (std::int64_t i = 0; i < n; ++i) to[i] = converted<To>(from[i]);
    }
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) to[i * out_stride] = converted<To>(from[i * x_stride]);
}

UnaryRow pick_convert(DType to, DType from) {
  return visit_dtype(to, [&]<class To>() -> UnaryRow {
    return visit_dtype(from, []<class From>() -> UnaryRow { return convert_row<To, From>; });
  });
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_convert);

void copy(const Tensor& out, const Tensor& x) {
  run_rows(HWY_DYNAMIC_DISPATCH(pick_convert)(out.dtype(), x.dtype()), out, x);
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
      if (strides[0] == 1) {
        for (std::int64_t i = 0; i < n; ++i) to[i] = element;
        return;
      }
      for (std::int64_t i = 0; i < n; ++i) to[i * strides[0]] = element;
    });
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
