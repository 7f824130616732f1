// The product is blocked as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): a
// block of the columns' matrix stays in the second-level cache, a few rows of weights in the first, a tile of sums
// in registers. The columns are never laid out as a whole.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/convolution_packed.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tensor/cpu/convolution_packed.hpp"
#include "tensor/cpu/workspace.hpp"
#include "tensor/racy.hpp"

#ifndef FERAL_TENSOR_CPU_CONVOLUTION_PACKED_ONCE
#define FERAL_TENSOR_CPU_CONVOLUTION_PACKED_ONCE
namespace feral::cpu {

// Taps of one dimension: which element of the kernel, and how far from a position's origin it reads.
struct TapAxis {
  static constexpr std::int64_t capacity = 32;
  std::int64_t count = 0;
  std::array<std::int64_t, capacity> kernel, offset;
  void add(std::int64_t k, std::int64_t at) {
    kernel[static_cast<std::size_t>(count)] = k;
    offset[static_cast<std::size_t>(count++)] = at;
  }
};

// out[n, row, position] = the sum over channels and taps of weight[row, channel, tap] * source[n, channel, position
// * step + the tap's offset], 0 outside of the source. The gradient of the input has this form too: once for each
// remainder of its positions by the stride.
struct PackedProduct {
  std::int64_t batch, rows, channels;
  std::array<TapAxis, 3> taps;
  const float* weight;
  std::int64_t row_stride, channel_stride;
  Volume kernel;
  const float* source;
  std::int64_t source_image;  // elements from one image to the next
  Volume size, step;
  float* out;
  std::int64_t out_image, out_row;
  Volume positions, out_stride;  // out_stride: elements from one position to the next, in each dimension
  const float* bias = nullptr;

  std::int64_t tap_count() const { return taps[0].count * taps[1].count * taps[2].count; }
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Masked loads must not touch what they mask: true of AVX-512, not of Highway's emulations.
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
using M = hn::Mask<D>;
constexpr std::int64_t lanes = 16;
constexpr std::int64_t panel_width = 2 * lanes;
constexpr std::int64_t depth_block = 256;    // channels × taps of a block
constexpr std::int64_t weight_stride = 272;  // of a row of packed weights; not a power of two, for the cache's sake
constexpr std::int64_t panels_at_once = 16;  // × depth_block × panel_width: half the second-level cache
constexpr int most_rows = 13;                // × 2 vectors of sums in registers, of 32

HWY_ATTR inline M mask_of(std::uint32_t bits) {
  const std::uint8_t bytes[8] = {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8)};
  return hn::LoadMaskBits(D(), bytes);
}

// Positions that follow each other in a row of the output.
struct Run {
  std::int64_t image, z, y, x;
  std::int64_t lane, count;  // in its vector
};

// Where a part of a vector of a packed panel comes from: one or, for a step of 2, two masked loads.
struct Piece {
  std::int64_t offset;  // in the source, of lane 0
  M low, high;
};

// One panel: the runs that its two vectors consist of, and the pieces of each tap.
struct Panel {
  std::array<std::array<Run, lanes>, 2> runs;
  std::array<int, 2> run_count;
  std::int64_t count;  // positions, up to panel_width
  Piece* pieces;       // tap by tap, vector by vector
  std::uint8_t* piece_count;
  float* tile;  // where its sums are
  std::int64_t tile_row;
  bool direct;  // the sums are the output itself
};

HWY_ATTR void find_runs(Panel& panel, const PackedProduct& p, std::int64_t first, std::int64_t total) {
  panel.count = std::min(panel_width, total - first);
  const std::int64_t image_positions = elements(p.positions);
  for (int v = 0; v < 2; ++v) {
    const auto vec = static_cast<std::size_t>(v);
    panel.run_count[vec] = 0;
    std::int64_t lane = 0;
    const std::int64_t last = std::clamp<std::int64_t>(panel.count - v * lanes, 0, lanes);
    while (lane < last) {
      const std::int64_t at = first + v * lanes + lane;
      const std::int64_t image = at / image_positions;
      const std::int64_t within = at % image_positions;
      const std::int64_t x = within % p.positions[2];
      const std::int64_t line = within / p.positions[2];
      const std::int64_t count = std::min(last - lane, p.positions[2] - x);
      panel.runs[vec][static_cast<std::size_t>(panel.run_count[vec]++)] = {
          image, line / p.positions[1], line % p.positions[1], x, lane, count};
      lane += count;
    }
  }
}

// The lanes of `run` that read inside the source's row at tap offset `dx`, as bits.
inline std::uint32_t lanes_inside(const Run& run, std::int64_t dx, std::int64_t step, std::int64_t width) {
  const std::int64_t start = run.x * step + dx;  // of the run's first position
  std::int64_t from = start >= 0 ? 0 : (-start + step - 1) / step;
  std::int64_t to = start >= width ? 0 : (width - 1 - start) / step + 1;
  from = std::min(from, run.count);
  to = std::clamp(to, from, run.count);
  return ((1U << to) - (1U << from)) << run.lane;
}

// Bits 0, 2, 4, … from bits 0, 1, 2, …
inline std::uint32_t spread(std::uint32_t bits) {
  bits &= 0xFF;
  bits = (bits | bits << 4) & 0x0F0F;
  bits = (bits | bits << 2) & 0x3333;
  return (bits | bits << 1) & 0x5555;
}

HWY_ATTR void find_pieces(Panel& panel, const PackedProduct& p) {
  const std::int64_t width = p.size[2];
  const std::int64_t step = p.step[2];
  Piece* piece = panel.pieces;
  std::uint8_t* counts = panel.piece_count;
  const std::int64_t across = p.taps[2].count;
  // Columns do not depend on the tap's row.
  std::array<std::array<std::array<std::uint32_t, TapAxis::capacity>, lanes>, 2> columns;
  for (std::size_t v = 0; v < 2; ++v) {
    for (std::size_t r = 0; r < static_cast<std::size_t>(panel.run_count[v]); ++r) {
      for (std::int64_t k = 0; k < across; ++k) {
        const auto tap = static_cast<std::size_t>(k);
        columns[v][r][tap] = lanes_inside(panel.runs[v][r], p.taps[2].offset[tap], step, width);
      }
    }
  }
  for (std::int64_t kz = 0; kz < p.taps[0].count; ++kz) {
    for (std::int64_t ky = 0; ky < p.taps[1].count; ++ky) {
      for (std::int64_t kx = 0; kx < across; ++kx) {
        for (std::size_t v = 0; v < 2; ++v) {
          const Piece* const first = piece;
          for (std::size_t r = 0; r < static_cast<std::size_t>(panel.run_count[v]); ++r) {
            const Run& run = panel.runs[v][r];
            const std::int64_t z = run.z * p.step[0] + p.taps[0].offset[static_cast<std::size_t>(kz)];
            const std::int64_t y = run.y * p.step[1] + p.taps[1].offset[static_cast<std::size_t>(ky)];
            const std::uint32_t bits = columns[v][r][static_cast<std::size_t>(kx)];
            if (z < 0 || z >= p.size[0] || y < 0 || y >= p.size[1] || bits == 0) continue;
            const std::int64_t x = (run.x - run.lane) * step + p.taps[2].offset[static_cast<std::size_t>(kx)];
            piece->offset = run.image * p.source_image + (z * p.size[1] + y) * width + x;
            piece->low = mask_of(step == 1 ? bits : spread(bits));
            piece->high = mask_of(step == 1 ? 0 : spread(bits >> 8));
            ++piece;
          }
          *counts++ = static_cast<std::uint8_t>(piece - first);
        }
      }
    }
  }
}

// to [channels × taps, panel_width] of channels [first, last).
template <int step>
HWY_ATTR void pack_panel(float* HWY_RESTRICT to, const Panel& panel, const PackedProduct& p, std::int64_t first,
                         std::int64_t last) {
  const D d;
  const std::int64_t plane = elements(p.size);
  const std::int64_t vectors = p.tap_count() * 2;
  for (std::int64_t c = first; c < last; ++c) {
    const float* source = p.source + c * plane;
    const Piece* piece = panel.pieces;
    for (std::int64_t i = 0; i < vectors; ++i, to += lanes) {
      V value = hn::Zero(d);
      for (int k = panel.piece_count[i]; k > 0; --k, ++piece) {
        const float* from = source + piece->offset;
        if constexpr (step == 1) {
          value = hn::Or(value, hn::MaskedLoad(piece->low, d, from));
        } else {
          value = hn::Or(value, hn::ConcatEven(d, hn::MaskedLoad(piece->high, d, from + lanes),
                                               hn::MaskedLoad(piece->low, d, from)));
        }
      }
      hn::Store(value, d, to);
    }
  }
}

// to [rows, weight_stride] of rows from `row` and channels [first, last). Writes up to a vector past a row's last
// element.
HWY_ATTR void pack_weights(float* to, const PackedProduct& p, std::int64_t row, std::int64_t rows,
                           std::int64_t first, std::int64_t last) {
  const D d;
  const std::int64_t taps = p.tap_count();
  const std::int64_t all_taps = elements(p.kernel);
  const float* from = p.weight + row * p.row_stride + first * p.channel_stride;
  if (taps == all_taps && p.channel_stride == taps) {
    for (std::int64_t r = 0; r < rows; ++r) {
      racy_copy(to + r * weight_stride, from + r * p.row_stride, static_cast<std::size_t>((last - first) * taps));
    }
    return;
  }
  std::array<std::int64_t, 256> places;  // of the taps in a kernel
  std::uint32_t bits = 0;
  std::size_t count = 0;
  for (std::int64_t kz = 0; kz < p.taps[0].count; ++kz) {
    for (std::int64_t ky = 0; ky < p.taps[1].count; ++ky) {
      for (std::int64_t kx = 0; kx < p.taps[2].count; ++kx) {
        places[count] = (p.taps[0].kernel[static_cast<std::size_t>(kz)] * p.kernel[1] +
                         p.taps[1].kernel[static_cast<std::size_t>(ky)]) *
                            p.kernel[2] +
                        p.taps[2].kernel[static_cast<std::size_t>(kx)];
        if (all_taps <= lanes) bits |= 1U << places[count];
        ++count;
      }
    }
  }
  const M kernel = hn::FirstN(d, static_cast<std::size_t>(std::min(all_taps, lanes)));
  const M chosen = mask_of(bits);
  // Rows lie side by side in memory: a channel of all of them at a time.
  for (std::int64_t c = first; c < last; ++c, from += p.channel_stride, to += taps) {
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* of_row = from + r * p.row_stride;
      float* packed = to + r * weight_stride;
      if (all_taps <= lanes) {
        hn::StoreU(hn::Compress(hn::MaskedLoad(kernel, d, of_row), chosen), d, packed);
      } else {
        for (std::size_t k = 0; k < count; ++k) packed[k] = racy_load(of_row + places[k]);
      }
    }
  }
}

// tile [rows, tile_row] (+)= weights [rows, depth] × columns [depth, panel_width].
template <int rows>
HWY_ATTR void multiply(float* tile, std::int64_t tile_row, const float* HWY_RESTRICT weights,
                       const float* HWY_RESTRICT columns, std::int64_t depth, const float* start) {
  const D d;
  V sums[rows][2];
  FERAL_UNROLL
  for (int r = 0; r < rows; ++r) {
    if (start != nullptr) {
      sums[r][0] = sums[r][1] = hn::Set(d, start[r]);
    } else {
      sums[r][0] = hn::LoadU(d, tile + r * tile_row);
      sums[r][1] = hn::LoadU(d, tile + r * tile_row + lanes);
    }
  }
  for (std::int64_t k = 0; k < depth; ++k, columns += panel_width) {
    const V a = hn::Load(d, columns);
    const V b = hn::Load(d, columns + lanes);
    FERAL_UNROLL
    for (int r = 0; r < rows; ++r) {
      const V w = hn::Set(d, weights[r * weight_stride + k]);
      sums[r][0] = hn::MulAdd(w, a, sums[r][0]);
      sums[r][1] = hn::MulAdd(w, b, sums[r][1]);
    }
  }
  FERAL_UNROLL
  for (int r = 0; r < rows; ++r) {
    hn::StoreU(sums[r][0], d, tile + r * tile_row);
    hn::StoreU(sums[r][1], d, tile + r * tile_row + lanes);
  }
}

using Multiply = void (*)(float*, std::int64_t, const float*, const float*, std::int64_t, const float*);
template <std::size_t... i>
constexpr std::array<Multiply, sizeof...(i)> multiplies(std::index_sequence<i...>) {
  return {multiply<static_cast<int>(i) + 1>...};
}

// to[i * stride] = from[i]
HWY_ATTR HWY_INLINE void store_apart(float* to, std::int64_t stride, const float* from, std::int64_t count) {
  const D d;
  if (stride == 1) {
    hn::BlendedStore(hn::LoadU(d, from), hn::FirstN(d, static_cast<std::size_t>(count)), d, to);
    return;
  }
  if (stride == 2) {
    const hn::Rebind<std::uint32_t, hn::Half<D>> half;
    const hn::Rebind<std::uint64_t, hn::Half<D>> wide;
    for (std::int64_t i = 0; i < count; i += lanes / 2) {
      // Zeros between them, which are not stored.
      const auto apart = hn::PromoteTo(wide, hn::LoadU(half, reinterpret_cast<const std::uint32_t*>(from + i)));
      const auto bits = static_cast<std::uint32_t>((std::uint64_t{1} << (2 * std::min(lanes / 2, count - i))) - 1);
      hn::BlendedStore(hn::BitCast(d, apart), mask_of(bits & 0x5555), d, to + 2 * i);
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) to[i * stride] = from[i];
}

// The sums of a panel that is not the output itself, to their places. A tile has a vector's room behind it.
HWY_ATTR void spread_out(const Panel& panel, const PackedProduct& p) {
  for (std::size_t v = 0; v < 2; ++v) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(panel.run_count[v]); ++k) {
      const Run& run = panel.runs[v][k];
      float* to = p.out + run.image * p.out_image + run.z * p.out_stride[0] + run.y * p.out_stride[1] +
                  run.x * p.out_stride[2];
      const float* from = panel.tile + static_cast<std::int64_t>(v) * lanes + run.lane;
      for (std::int64_t r = 0; r < p.rows; ++r, to += p.out_row, from += panel_width) {
        store_apart(to, p.out_stride[2], from, run.count);
      }
    }
  }
}

HWY_ATTR void run_product(const PackedProduct& p) {
  static constexpr auto table = multiplies(std::make_index_sequence<most_rows>());
  const std::int64_t taps = p.tap_count();
  const std::int64_t total = p.batch * elements(p.positions);
  const std::int64_t channels_at_once = std::max<std::int64_t>(1, depth_block / taps);
  const std::int64_t row_blocks = (p.rows + most_rows - 1) / most_rows;
  const std::int64_t pieces = taps * 2 * std::min(lanes, (lanes - 1) / p.positions[2] + 2);
  const auto bytes = [](std::int64_t count, std::size_t size) { return static_cast<std::size_t>(count) * size; };
  const Workspace columns(bytes(panels_at_once * channels_at_once * taps * panel_width, sizeof(float)));
  const Workspace tiles(bytes(panels_at_once * p.rows * panel_width + lanes, sizeof(float)));
  const Workspace piece_memory(bytes(panels_at_once * pieces, sizeof(Piece)));
  const Workspace count_memory(bytes(panels_at_once * taps * 2, 1));
  const Workspace start_memory(bytes(p.rows, sizeof(float)));
  auto* start = reinterpret_cast<float*>(start_memory.get());
  for (std::int64_t r = 0; r < p.rows; ++r) start[r] = p.bias == nullptr ? 0.0F : racy_load(p.bias + r);
  alignas(64) std::array<float, most_rows * weight_stride> weights;
  std::array<Panel, panels_at_once> panels;
  const bool contiguous = p.out_stride[2] == 1 && p.out_stride[1] == p.positions[2] &&
                          p.out_stride[0] == p.positions[2] * p.positions[1];
  const std::int64_t image_positions = elements(p.positions);

  for (std::int64_t first = 0; first < total; first += panels_at_once * panel_width) {
    const std::int64_t count = std::min(panels_at_once, (total - first + panel_width - 1) / panel_width);
    for (std::int64_t i = 0; i < count; ++i) {
      Panel& panel = panels[static_cast<std::size_t>(i)];
      panel.pieces = reinterpret_cast<Piece*>(piece_memory.get()) + i * pieces;
      panel.piece_count = reinterpret_cast<std::uint8_t*>(count_memory.get()) + i * taps * 2;
      const std::int64_t at = first + i * panel_width;
      find_runs(panel, p, at, total);
      find_pieces(panel, p);
      panel.direct = contiguous && panel.count == panel_width &&
                     at / image_positions == (at + panel_width - 1) / image_positions;
      panel.tile = panel.direct ? p.out + at / image_positions * p.out_image + at % image_positions
                                : reinterpret_cast<float*>(tiles.get()) + i * p.rows * panel_width;
      panel.tile_row = panel.direct ? p.out_row : panel_width;
    }
    for (std::int64_t c = 0; c < p.channels; c += channels_at_once) {
      const std::int64_t last = std::min(c + channels_at_once, p.channels);
      const std::int64_t depth = (last - c) * taps;
      auto* packed = reinterpret_cast<float*>(columns.get());
      for (std::int64_t i = 0; i < count; ++i) {
        const auto pack = p.step[2] == 1 ? pack_panel<1> : pack_panel<2>;
        pack(packed + i * depth * panel_width, panels[static_cast<std::size_t>(i)], p, c, last);
      }
      for (std::int64_t b = 0; b < row_blocks; ++b) {
        const std::int64_t row = p.rows * b / row_blocks;
        const std::int64_t rows = p.rows * (b + 1) / row_blocks - row;
        pack_weights(weights.data(), p, row, rows, c, last);
        for (std::int64_t i = 0; i < count; ++i) {
          const Panel& panel = panels[static_cast<std::size_t>(i)];
          table[static_cast<std::size_t>(rows - 1)](panel.tile + row * panel.tile_row, panel.tile_row,
                                                    weights.data(), packed + i * depth * panel_width, depth,
                                                    c == 0 ? start + row : nullptr);
        }
      }
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const Panel& panel = panels[static_cast<std::size_t>(i)];
      if (!panel.direct) spread_out(panel, p);
    }
  }
}

#undef FERAL_UNROLL
#endif  // FERAL_HAVE_PACKED

bool try_product([[maybe_unused]] const PackedProduct* products, [[maybe_unused]] std::int64_t count) {
#if FERAL_HAVE_PACKED
  for (std::int64_t i = 0; i < count; ++i) run_product(products[i]);
  return true;
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
HWY_EXPORT(try_product);

bool has_packed() { return HWY_DYNAMIC_DISPATCH(try_product)(nullptr, 0); }

// Few products do not pay for the packing.
bool is_worth_packing(const ConvolutionSizes& s, std::int64_t rows) {
  return rows >= 16 && elements(s.kernel) <= 256 && s.kernel[0] <= TapAxis::capacity &&
         s.kernel[1] <= TapAxis::capacity && s.kernel[2] <= TapAxis::capacity;
}

}  // namespace

bool convolution_packed(float* out, const float* x, const float* weight, const float* bias,
                        const ConvolutionSizes& s) {
  if (!is_worth_packing(s, s.group_filters()) || s.stride[2] > 2 || !has_packed()) return false;
  for (std::int64_t g = 0; g < s.groups; ++g) {
    PackedProduct p{.batch = s.batch,
                    .rows = s.group_filters(),
                    .channels = s.group_channels(),
                    .taps = {},
                    .weight = weight + g * s.group_filters() * s.taps(),
                    .row_stride = s.taps(),
                    .channel_stride = elements(s.kernel),
                    .kernel = s.kernel,
                    .source = x + g * s.group_channels() * s.plane(),
                    .source_image = s.channels * s.plane(),
                    .size = s.size,
                    .step = s.stride,
                    .out = out + g * s.group_filters() * s.positions(),
                    .out_image = s.filters * s.positions(),
                    .out_row = s.positions(),
                    .positions = s.out,
                    .out_stride = {s.out[1] * s.out[2], s.out[2], 1},
                    .bias = bias == nullptr ? nullptr : bias + g * s.group_filters()};
    for (std::size_t dim = 0; dim < 3; ++dim) {
      for (std::int64_t k = 0; k < s.kernel[dim]; ++k) p.taps[dim].add(k, k * s.dilation[dim] - s.padding[dim]);
    }
    HWY_DYNAMIC_DISPATCH(try_product)(&p, 1);
  }
  return true;
}

bool convolution_input_gradient_packed(float* x_gradient, const float* out_gradient, const float* weight,
                                       const ConvolutionSizes& s) {
  if (!is_worth_packing(s, s.group_channels()) || s.stride[2] > 2 || !has_packed()) return false;
  // Positions with the same remainders by the strides read the same taps.
  const bool all_read = s.stride[0] <= s.kernel[0] && s.stride[1] <= s.kernel[1] && s.stride[2] <= s.kernel[2] &&
                        s.dilation == Volume{1, 1, 1};
  if (!all_read) std::fill_n(x_gradient, s.batch * s.channels * s.plane(), 0.0F);
  Volume phase;
  for (std::int64_t g = 0; g < s.groups; ++g) {
    for (phase[0] = 0; phase[0] < std::min(s.stride[0], s.size[0]); ++phase[0]) {
      for (phase[1] = 0; phase[1] < std::min(s.stride[1], s.size[1]); ++phase[1]) {
        for (phase[2] = 0; phase[2] < std::min(s.stride[2], s.size[2]); ++phase[2]) {
          const Volume row_strides = {s.size[1] * s.size[2], s.size[2], 1};
          PackedProduct p{.batch = s.batch,
                          .rows = s.group_channels(),
                          .channels = s.group_filters(),
                          .taps = {},
                          .weight = weight + g * s.group_filters() * s.taps(),
                          .row_stride = elements(s.kernel),
                          .channel_stride = s.taps(),
                          .kernel = s.kernel,
                          .source = out_gradient + g * s.group_filters() * s.positions(),
                          .source_image = s.filters * s.positions(),
                          .size = s.out,
                          .step = {1, 1, 1},
                          .out = x_gradient + g * s.group_channels() * s.plane(),
                          .out_image = s.channels * s.plane(),
                          .out_row = s.plane(),
                          .positions = {},
                          .out_stride = {}};
          for (std::size_t dim = 0; dim < 3; ++dim) {
            p.out += phase[dim] * row_strides[dim];
            p.out_stride[dim] = s.stride[dim] * row_strides[dim];
            p.positions[dim] = (s.size[dim] - phase[dim] + s.stride[dim] - 1) / s.stride[dim];
            for (std::int64_t k = 0; k < s.kernel[dim]; ++k) {
              const std::int64_t from = phase[dim] + s.padding[dim] - k * s.dilation[dim];
              if (from % s.stride[dim] == 0) p.taps[dim].add(k, from / s.stride[dim]);
            }
          }
          if (p.tap_count() > 0) HWY_DYNAMIC_DISPATCH(try_product)(&p, 1);
        }
      }
    }
  }
  return true;
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
