#include "tensor/cpu/tiles.hpp"

namespace feral::cpu {
namespace {

template <class T>
void turn(T* to, std::int64_t to_stride, const T* from, std::int64_t from_stride, std::int64_t first_row,
          std::int64_t rows, std::int64_t first_column, std::int64_t columns) {
  for (std::int64_t r = first_row; r < rows; ++r) {
    for (std::int64_t c = first_column; c < columns; ++c) to[r * to_stride + c] = from[c * from_stride + r];
  }
}

// Blocks of 4 × 4 in registers.
void turn_words(std::uint32_t* to, std::int64_t to_stride, const std::uint32_t* from, std::int64_t from_stride,
                std::int64_t rows, std::int64_t columns) {
#if defined(__SSE2__)
  using Words = std::uint32_t __attribute__((vector_size(16)));
  using LooseWords = std::uint32_t __attribute__((vector_size(16), aligned(4), may_alias));
  const std::int64_t whole_rows = rows - rows % 4;
  const std::int64_t whole_columns = columns - columns % 4;
  for (std::int64_t c = 0; c < whole_columns; c += 4) {
    for (std::int64_t r = 0; r < whole_rows; r += 4) {
      const std::uint32_t* corner = from + c * from_stride + r;
      const Words a = *reinterpret_cast<const LooseWords*>(corner);
      const Words b = *reinterpret_cast<const LooseWords*>(corner + from_stride);
      const Words e = *reinterpret_cast<const LooseWords*>(corner + 2 * from_stride);
      const Words f = *reinterpret_cast<const LooseWords*>(corner + 3 * from_stride);
      const Words ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      const Words ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Words ef_low = __builtin_shufflevector(e, f, 0, 4, 1, 5);
      const Words ef_high = __builtin_shufflevector(e, f, 2, 6, 3, 7);
      std::uint32_t* out = to + r * to_stride + c;
      *reinterpret_cast<LooseWords*>(out) = __builtin_shufflevector(ab_low, ef_low, 0, 1, 4, 5);
      *reinterpret_cast<LooseWords*>(out + to_stride) = __builtin_shufflevector(ab_low, ef_low, 2, 3, 6, 7);
      *reinterpret_cast<LooseWords*>(out + 2 * to_stride) = __builtin_shufflevector(ab_high, ef_high, 0, 1, 4, 5);
      *reinterpret_cast<LooseWords*>(out + 3 * to_stride) = __builtin_shufflevector(ab_high, ef_high, 2, 3, 6, 7);
    }
  }
  turn(to, to_stride, from, from_stride, whole_rows, rows, 0, whole_columns);
  turn(to, to_stride, from, from_stride, 0, rows, whole_columns, columns);
#else
  turn(to, to_stride, from, from_stride, 0, rows, 0, columns);
#endif
}

template <class T>
void copy_elements(T* to, std::int64_t to_stride, const T* from, std::int64_t from_stride, std::int64_t n) {
  if (to_stride == 1 && from_stride == 2) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[2 * i];  // a constant stride becomes shuffles
  } else if (to_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * from_stride];
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i * to_stride] = from[i * from_stride];
  }
}

// Calls function.template operator()<T>() with the unsigned type of `size` bytes.
template <class Function>
void visit_size(std::size_t size, Function&& function) {
  switch (size) {
    case 1:
      return function.template operator()<std::uint8_t>();
    case 2:
      return function.template operator()<std::uint16_t>();
    case 4:
      return function.template operator()<std::uint32_t>();
    default:
      return function.template operator()<std::uint64_t>();
  }
}

}  // namespace

void turn_tile(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
               std::int64_t rows, std::int64_t columns, std::size_t size) {
  visit_size(size, [&]<class T>() {
    T* out = reinterpret_cast<T*>(to);
    const T* in = reinterpret_cast<const T*>(from);
    if constexpr (sizeof(T) == 4) {
      turn_words(out, to_stride, in, from_stride, rows, columns);
    } else {
      turn(out, to_stride, in, from_stride, 0, rows, 0, columns);
    }
  });
}

void copy_strided(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                  std::int64_t n, std::size_t size) {
  visit_size(size, [&]<class T>() {
    copy_elements(reinterpret_cast<T*>(to), to_stride, reinterpret_cast<const T*>(from), from_stride, n);
  });
}

}  // namespace feral::cpu
