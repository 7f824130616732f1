// Choosing between two operands, element by element: loops that the compiler vectorizes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/where.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/tiles.hpp"

#ifndef FERAL_TENSOR_CPU_WHERE_ONCE
#define FERAL_TENSOR_CPU_WHERE_ONCE
namespace feral::cpu {
using ChooseRow = void (*)(std::byte* out, const std::byte* condition, const std::byte* a, const std::byte* b,
                           std::int64_t n, const std::array<std::int64_t, 4>& strides);
}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

// By masks: a choice would be a branch per element, which the compiler makes no vectors of.
template <class T>
T chosen_of(std::uint8_t condition, T first, T second) {
  const T mask = static_cast<T>(-static_cast<std::int64_t>(condition != 0));
  return static_cast<T>((first & mask) | (second & static_cast<T>(~mask)));
}

// Strides are 0 or 1, the output's is 1.
template <class T>
HWY_ATTR void choose_row(std::byte* out, const std::byte* condition, const std::byte* a, const std::byte* b,
                         std::int64_t n, const std::array<std::int64_t, 4>& strides) {
  T* to = reinterpret_cast<T*>(out);
  const T* from_a = reinterpret_cast<const T*>(a);
  const T* from_b = reinterpret_cast<const T*>(b);
  const auto* chosen = reinterpret_cast<const std::uint8_t*>(condition);
  if (strides[1] == 1 && strides[2] == 1 && strides[3] == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = chosen_of(chosen[i], from_a[i], from_b[i]);
  } else if (strides[1] == 1 && strides[2] == 1) {
    const T second = from_b[0];
    for (std::int64_t i = 0; i < n; ++i) to[i] = chosen_of(chosen[i], from_a[i], second);
  } else if (strides[1] == 1 && strides[3] == 1) {
    const T first = from_a[0];
    for (std::int64_t i = 0; i < n; ++i) to[i] = chosen_of(chosen[i], first, from_b[i]);
  } else if (strides[1] == 1) {
    const T first = from_a[0];
    const T second = from_b[0];
    for (std::int64_t i = 0; i < n; ++i) to[i] = chosen_of(chosen[i], first, second);
  } else {  // one choice for the whole row
    const T* from = chosen[0] != 0 ? from_a : from_b;
    const std::int64_t stride = chosen[0] != 0 ? strides[2] : strides[3];
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
  }
}

ChooseRow pick_choose(std::size_t size) {
  return size == 1   ? choose_row<std::uint8_t>
         : size == 2 ? choose_row<std::uint16_t>
         : size == 4 ? choose_row<std::uint32_t>
                     : choose_row<std::uint64_t>;
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_choose);

void where(const Tensor& out, const Tensor& condition, const Tensor& a, const Tensor& b) {
  const std::size_t size = size_of(out.dtype());
  const ChooseRow row = HWY_DYNAMIC_DISPATCH(pick_choose)(size);
  for_each_contiguous_row<4>(
      StridedLoop<4>({&out, &condition, &a, &b}),
      {out.raw_data(), condition.raw_data(), a.raw_data(), b.raw_data()},
      {size, size_of(condition.dtype()), size, size},
      [row](const auto& at, std::int64_t n, const auto& strides) { row(at[0], at[1], at[2], at[3], n, strides); });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
