#include "tensor/dtype.hpp"

#include <gtest/gtest.h>

namespace feral {
namespace {

constexpr DType all_dtypes[] = {DType::float32, DType::float64, DType::int32,   DType::int64,   DType::uint8,
                                DType::int8,    DType::int16,   DType::boolean, DType::float16, DType::bfloat16};
static_assert(std::size(all_dtypes) == dtype_count);

TEST(DType, SizesAreThoseOfTheElementTypes) {
  for (const DType dtype : all_dtypes) {
    visit_dtype(dtype, [&]<class T>() {
      EXPECT_EQ(size_of(dtype), sizeof(T)) << name_of(dtype);
      EXPECT_EQ(dtype_of<T>, dtype);
      EXPECT_EQ(is_floating(dtype), !std::is_integral_v<T>) << name_of(dtype);
      EXPECT_EQ(has_gradient(dtype), std::is_floating_point_v<T>) << name_of(dtype);
      EXPECT_EQ(is_half(dtype), is_floating(dtype) && !has_gradient(dtype)) << name_of(dtype);
    });
  }
}

TEST(DType, NamesAreNumPys) {
  EXPECT_EQ(name_of(DType::float32), "float32");
  EXPECT_EQ(name_of(DType::float64), "float64");
  EXPECT_EQ(name_of(DType::int32), "int32");
  EXPECT_EQ(name_of(DType::int64), "int64");
  EXPECT_EQ(name_of(DType::uint8), "uint8");
  EXPECT_EQ(name_of(DType::int8), "int8");
  EXPECT_EQ(name_of(DType::int16), "int16");
  EXPECT_EQ(name_of(DType::boolean), "bool");
  EXPECT_EQ(name_of(DType::float16), "float16");
  EXPECT_EQ(name_of(DType::bfloat16), "bfloat16");
}

TEST(DType, VisitFloatingPicksTheType) {
  EXPECT_EQ(visit_floating(DType::float32, []<class T>() { return sizeof(T); }), 4U);
  EXPECT_EQ(visit_floating(DType::float64, []<class T>() { return sizeof(T); }), 8U);
}

}  // namespace
}  // namespace feral
