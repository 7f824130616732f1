#include "tensor/half.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/error.hpp"
#include "tensor/tensor.hpp"
#include "tests/tensor/targets.hpp"

namespace feral {
namespace {

// The float16 nearest to `value`, found among all of them: the even one of two equally near.
std::uint16_t nearest_by_search(float value) {
  std::uint16_t best = 0;
  double best_distance = std::numeric_limits<double>::infinity();
  for (std::uint32_t bits = 0; bits <= 0x7c00U; ++bits) {
    // Infinity stands where the next number would: 2^16.
    const double candidate =
        bits == 0x7c00U ? 65536.0 : double{Float16::from_bits(static_cast<std::uint16_t>(bits))};
    const double distance = std::fabs(std::fabs(double{value}) - candidate);
    if (distance < best_distance || (distance == best_distance && bits % 2 == 0)) {
      best = static_cast<std::uint16_t>(bits);
      best_distance = distance;
    }
  }
  return std::signbit(value) ? best | 0x8000U : best;
}

TEST(Float16, EveryPatternComesBackFromFloat32) {
  for (std::uint32_t bits = 0; bits <= 0xffffU; ++bits) {
    const Float16 half = Float16::from_bits(static_cast<std::uint16_t>(bits));
    const float wide = half;
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(float{Float16(wide)})) << bits;
    } else {
      EXPECT_EQ(Float16(wide).bits, bits);
    }
  }
}

TEST(Float16, HasTheValuesOfIeee754) {
  EXPECT_EQ(float{Float16::from_bits(0x3c00)}, 1.0F);
  EXPECT_EQ(float{Float16::from_bits(0xc000)}, -2.0F);
  EXPECT_EQ(float{Float16::from_bits(0x7bff)}, 65504.0F);
  EXPECT_EQ(float{Float16::from_bits(0x0400)}, 0x1p-14F);
  EXPECT_EQ(float{Float16::from_bits(0x0001)}, 0x1p-24F);
  EXPECT_EQ(float{Float16::from_bits(0x3555)}, 0.333251953125F);
  EXPECT_EQ(float{Float16::from_bits(0x7c00)}, std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(float{Float16::from_bits(0x7e00)}));
}

TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  for (const float value :
       {0.0F,     -0.0F,     1.0F,         1.00048828125F, 1.00146484375F, 0.1F,       -3.14159F, 65503.0F,
        65519.0F, 65519.99F, 65520.0F,     1e6F,           0x1p-25F,       0x1.8p-25F, 0x1p-24F,  0x1.8p-24F,
        6e-8F,    5.9e-5F,   0x1.ffcp-15F, 0x1.ffep-15F,   0x1.fffp-15F,   1e-10F,     -7.7e-7F}) {
    EXPECT_EQ(Float16(value).bits, nearest_by_search(value)) << value;
  }
  std::uint32_t state = 1;
  for (int i = 0; i < 300; ++i) {
    state = state * 1664525U + 1013904223U;
    const float value = std::bit_cast<float>((state & 0x8fffffffU) | 0x30000000U);  // 2^-31 to 2
    EXPECT_EQ(Float16(value).bits, nearest_by_search(value)) << value;
  }
}

TEST(BFloat16, IsTheUpperHalfOfFloat32RoundedToEven) {
  EXPECT_EQ(BFloat16(1.0F).bits, 0x3f80);
  EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3f808000U)).bits, 0x3f80) << "a tie goes to the even one";
  EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3f818000U)).bits, 0x3f82) << "a tie goes to the even one";
  EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3f808001U)).bits, 0x3f81);
  EXPECT_EQ(BFloat16(std::numeric_limits<float>::max()).bits, 0x7f80) << "rounds up to infinity";
  EXPECT_TRUE(std::isnan(float{BFloat16(std::bit_cast<float>(0x7f800001U))})) << "a NaN whose digits would be cut";
  for (std::uint32_t bits = 0; bits <= 0xffffU; ++bits) {
    const float wide = BFloat16::from_bits(static_cast<std::uint16_t>(bits));
    if (std::isnan(wide)) continue;
    EXPECT_EQ(BFloat16(wide).bits, bits);
  }
}

// Bit by bit what the types themselves do, also of NaNs.
TEST(HalfTensors, ConvertFloat16AsItsTypeDoesOnEveryTarget) {
  for (const std::int64_t target : testing_support::targets()) {
    const testing_support::OnTarget scope(target);
    const Tensor halves = Tensor::empty({0x10000}, DType::float16);
    for (std::uint32_t bits = 0; bits <= 0xffffU; ++bits) {
      halves.data<Float16>()[bits] = Float16::from_bits(static_cast<std::uint16_t>(bits));
    }
    const Tensor floats = halves.to(DType::float32);
    for (std::uint32_t bits = 0; bits <= 0xffffU; ++bits) {
      const float expected = Float16::from_bits(static_cast<std::uint16_t>(bits));
      ASSERT_EQ(std::bit_cast<std::uint32_t>(floats.data<float>()[bits]), std::bit_cast<std::uint32_t>(expected))
          << bits;
    }
    // Every upper half of a float32 with lower halves about the points of rounding.
    for (const std::uint32_t lower :
         {0U, 1U, 0xfffU, 0x1000U, 0x1001U, 0x2000U, 0x3000U, 0xefffU, 0xf000U, 0xffffU}) {
      const Tensor wide = Tensor::empty({0x10000}, DType::float32);
      for (std::uint32_t upper = 0; upper <= 0xffffU; ++upper) {
        wide.data<float>()[upper] = std::bit_cast<float>(upper << 16 | lower);
      }
      const Tensor narrow = wide.to(DType::float16);
      for (std::uint32_t upper = 0; upper <= 0xffffU; ++upper) {
        const Float16 expected(std::bit_cast<float>(upper << 16 | lower));
        ASSERT_EQ(narrow.data<Float16>()[upper].bits, expected.bits) << upper << ", " << lower;
      }
    }
  }
}

TEST(HalfTensors, AreStoredConvertedAndComputedInFloat32) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const Tensor x = Tensor::from_vector<float>({1.5F, -2.0F, 0.25F}, {3}).to(dtype);
    EXPECT_EQ(x.dtype(), dtype);
    EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1.5F, -2.0F, 0.25F}));
    const Tensor sum = x + x * 2;
    EXPECT_EQ(sum.dtype(), dtype);
    EXPECT_EQ(sum.to_vector<float>(), (std::vector<float>{4.5F, -6.0F, 0.75F}));
    EXPECT_EQ(x.abs().sqrt().dtype(), dtype);
    EXPECT_TRUE(Tensor(x).set_requires_grad(true).requires_grad());
  }
}

}  // namespace
}  // namespace feral
