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
#include "tensor/half.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

// What Float16 does, branch-free: the instructions for it would quiet NaNs.

template <class D, class V>
HWY_ATTR V float_bits_of_half(D d, V half) {
  const hn::RebindToFloat<D> df;
  const auto sign = hn::ShiftLeft<16>(hn::And(half, hn::Set(d, 0x8000U)));
  const auto magnitude = hn::And(half, hn::Set(d, 0x7fffU));
  const auto wide = hn::ShiftLeft<13>(magnitude);
  const auto normal = hn::Add(wide, hn::Set(d, 0x38000000U));
  const auto special = hn::Or(wide, hn::Set(d, 0x7f800000U));
  const hn::RebindToSigned<D> di;
  const auto subnormal =
      hn::BitCast(d, hn::Mul(hn::ConvertTo(df, hn::BitCast(di, magnitude)), hn::Set(df, 0x1p-24F)));
  const auto number = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0x400U)), subnormal, normal);
  return hn::Or(sign, hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0x7c00U)), number, special));
}

template <class D, class V>
HWY_ATTR V half_bits_of_float(D d, V word) {
  const hn::RebindToFloat<D> df;
  const auto sign = hn::And(hn::ShiftRight<16>(word), hn::Set(d, 0x8000U));
  const auto magnitude = hn::And(word, hn::Set(d, 0x7fffffffU));
  const auto shifted = hn::ShiftRight<13>(magnitude);
  const auto nan = hn::Or(hn::Set(d, 0x7e00U), hn::And(shifted, hn::Set(d, 0x3ffU)));
  const auto odd = hn::And(shifted, hn::Set(d, 1U));
  const auto normal = hn::ShiftRight<13>(hn::Add(hn::Sub(magnitude, hn::Set(d, 0x38000000U - 0xfffU)), odd));
  const auto aligned = hn::Add(hn::BitCast(df, magnitude), hn::Set(df, 0.5F));
  const auto subnormal = hn::Sub(hn::BitCast(d, aligned), hn::BitCast(d, hn::Set(df, 0.5F)));
  const auto number = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0x38800000U)), subnormal, normal);
  const auto finite = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0x477ff000U)), number, hn::Set(d, 0x7c00U));
  return hn::Or(sign, hn::IfThenElse(hn::Gt(magnitude, hn::Set(d, 0x7f800000U)), nan, finite));
}

// As many elements as whole vectors hold; the number of them.
HWY_ATTR std::int64_t convert_vectors(float* to, const Float16* from, std::int64_t n) {
  const hn::ScalableTag<std::uint32_t> d;
  const hn::Rebind<std::uint16_t, decltype(d)> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto half = hn::PromoteTo(d, hn::LoadU(narrow, reinterpret_cast<const std::uint16_t*>(from + i)));
    hn::StoreU(hn::BitCast(hn::RebindToFloat<decltype(d)>(), float_bits_of_half(d, half)),
               hn::RebindToFloat<decltype(d)>(), to + i);
  }
  return i;
}

HWY_ATTR std::int64_t convert_vectors(Float16* to, const float* from, std::int64_t n) {
  const hn::ScalableTag<std::uint32_t> d;
  const hn::Rebind<std::uint16_t, decltype(d)> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto word = hn::BitCast(d, hn::LoadU(hn::RebindToFloat<decltype(d)>(), from + i));
    hn::StoreU(hn::TruncateTo(narrow, half_bits_of_float(d, word)), narrow,
               reinterpret_cast<std::uint16_t*>(to + i));
  }
  return i;
}

#endif

// Other types: the compiler makes the vectors.
template <class To, class From>
std::int64_t convert_vectors(To*, const From*, std::int64_t) {
  return 0;
}

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
      for (std::int64_t i = convert_vectors(to, from, n); i < n; ++i) to[i] = converted<To>(from[i]);
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
