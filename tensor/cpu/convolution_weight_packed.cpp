// The weight's gradient without columns: vectors run along the filters, for which the arriving gradient is turned
// over a few rows at a time, and the image is read element by element where it stands.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/convolution_weight_packed.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tensor/cpu/convolution_packed.hpp"
#include "tensor/cpu/workspace.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// 32 vector registers: the tiles below fill them.
#if HWY_TARGET <= HWY_AVX3
#define FERAL_HAVE_PACKED 1
#else
#define FERAL_HAVE_PACKED 0
#endif

#if FERAL_HAVE_PACKED

// Loops over sums in registers: unless every one is unrolled, the compiler keeps the sums on the stack.
#define FERAL_UNROLL _Pragma("GCC unroll 16")

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr std::int64_t lanes = 16;
constexpr std::int64_t positions_at_once = 112;  // × a tile's filters: half the first-level cache
constexpr std::int64_t few_positions = 1024;     // × a tile's filters: a quarter of the second-level cache

// Rows of kernels × width × vectors of filters: the sums in registers.
template <int kernel_width>
struct Tile {
  static constexpr int rows = kernel_width == 1 ? 6 : kernel_width == 5 ? 1 : 2;
  static constexpr int vectors = kernel_width == 7 ? 2 : 4;
};

// to[c * to_stride + r] = from[r * from_stride + c], of 4 rows and columns.
HWY_ATTR HWY_INLINE void turn_over_4x4(float* to, std::int64_t to_stride, const float* from,
                                       std::int64_t from_stride) {
  const hn::Full128<float> d;
  const hn::Full128<double> pairs;
  const auto x0 = hn::LoadU(d, from);
  const auto x1 = hn::LoadU(d, from + from_stride);
  const auto x2 = hn::LoadU(d, from + 2 * from_stride);
  const auto x3 = hn::LoadU(d, from + 3 * from_stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, x0, x1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, x2, x3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, x0, x1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, x2, x3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * to_stride);
}

// The same of any number. by_columns: goes along rows of `to` instead of rows of `from`, for the one whose stride
// may be a multiple of the cache's sets.
template <bool by_columns>
HWY_ATTR void turn_over(float* to, std::int64_t to_stride, const float* from, std::int64_t from_stride,
                        std::int64_t rows, std::int64_t columns) {
  const std::int64_t whole_rows = rows / 4 * 4;
  const std::int64_t whole_columns = columns / 4 * 4;
  for (std::int64_t a = 0; a < (by_columns ? whole_columns : whole_rows); a += 4) {
    for (std::int64_t b = 0; b < (by_columns ? whole_rows : whole_columns); b += 4) {
      const std::int64_t r = by_columns ? b : a;
      const std::int64_t c = by_columns ? a : b;
      turn_over_4x4(to + c * to_stride + r, to_stride, from + r * from_stride + c, from_stride);
    }
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c) {
      to[c * to_stride + r] = from[r * from_stride + c];
    }
  }
}

// What all tiles of a block of positions share.
struct Block {
  const float* const* lines;  // for each row of the output: where the image is read at tap 0
  std::int64_t line_count, width, stride;
  bool first;  // the sums start at zero
};

// sums [rows, kernel_width, 16 * vectors] += over all positions, gradient [positions, 16 * vectors] × the image.
template <int kernel_width, int rows, int vectors>
HWY_ATTR void add_tile(float* sums, const Block& block, const std::int64_t* offsets, const float* gradient) {
  const D d;
  V sum[rows][kernel_width][vectors];
  FERAL_UNROLL
  for (int r = 0; r < rows; ++r) {
    FERAL_UNROLL
    for (int k = 0; k < kernel_width; ++k) {
      FERAL_UNROLL
      for (int v = 0; v < vectors; ++v) {
        sum[r][k][v] =
            block.first ? hn::Zero(d) : hn::LoadU(d, sums + ((r * kernel_width + k) * vectors + v) * lanes);
      }
    }
  }
  for (std::int64_t line = 0; line < block.line_count; ++line) {
    const float* x[rows];
    FERAL_UNROLL
    for (int r = 0; r < rows; ++r) x[r] = block.lines[line] + offsets[r];
    for (std::int64_t column = 0; column < block.width; ++column, gradient += vectors * lanes) {
      V g[vectors];
      FERAL_UNROLL
      for (int v = 0; v < vectors; ++v) g[v] = hn::LoadU(d, gradient + v * lanes);
      FERAL_UNROLL
      for (int r = 0; r < rows; ++r) {
        FERAL_UNROLL
        for (int k = 0; k < kernel_width; ++k) {
          const V value = hn::Set(d, x[r][k]);
          FERAL_UNROLL
          for (int v = 0; v < vectors; ++v) sum[r][k][v] = hn::MulAdd(value, g[v], sum[r][k][v]);
        }
        x[r] += block.stride;
      }
    }
  }
  FERAL_UNROLL
  for (int r = 0; r < rows; ++r) {
    FERAL_UNROLL
    for (int k = 0; k < kernel_width; ++k) {
      FERAL_UNROLL
      for (int v = 0; v < vectors; ++v) {
        hn::StoreU(sum[r][k][v], d, sums + ((r * kernel_width + k) * vectors + v) * lanes);
      }
    }
  }
}

using AddTile = void (*)(float*, const Block&, const std::int64_t*, const float*);
// A table of add_tile by (rows - 1) * vectors of the whole tile + (vectors - 1).
template <int kernel_width, std::size_t... i>
constexpr std::array<AddTile, sizeof...(i)> tiles(std::index_sequence<i...>) {
  constexpr int most = Tile<kernel_width>::vectors;
  return {add_tile<kernel_width, static_cast<int>(i) / most + 1, static_cast<int>(i) % most + 1>...};
}

// The channels of one group of one image between zeros.
HWY_ATTR void pad_image(float* to, const float* from, const ConvolutionSizes& s, const Volume& padded) {
  for (std::int64_t c = 0; c < s.group_channels(); ++c, to += elements(padded)) {
    for (std::int64_t z = 0; z < s.size[0]; ++z) {
      for (std::int64_t y = 0; y < s.size[1]; ++y, from += s.size[2]) {
        std::copy_n(from, s.size[2],
                    to + ((z + s.padding[0]) * padded[1] + y + s.padding[1]) * padded[2] + s.padding[2]);
      }
    }
  }
}

template <int kernel_width>
HWY_ATTR void weight_gradient(float* result, const float* x, const float* out_gradient, const ConvolutionSizes& s) {
  using T = Tile<kernel_width>;
  static constexpr auto table =
      tiles<kernel_width>(std::make_index_sequence<static_cast<std::size_t>(T::rows * T::vectors)>());
  constexpr std::int64_t filter_block = T::vectors * lanes;
  const auto floats = [](std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); };
  const std::int64_t filters = s.group_filters();
  const std::int64_t filter_blocks = (filters + filter_block - 1) / filter_block;
  const std::int64_t channels = s.group_channels();
  const bool pads = s.padding != Volume{0, 0, 0};
  const Volume padded = {s.size[0] + 2 * s.padding[0], s.size[1] + 2 * s.padding[1], s.size[2] + 2 * s.padding[2]};
  const std::int64_t plane = elements(padded);
  // Few positions are one block, and the sums of some rows are finished before others are begun; of more, images
  // whose positions make a block, and rows of the output that do.
  const bool single = s.batch * s.positions() <= few_positions;
  const std::int64_t together = single ? s.batch : std::min(s.batch, positions_at_once / s.positions() + 1);
  const std::int64_t lines_at_once =
      single ? s.batch * s.lines()
             : std::min(std::max<std::int64_t>(1, positions_at_once / s.out[2]), together * s.lines());
  const std::int64_t rows = channels * s.kernel[0] * s.kernel[1];
  const std::int64_t rows_at_once = single ? std::min<std::int64_t>(rows, 12 * T::rows) : rows;
  const Workspace sums_memory(floats((single ? 1 : filter_blocks) * filter_block * rows_at_once * kernel_width));
  const Workspace gradient_memory(floats(filter_blocks * filter_block * lines_at_once * s.out[2]));
  const Workspace padded_memory(floats(pads ? together * channels * plane : 0));
  const Workspace offset_memory(static_cast<std::size_t>(rows) * sizeof(std::int64_t));
  const Workspace line_memory(static_cast<std::size_t>(lines_at_once) * sizeof(const float*));
  auto* sums = reinterpret_cast<float*>(sums_memory.get());
  auto* turned = reinterpret_cast<float*>(gradient_memory.get());
  auto* images = reinterpret_cast<float*>(padded_memory.get());
  auto* offsets = reinterpret_cast<std::int64_t*>(offset_memory.get());
  auto* lines = reinterpret_cast<const float**>(line_memory.get());
  std::fill_n(turned, filter_blocks * filter_block * lines_at_once * s.out[2], 0.0F);  // filters that are not there
  if (pads) std::fill_n(images, together * channels * plane, 0.0F);
  for (std::int64_t c = 0, r = 0; c < channels; ++c) {
    for (std::int64_t kz = 0; kz < s.kernel[0]; ++kz) {
      for (std::int64_t ky = 0; ky < s.kernel[1]; ++ky) {
        offsets[r++] = c * plane + (kz * s.dilation[0] * padded[1] + ky * s.dilation[1]) * padded[2];
      }
    }
  }

  for (std::int64_t g = 0; g < s.groups; ++g) {
    bool first = true;
    for (std::int64_t i = 0; i < s.batch; i += together) {
      const std::int64_t count = std::min(together, s.batch - i);
      const float* group = x + (i * s.channels + g * channels) * s.plane();
      std::int64_t image_stride = s.channels * s.plane();
      if (pads) {
        for (std::int64_t k = 0; k < count; ++k) {
          pad_image(images + k * channels * plane, group + k * image_stride, s, padded);
        }
        group = images;
        image_stride = channels * plane;
      }
      for (std::int64_t line = 0; line < count * s.lines(); line += lines_at_once) {
        const std::int64_t line_count = std::min(lines_at_once, count * s.lines() - line);
        for (std::int64_t k = 0; k < line_count; ++k) {
          const std::int64_t image = (line + k) / s.lines();
          const std::int64_t within = (line + k) % s.lines();
          lines[k] = group + image * image_stride +
                     (within / s.out[1] * s.stride[0] * padded[1] + within % s.out[1] * s.stride[1]) * padded[2];
        }
        const Block block = {lines, line_count, s.out[2], s.stride[2], first};
        for (std::int64_t b = 0; b < filter_blocks; ++b) {
          const std::int64_t filter = b * filter_block;
          const std::int64_t in_block = std::min(filter_block, filters - filter);
          const std::int64_t vectors = (in_block + lanes - 1) / lanes;
          // Rows of one image lie behind each other.
          for (std::int64_t k = 0; k < line_count;) {
            const std::int64_t image = (line + k) / s.lines();
            const std::int64_t run = std::min(line_count - k, (image + 1) * s.lines() - (line + k));
            turn_over<false>(turned + k * s.out[2] * vectors * lanes, vectors * lanes,
                             out_gradient + ((i + image) * s.filters + g * filters + filter) * s.positions() +
                                 (line + k) % s.lines() * s.out[2],
                             s.positions(), in_block, run * s.out[2]);
            k += run;
          }
          float* sum = single ? sums : sums + filter * rows * kernel_width;
          for (std::int64_t from = 0; from < rows; from += rows_at_once) {
            const std::int64_t to = std::min(from + rows_at_once, rows);
            for (std::int64_t r = from; r < to; r += T::rows) {
              const std::int64_t at_once = std::min<std::int64_t>(T::rows, to - r);
              table[static_cast<std::size_t>((at_once - 1) * T::vectors + vectors - 1)](
                  sum + (r - from) * kernel_width * vectors * lanes, block, offsets + r, turned);
            }
            if (single) {
              turn_over<true>(result + (g * filters + filter) * s.taps() + from * kernel_width, s.taps(), sum,
                              vectors * lanes, (to - from) * kernel_width, in_block);
            }
          }
        }
        first = false;
      }
    }
    for (std::int64_t b = 0; !single && b < filter_blocks; ++b) {
      const std::int64_t filter = b * filter_block;
      const std::int64_t in_block = std::min(filter_block, filters - filter);
      turn_over<true>(result + (g * filters + filter) * s.taps(), s.taps(), sums + filter * rows * kernel_width,
                      (in_block + lanes - 1) / lanes * lanes, rows * kernel_width, in_block);
    }
  }
}

#undef FERAL_UNROLL
#endif  // FERAL_HAVE_PACKED

bool try_weight_gradient([[maybe_unused]] float* result, [[maybe_unused]] const float* x,
                         [[maybe_unused]] const float* out_gradient, [[maybe_unused]] const ConvolutionSizes& s) {
#if FERAL_HAVE_PACKED
  switch (s.kernel[2]) {
    case 1:
      weight_gradient<1>(result, x, out_gradient, s);
      return true;
    case 3:
      weight_gradient<3>(result, x, out_gradient, s);
      return true;
    case 5:
      weight_gradient<5>(result, x, out_gradient, s);
      return true;
    case 7:
      weight_gradient<7>(result, x, out_gradient, s);
      return true;
    default:
      return false;
  }
#else
  return false;
#endif
}

#undef FERAL_HAVE_PACKED
}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
namespace {
HWY_EXPORT(try_weight_gradient);
}  // namespace

bool convolution_weight_gradient_packed(float* weight_gradient, const float* x, const float* out_gradient,
                                        const ConvolutionSizes& s) {
  // A vector of filters must be full, and the kernel's row in one piece.
  if (s.group_filters() < 16 || (s.dilation[2] != 1 && s.kernel[2] != 1) || s.batch * s.positions() == 0)
    return false;
  return HWY_DYNAMIC_DISPATCH(try_weight_gradient)(weight_gradient, x, out_gradient, s);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
