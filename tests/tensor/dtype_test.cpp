#include "tensor/dtype.hpp"

#include <gtest/gtest.h>

namespace feral {
namespace {

constexpr DType all_dtypes[] = {DType::float32, DType::float64, DType::int32, DType::int64, DType::uint8};
static_assert(std::size(all_dtypes) == dtype_count);

TEST(DType, SizesAreThoseOfTheElementTypes) {
  for (const DType dtype : all_dtypes) {
    visit_dtype(dtype, [&]<class T>() {
      EXPECT_EQ(size_of(dtype), sizeof(T)) << name_of(dtype);
      EXPECT_EQ(dtype_of<T>, dtype);
      EXPECT_EQ(is_floating(dtype), std::is_floating_point_v<T>) << name_of(dtype);
    });
  }
}

TEST(DType, NamesAreNumPys) {
  EXPECT_EQ(name_of(DType::float32), "float32");
  EXPECT_EQ(name_of(DType::float64), "float64");
  EXPECT_EQ(name_of(DType::int32), "int32");
  EXPECT_EQ(name_of(DType::int64), "int64");
  EXPECT_EQ(name_of(DType::uint8), "uint8");
}

TEST(DType, VisitFloatingPicksTheType) {
  EXPECT_EQ(visit_floating(DType::float32, []<class T>() { return sizeof(T); }), 4U);
  EXPECT_EQ(visit_floating(DType::float64, []<class T>() { return sizeof(T); }), 8U);
}

}  // namespace
}  // namespace feral
