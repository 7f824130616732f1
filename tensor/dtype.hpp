// Element types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tensor/half.hpp"

namespace feral {

// float16 and bfloat16 are for storage: arithmetic on them is done in float32.
enum class DType : std::uint8_t {
  float32,
  float64,
  int32,
  int64,
  uint8,
  int8,
  int16,
  boolean,
  float16,
  bfloat16,
};

inline constexpr int dtype_count = 10;

// Bytes of an element.
constexpr std::size_t size_of(DType dtype) noexcept {
  constexpr std::size_t sizes[dtype_count] = {4, 8, 4, 8, 1, 1, 2, 1, 2, 2};
  return sizes[static_cast<int>(dtype)];
}

// PyTorch's and NumPy's name: "float32", "bool".
constexpr std::string_view name_of(DType dtype) noexcept {
  constexpr std::string_view names[dtype_count] = {"float32", "float64", "int32", "int64",   "uint8",
                                                   "int8",    "int16",   "bool",  "float16", "bfloat16"};
  return names[static_cast<int>(dtype)];
}

constexpr bool is_floating(DType dtype) noexcept {
  return dtype == DType::float32 || dtype == DType::float64 || dtype == DType::float16 || dtype == DType::bfloat16;
}

// The types that floating kernels compute in, and so those of tensors that can require a gradient.
constexpr bool has_gradient(DType dtype) noexcept { return dtype == DType::float32 || dtype == DType::float64; }

// float16 and bfloat16.
constexpr bool is_half(DType dtype) noexcept { return dtype == DType::float16 || dtype == DType::bfloat16; }

// The DType whose elements are T.
template <class T>
struct DTypeOf;
template <DType dtype>
struct DTypeIs {
  static constexpr DType value = dtype;
};
template <>
struct DTypeOf<float> : DTypeIs<DType::float32> {};
template <>
struct DTypeOf<double> : DTypeIs<DType::float64> {};
template <>
struct DTypeOf<std::int32_t> : DTypeIs<DType::int32> {};
template <>
struct DTypeOf<std::int64_t> : DTypeIs<DType::int64> {};
template <>
struct DTypeOf<std::uint8_t> : DTypeIs<DType::uint8> {};
template <>
struct DTypeOf<std::int8_t> : DTypeIs<DType::int8> {};
template <>
struct DTypeOf<std::int16_t> : DTypeIs<DType::int16> {};
template <>
struct DTypeOf<bool> : DTypeIs<DType::boolean> {};
template <>
struct DTypeOf<Float16> : DTypeIs<DType::float16> {};
template <>
struct DTypeOf<BFloat16> : DTypeIs<DType::bfloat16> {};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

// Calls function.template operator()<T>() with the C++ type of `dtype`; `visit_floating` where has_gradient(dtype).
template <class Function>
decltype(auto) visit_dtype(DType dtype, Function&& function) {
  switch (dtype) {
    case DType::float32:
      return function.template operator()<float>();
    case DType::float64:
      return function.template operator()<double>();
    case DType::int32:
      return function.template operator()<std::int32_t>();
    case DType::int64:
      return function.template operator()<std::int64_t>();
    case DType::uint8:
      return function.template operator()<std::uint8_t>();
    case DType::int8:
      return function.template operator()<std::int8_t>();
    case DType::int16:
      return function.template operator()<std::int16_t>();
    case DType::boolean:
      return function.template operator()<bool>();
    case DType::float16:
      return function.template operator()<Float16>();
    case DType::bfloat16:
      return function.template operator()<BFloat16>();
  }
  __builtin_unreachable();
}

template <class Function>
decltype(auto) visit_floating(DType dtype, Function&& function) {
  if (dtype == DType::float64) return function.template operator()<double>();
  return function.template operator()<float>();
}

}  // namespace feral
