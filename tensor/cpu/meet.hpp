// What becomes of an element that is written by index: functions (old, new) → what stands there afterwards.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "tensor/dtype.hpp"
#include "tensor/kernels/indexing.hpp"

namespace feral::cpu {

template <class T>
inline constexpr bool is_half_type = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

// 16-bit floats are computed as float32; integers through uint64, where they wrap around.
template <class T>
struct MeetAdd {
  T operator()(T old, T value) const {
    if constexpr (std::is_same_v<T, bool>) {
      return old || value;
    } else if constexpr (is_half_type<T>) {
      return static_cast<T>(static_cast<float>(old) + static_cast<float>(value));
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(static_cast<std::uint64_t>(old) + static_cast<std::uint64_t>(value));
    } else {
      return old + value;
    }
  }
};

template <class T>
struct MeetMul {
  T operator()(T old, T value) const {
    if constexpr (std::is_same_v<T, bool>) {
      return old && value;
    } else if constexpr (is_half_type<T>) {
      return static_cast<T>(static_cast<float>(old) * static_cast<float>(value));
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(static_cast<std::uint64_t>(old) * static_cast<std::uint64_t>(value));
    } else {
      return old * value;
    }
  }
};

template <class T>
bool is_nan(T value) {
  if constexpr (is_half_type<T>) {
    return std::isnan(static_cast<float>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value);
  } else {
    return false;
  }
}

template <class T>
struct MeetMaximum {
  T operator()(T old, T value) const { return is_nan(value) || value > old ? value : old; }
};

template <class T>
struct MeetMinimum {
  T operator()(T old, T value) const { return is_nan(value) || value < old ? value : old; }
};

// Calls function.template operator()<T, Meet>() for every `how` but copy.
template <class Function>
void visit_meet(WriteKernel how, DType dtype, Function&& function) {
  visit_dtype(dtype, [&]<class T>() {
    switch (how) {
      case WriteKernel::copy:
        break;
      case WriteKernel::add:
        return function.template operator()<T, MeetAdd<T>>();
      case WriteKernel::mul:
        return function.template operator()<T, MeetMul<T>>();
      case WriteKernel::maximum:
        return function.template operator()<T, MeetMaximum<T>>();
      case WriteKernel::minimum:
        return function.template operator()<T, MeetMinimum<T>>();
    }
  });
}

}  // namespace feral::cpu
