// Element types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace feral {

enum class DType : std::uint8_t { float32, float64, int32, int64, uint8 };

inline constexpr int dtype_count = 5;

constexpr std::size_t size_of(DType dtype) noexcept {
  constexpr std::size_t sizes[dtype_count] = {4, 8, 4, 8, 1};
  return sizes[static_cast<int>(dtype)];
}

constexpr std::string_view name_of(DType dtype) noexcept {
  constexpr std::string_view names[dtype_count] = {"float32", "float64", "int32", "int64", "uint8"};
  return names[static_cast<int>(dtype)];
}

constexpr bool is_floating(DType dtype) noexcept { return dtype == DType::float32 || dtype == DType::float64; }

// The DType whose elements are T.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::float64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::int32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::uint8;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

// Calls function.template operator()<T>() with the C++ type of `dtype`; `visit_floating` only for float types.
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
  }
  __builtin_unreachable();
}

template <class Function>
decltype(auto) visit_floating(DType dtype, Function&& function) {
  if (dtype == DType::float64) return function.template operator()<double>();
  return function.template operator()<float>();
}

}  // namespace feral
