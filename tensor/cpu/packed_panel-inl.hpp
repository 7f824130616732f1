// Panels of a packed product: 32 positions of the output, and where their columns come from. Compiled once an
// instruction set: include after hwy/foreach_target.h. Has Highway's toggle instead of a plain include guard.
#if defined(FERAL_TENSOR_CPU_PACKED_PANEL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_PACKED_PANEL_INL
#undef FERAL_TENSOR_CPU_PACKED_PANEL_INL
#else
#define FERAL_TENSOR_CPU_PACKED_PANEL_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <array>

#include "tensor/cpu/packed_product.hpp"

// Masked loads must not touch what they mask: true of AVX-512, not of Highway's emulations.
#if HWY_TARGET <= HWY_AVX3
HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;
constexpr std::int64_t lanes = 16;
constexpr std::int64_t panel_width = 2 * lanes;

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
  Piece* pieces;       // tap by tap, vector by vector, pieces_each for each
  int pieces_each;
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
  const std::int64_t across = p.taps[2].count;
  panel.pieces_each = std::max(panel.run_count[0], panel.run_count[1]);
  const std::int64_t a_tap = 2 * panel.pieces_each;
  const Piece nothing = {0, mask_of(0), mask_of(0)};
  for (std::size_t v = 0; v < 2; ++v) {
    for (std::int64_t r = 0; r < panel.pieces_each; ++r) {
      Piece* const pieces = panel.pieces + static_cast<std::int64_t>(v) * panel.pieces_each + r;
      if (r >= panel.run_count[v]) {
        for (std::int64_t tap = 0; tap < p.tap_count(); ++tap) pieces[tap * a_tap] = nothing;
        continue;
      }
      // Columns do not depend on the tap's row.
      const Run& run = panel.runs[v][static_cast<std::size_t>(r)];
      std::array<Piece, TapAxis::capacity> columns;
      for (std::size_t kx = 0; kx < static_cast<std::size_t>(across); ++kx) {
        const std::uint32_t bits = lanes_inside(run, p.taps[2].offset[kx], step, width);
        columns[kx] = {(run.x - run.lane) * step + p.taps[2].offset[kx], mask_of(step == 1 ? bits : spread(bits)),
                       mask_of(step == 1 ? 0 : spread(bits >> 8))};
        if (bits == 0) columns[kx].offset = 0;
      }
      Piece* next = pieces;
      for (std::size_t kz = 0; kz < static_cast<std::size_t>(p.taps[0].count); ++kz) {
        const std::int64_t z = run.z * p.step[0] + p.taps[0].offset[kz];
        for (std::size_t ky = 0; ky < static_cast<std::size_t>(p.taps[1].count); ++ky) {
          const std::int64_t y = run.y * p.step[1] + p.taps[1].offset[ky];
          const bool outside = z < 0 || z >= p.size[0] || y < 0 || y >= p.size[1];
          const std::int64_t row = run.image * p.source_image + (z * p.size[1] + y) * width;
          for (std::size_t kx = 0; kx < static_cast<std::size_t>(across); ++kx, next += a_tap) {
            *next = outside ? nothing : columns[kx];
            if (!outside) next->offset += row;
          }
        }
      }
    }
  }
}

// to [channels × taps, panel_width] of channels [first, last). pieces_each: the panel's, or 0 for any number.
template <int step, int pieces_each>
HWY_ATTR void pack_panel(float* HWY_RESTRICT to, const Panel& panel, const PackedProduct& p, std::int64_t first,
                         std::int64_t last) {
  const D d;
  const std::int64_t plane = elements(p.size);
  const std::int64_t vectors = p.tap_count() * 2;
  const int count = pieces_each > 0 ? pieces_each : panel.pieces_each;
  const Piece* const pieces = panel.pieces;
  for (std::int64_t c = first; c < last; ++c) {
    const float* source = p.source + c * plane;
    const Piece* piece = pieces;
    for (std::int64_t i = 0; i < vectors; ++i, to += lanes) {
      V value = hn::Zero(d);
      _Pragma("GCC unroll 16") for (int k = 0; k < count; ++k, ++piece) {
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

using PackPanel = void (*)(float*, const Panel&, const PackedProduct&, std::int64_t, std::int64_t);
constexpr int most_pieces = 4;
// A table of pack_panel by pieces_each, 0 for more than most_pieces.
template <int step>
constexpr std::array<PackPanel, most_pieces + 1> pack_panels = {
    pack_panel<step, 0>, pack_panel<step, 1>, pack_panel<step, 2>, pack_panel<step, 3>, pack_panel<step, 4>};

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // HWY_AVX3
#endif
