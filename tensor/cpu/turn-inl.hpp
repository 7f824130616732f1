// Panels of a transposed matrix, on vectors. Compiled once an instruction set: include after hwy/foreach_target.h.
// Has Highway's toggle instead of a plain include guard.
#if defined(FERAL_TENSOR_CPU_TURN_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_TURN_INL
#undef FERAL_TENSOR_CPU_TURN_INL
#else
#define FERAL_TENSOR_CPU_TURN_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
template <class T>
void turn(T* to, std::int64_t width, const T* from, std::int64_t from_row, std::int64_t columns, std::int64_t k) {
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t l = 0; l < k; ++l) to[l * width + j] = from[j * from_row + l];
  }
}
#else
// to [k, columns] with rows of `width` = from [columns, k], turned in squares of one 128-bit vector a row; columns
// and k are multiples of a square's side.
template <class T>
HWY_ATTR void turn_squares(T* to, std::int64_t width, const T* from, std::int64_t from_row, std::int64_t columns,
                           std::int64_t k) {
  const hn::FixedTag<T, 16 / sizeof(T)> d;
  constexpr std::int64_t side = 16 / sizeof(T);
  for (std::int64_t j = 0; j < columns; j += side) {
    const T* row = from + j * from_row;
    T* out = to + j;
    for (std::int64_t l = 0; l < k; l += side, out += side * width) {
      const auto row0 = hn::LoadU(d, row + l);
      const auto row1 = hn::LoadU(d, row + from_row + l);
      if constexpr (side == 4) {
        const auto row2 = hn::LoadU(d, row + 2 * from_row + l);
        const auto row3 = hn::LoadU(d, row + 3 * from_row + l);
        const auto low02 = hn::InterleaveLower(d, row0, row2);
        const auto low13 = hn::InterleaveLower(d, row1, row3);
        const auto high02 = hn::InterleaveUpper(d, row0, row2);
        const auto high13 = hn::InterleaveUpper(d, row1, row3);
        hn::StoreU(hn::InterleaveLower(d, low02, low13), d, out);
        hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, out + width);
        hn::StoreU(hn::InterleaveLower(d, high02, high13), d, out + 2 * width);
        hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, out + 3 * width);
      } else {
        hn::StoreU(hn::InterleaveLower(d, row0, row1), d, out);
        hn::StoreU(hn::InterleaveUpper(d, row0, row1), d, out + width);
      }
    }
  }
}

// The same for any sizes, in pieces that fill a part of the first-level cache.
template <class T>
HWY_ATTR void turn(T* to, std::int64_t width, const T* from, std::int64_t from_row, std::int64_t columns,
                   std::int64_t k) {
  constexpr std::int64_t side = 16 / sizeof(T);
  constexpr std::int64_t piece = 64;
  const std::int64_t whole_columns = columns / side * side;
  const std::int64_t whole_k = k / side * side;
  for (std::int64_t l = 0; l < whole_k; l += piece) {
    turn_squares(to + l * width, width, from + l, from_row, whole_columns, std::min(piece, whole_k - l));
  }
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t l = j < whole_columns ? whole_k : 0; l < k; ++l) to[l * width + j] = from[j * from_row + l];
  }
}
#endif

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
