// The product is blocked as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): a
// block of the columns' matrix stays in the second-level cache, a few rows of weights in the first, a tile of sums
// in registers. The columns are never laid out as a whole.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/packed_product.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tensor/cpu/packed_panel-inl.hpp"
#include "tensor/cpu/packed_product.hpp"
#include "tensor/cpu/workspace.hpp"
#include "tensor/racy.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET <= HWY_AVX3
#define FERAL_HAVE_PACKED 1
#else
#define FERAL_HAVE_PACKED 0
#endif

#if FERAL_HAVE_PACKED

// Loops over sums in registers: unless every one is unrolled, the compiler keeps the sums on the stack.
#define FERAL_UNROLL _Pragma("GCC unroll 16")

constexpr std::int64_t depth_block = 576;    // channels × taps of a block
constexpr std::int64_t weight_stride = 592;  // of a row of packed weights; not a power of two, for the cache's sake
constexpr std::int64_t panels_at_once = 16;  // for which a block of weights is packed once
constexpr std::int64_t few_panels = 4;
constexpr int most_rows = 13;  // × 2 vectors of sums in registers, of 32

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

// tile [rows, tile_row] (+)= weights [rows, depth] × columns [depth, panel_width], of the panel's first vectors.
template <int rows, int vectors>
HWY_ATTR void multiply(float* tile, std::int64_t tile_row, const float* HWY_RESTRICT weights,
                       const float* HWY_RESTRICT columns, std::int64_t depth, const float* start) {
  const D d;
  V sums[rows][vectors];
  FERAL_UNROLL
  for (int r = 0; r < rows; ++r) {
    FERAL_UNROLL
    for (int v = 0; v < vectors; ++v) {
      sums[r][v] = start != nullptr ? hn::Set(d, start[r]) : hn::LoadU(d, tile + r * tile_row + v * lanes);
    }
  }
  for (std::int64_t k = 0; k < depth; ++k, columns += panel_width) {
    V x[vectors];
    FERAL_UNROLL
    for (int v = 0; v < vectors; ++v) x[v] = hn::Load(d, columns + v * lanes);
    FERAL_UNROLL
    for (int r = 0; r < rows; ++r) {
      const V w = hn::Set(d, weights[r * weight_stride + k]);
      FERAL_UNROLL
      for (int v = 0; v < vectors; ++v) sums[r][v] = hn::MulAdd(w, x[v], sums[r][v]);
    }
  }
  FERAL_UNROLL
  for (int r = 0; r < rows; ++r) {
    FERAL_UNROLL
    for (int v = 0; v < vectors; ++v) hn::StoreU(sums[r][v], d, tile + r * tile_row + v * lanes);
  }
}

using Multiply = void (*)(float*, std::int64_t, const float*, const float*, std::int64_t, const float*);
template <int vectors, std::size_t... i>
constexpr std::array<Multiply, sizeof...(i)> multiplies(std::index_sequence<i...>) {
  return {multiply<static_cast<int>(i) + 1, vectors>...};
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
  static constexpr auto halves = multiplies<1>(std::make_index_sequence<most_rows>());
  static constexpr auto wholes = multiplies<2>(std::make_index_sequence<most_rows>());
  const std::int64_t taps = p.tap_count();
  const std::int64_t total = p.batch * elements(p.positions);
  const std::int64_t channels_at_once = std::max<std::int64_t>(1, depth_block / taps);
  const std::int64_t row_blocks = (p.rows + most_rows - 1) / most_rows;
  const std::int64_t pieces = taps * 2 * std::min(lanes, (lanes - 1) / p.positions[2] + 2);
  const auto bytes = [](std::int64_t count, std::size_t size) { return static_cast<std::size_t>(count) * size; };
  // Of few panels, the columns stay in the second-level cache and the weights are packed a few rows at a time.
  const bool few = total <= few_panels * panel_width;
  const Workspace column_memory(
      bytes((few ? few_panels : 1) * channels_at_once * taps * panel_width, sizeof(float)));
  const Workspace weight_memory(bytes((few ? 1 : row_blocks) * most_rows * weight_stride, sizeof(float)));
  const Workspace tiles(bytes(panels_at_once * p.rows * panel_width + lanes, sizeof(float)));
  const Workspace piece_memory(bytes(panels_at_once * pieces, sizeof(Piece)));
  const Workspace start_memory(bytes(p.rows, sizeof(float)));
  auto* start = reinterpret_cast<float*>(start_memory.get());
  for (std::int64_t r = 0; r < p.rows; ++r) start[r] = p.bias == nullptr ? 0.0F : racy_load(p.bias + r);
  auto* columns = reinterpret_cast<float*>(column_memory.get());
  auto* weights = reinterpret_cast<float*>(weight_memory.get());
  const auto first_row = [&](std::int64_t block) { return p.rows * block / row_blocks; };
  std::array<Panel, panels_at_once> panels;
  const bool contiguous = p.out_stride[2] == 1 && p.out_stride[1] == p.positions[2] &&
                          p.out_stride[0] == p.positions[2] * p.positions[1];
  const std::int64_t image_positions = elements(p.positions);

  for (std::int64_t first = 0; first < total; first += panels_at_once * panel_width) {
    const std::int64_t count = std::min(panels_at_once, (total - first + panel_width - 1) / panel_width);
    for (std::int64_t i = 0; i < count; ++i) {
      Panel& panel = panels[static_cast<std::size_t>(i)];
      panel.pieces = reinterpret_cast<Piece*>(piece_memory.get()) + i * pieces;
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
      const auto pack_rows = [&](std::int64_t b, float* to) HWY_ATTR {
        pack_weights(to, p, first_row(b), first_row(b + 1) - first_row(b), c, last);
      };
      const auto pack_columns = [&](std::int64_t i, float* to) HWY_ATTR {
        const Panel& panel = panels[static_cast<std::size_t>(i)];
        const auto& packs = p.step[2] == 1 ? pack_panels<1> : pack_panels<2>;
        packs[panel.pieces_each > most_pieces ? 0 : static_cast<std::size_t>(panel.pieces_each)](to, panel, p, c,
                                                                                                 last);
      };
      const auto add_products = [&](std::int64_t i, std::int64_t b, const float* from_rows,
                                    const float* from_columns) HWY_ATTR {
        const Panel& panel = panels[static_cast<std::size_t>(i)];
        const std::int64_t row = first_row(b);
        const auto& table = panel.count <= lanes ? halves : wholes;
        table[static_cast<std::size_t>(first_row(b + 1) - row - 1)](panel.tile + row * panel.tile_row,
                                                                    panel.tile_row, from_rows, from_columns, depth,
                                                                    c == 0 ? start + row : nullptr);
      };
      if (few) {
        for (std::int64_t i = 0; i < count; ++i) pack_columns(i, columns + i * depth * panel_width);
        for (std::int64_t b = 0; b < row_blocks; ++b) {
          pack_rows(b, weights);
          for (std::int64_t i = 0; i < count; ++i) add_products(i, b, weights, columns + i * depth * panel_width);
        }
        continue;
      }
      for (std::int64_t b = 0; b < row_blocks; ++b) pack_rows(b, weights + b * most_rows * weight_stride);
      for (std::int64_t i = 0; i < count; ++i) {
        pack_columns(i, columns);
        for (std::int64_t b = 0; b < row_blocks; ++b) {
          add_products(i, b, weights + b * most_rows * weight_stride, columns);
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

bool run([[maybe_unused]] const PackedProduct* product) {
#if FERAL_HAVE_PACKED
  if (product != nullptr) run_product(*product);
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
HWY_EXPORT(run);
}  // namespace

bool run_packed(const PackedProduct& product) { return HWY_DYNAMIC_DISPATCH(run)(&product); }

bool has_packed_product() { return HWY_DYNAMIC_DISPATCH(run)(nullptr); }

}  // namespace feral::cpu
#endif  // HWY_ONCE
