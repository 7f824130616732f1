// 16-bit floating types for storage; arithmetic is done in float32.
#pragma once

#include <bit>
#include <cstdint>

namespace feral {

// IEEE 754 binary16: 5 bits of exponent, 10 of fraction.
struct Float16 {
  std::uint16_t bits = 0;

  Float16() = default;
  // Rounds to the nearest, ties to even; overflows to infinity, keeps NaN a NaN.
  constexpr explicit Float16(float value) noexcept : bits(from_float(value)) {}
  constexpr operator float() const noexcept { return to_float(bits); }

  static constexpr Float16 from_bits(std::uint16_t bits) noexcept {
    Float16 half;
    half.bits = bits;
    return half;
  }

 private:
  static constexpr std::uint16_t from_float(float value) noexcept {
    const auto word = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>(word >> 16 & 0x8000U);
    const std::uint32_t magnitude = word & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U | (magnitude >> 13 & 0x3ffU));
    if (magnitude >= 0x477ff000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // rounds past 65504
    if (magnitude < 0x38800000U) {  // below 2^-14: subnormal, a multiple of 2^-24
      // Adding 2^-24 * 2^23 * 1.0 aligns the fraction's unit to 2^-24 and lets the hardware round.
      const float aligned = std::bit_cast<float>(magnitude) + 0.5F;
      return static_cast<std::uint16_t>(
          sign | (std::bit_cast<std::uint32_t>(aligned) - std::bit_cast<std::uint32_t>(0.5F)));
    }
    const std::uint32_t odd = magnitude >> 13 & 1U;
    return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U + 0xfffU + odd) >> 13));
  }

  static constexpr float to_float(std::uint16_t half) noexcept {
    const std::uint32_t sign = (half & 0x8000U) << 16;
    const std::uint32_t magnitude = half & 0x7fffU;
    if (magnitude >= 0x7c00U) return std::bit_cast<float>(sign | 0x7f800000U | (magnitude & 0x3ffU) << 13);
    if (magnitude >= 0x400U) return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000U));
    const float subnormal = static_cast<float>(magnitude) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(subnormal));
  }
};

// The upper half of a float32: 8 bits of exponent, 7 of fraction.
struct BFloat16 {
  std::uint16_t bits = 0;

  BFloat16() = default;
  // Rounds to the nearest, ties to even; keeps NaN a NaN.
  constexpr explicit BFloat16(float value) noexcept : bits(from_float(value)) {}
  constexpr operator float() const noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

  static constexpr BFloat16 from_bits(std::uint16_t bits) noexcept {
    BFloat16 value;
    value.bits = bits;
    return value;
  }

 private:
  static constexpr std::uint16_t from_float(float value) noexcept {
    const auto word = std::bit_cast<std::uint32_t>(value);
    if ((word & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>(word >> 16 | 0x40U);
    return static_cast<std::uint16_t>((word + 0x7fffU + (word >> 16 & 1U)) >> 16);
  }
};

static_assert(sizeof(Float16) == 2 && sizeof(BFloat16) == 2);

}  // namespace feral
