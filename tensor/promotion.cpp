#include "tensor/promotion.hpp"

namespace feral {
namespace {

constexpr DType f4 = DType::float32;
constexpr DType f8 = DType::float64;
constexpr DType i4 = DType::int32;
constexpr DType i8 = DType::int64;
constexpr DType u1 = DType::uint8;
constexpr DType i1 = DType::int8;
constexpr DType i2 = DType::int16;
constexpr DType b1 = DType::boolean;
constexpr DType f2 = DType::float16;
constexpr DType g2 = DType::bfloat16;

// Rows and columns in the order of DType; checked against PyTorch's (tests/fixtures/promotion/).
constexpr DType table[dtype_count][dtype_count] = {
    // f4 f8  i4  i8  u1  i1  i2  b1  f2  g2
    {f4, f8, f4, f4, f4, f4, f4, f4, f4, f4},  // float32
    {f8, f8, f8, f8, f8, f8, f8, f8, f8, f8},  // float64
    {f4, f8, i4, i8, i4, i4, i4, i4, f2, g2},  // int32
    {f4, f8, i8, i8, i8, i8, i8, i8, f2, g2},  // int64
    {f4, f8, i4, i8, u1, i2, i2, u1, f2, g2},  // uint8
    {f4, f8, i4, i8, i2, i1, i2, i1, f2, g2},  // int8
    {f4, f8, i4, i8, i2, i2, i2, i2, f2, g2},  // int16
    {f4, f8, i4, i8, u1, i1, i2, b1, f2, g2},  // bool
    {f4, f8, f2, f2, f2, f2, f2, f2, f2, f4},  // float16
    {f4, f8, g2, g2, g2, g2, g2, g2, f4, g2},  // bfloat16
};

int kind_of(DType dtype) noexcept { return dtype == DType::boolean ? 0 : is_floating(dtype) ? 2 : 1; }

}  // namespace

DType promote(DType a, DType b) noexcept { return table[static_cast<int>(a)][static_cast<int>(b)]; }

DType promote(const Tensor& a, const Tensor& b) noexcept {
  if (a.dtype() == b.dtype() || (a.dims() == 0) == (b.dims() == 0)) return promote(a.dtype(), b.dtype());
  const Tensor& number = a.dims() == 0 ? a : b;
  const Tensor& other = a.dims() == 0 ? b : a;
  return kind_of(number.dtype()) <= kind_of(other.dtype()) ? other.dtype() : promote(a.dtype(), b.dtype());
}

}  // namespace feral
