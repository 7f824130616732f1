// 3 × 3 convolutions by Winograd's transforms around 36 matrix products.
//
// A block is a run of tile rows whose transformed inputs fit into the L2 cache. "Spectra" are the 36 coefficients
// of a tile; matrices of them lie as [36][rows][tiles], so that each coefficient has its own product.
#include "tensor/cpu/winograd.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/winograd.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "tensor/cpu/blas.hpp"
#include "tensor/cpu/winograd_transform-inl.hpp"
#include "tensor/cpu/workspace.hpp"
#include "tensor/racy.hpp"

#ifndef FERAL_TENSOR_CPU_WINOGRAD_ONCE
#define FERAL_TENSOR_CPU_WINOGRAD_ONCE
namespace feral::cpu {

constexpr std::int64_t points = 36;  // coefficients of a tile
constexpr std::int64_t tile = 4;     // outputs of a tile in each direction
constexpr std::int64_t max_lanes = 16;

// The planes of one block of tile rows.
struct TileRows {
  std::int64_t first = 0;  // tile row among those of all images
  std::int64_t count = 0;  // tile rows
  std::int64_t rows_an_image = 0;
  std::int64_t tiles = 0;   // in a tile row
  std::int64_t height = 0;  // of the image, or of the output
  std::int64_t width = 0;
  std::int64_t padding_y = 0;  // before its first row, as the tiles see it
  std::int64_t padding_x = 0;
  std::int64_t leading = 0;  // length of a row of spectra: count * tiles and room for one vector
};

struct WinogradKernels {
  // spectra [36][planes][leading] of the inputs [images, planes, height, width].
  void (*input)(const TileRows& rows, std::int64_t planes, const float* x, float* spectra);
  void (*output)(const TileRows& rows, std::int64_t planes, const float* spectra, const float* bias, float* out);
  void (*output_gradient)(const TileRows& rows, std::int64_t planes, const float* gradient, float* spectra);
  // spectra [36][filters][channels] of weight [filters, channels, 3, 3], its taps in reverse where `turned`.
  void (*weight)(std::int64_t filters, std::int64_t channels, const float* weight, bool turned, float* scratch,
                 float* spectra);
  void (*weight_gradient)(std::int64_t filters, std::int64_t channels, const float* spectra, float* scratch,
                          float* gradient);
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, max_lanes>;
using Vector = hn::Vec<Lanes>;

// A padded row of an image taken apart: phase k holds every fourth element from k on, so that element j of all
// tiles is a run. Long rows are worked off piece by piece.
constexpr std::int64_t piece = 4 * max_lanes;  // tiles
struct Phases {
  HWY_ALIGN float padded[4 * piece + 4 * max_lanes + 8];
  HWY_ALIGN float phase[4][piece + 2 * max_lanes];
};

// Fills `phases` with row `y` from column `x` on (0 outside of the image), for `tiles` tiles and the start of the
// next.
HWY_ATTR void take_apart(const float* plane, const TileRows& rows, std::int64_t y, std::int64_t x,
                         std::int64_t tiles, Phases& phases) {
  const Lanes d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t rounded = (tiles + lanes) / lanes * lanes;  // at least one tile more
  const std::int64_t length = tile * rounded;
  const std::int64_t begin = std::clamp<std::int64_t>(-x, 0, length);
  const std::int64_t end = y < 0 || y >= rows.height ? begin : std::clamp(rows.width - x, begin, length);
  std::memset(phases.padded, 0, static_cast<std::size_t>(begin) * sizeof(float));
  if (end > begin) {
    std::memcpy(phases.padded + begin, plane + y * rows.width + x + begin,
                static_cast<std::size_t>(end - begin) * sizeof(float));
  }
  std::memset(phases.padded + end, 0, static_cast<std::size_t>(length - end) * sizeof(float));
  for (std::int64_t t = 0; t < rounded; t += lanes) {
    Vector v0, v1, v2, v3;
    hn::LoadInterleaved4(d, phases.padded + tile * t, v0, v1, v2, v3);
    hn::Store(v0, d, phases.phase[0] + t);
    hn::Store(v1, d, phases.phase[1] + t);
    hn::Store(v2, d, phases.phase[2] + t);
    hn::Store(v3, d, phases.phase[3] + t);
  }
}

// Calls row(plane's number, image, tile row within the image, column of spectra) for every plane and tile row.
template <class Row>
HWY_ATTR void for_each_tile_row(const TileRows& rows, std::int64_t planes, Row&& row) {
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    for (std::int64_t r = 0; r < rows.count; ++r) {
      const std::int64_t global = rows.first + r;
      row(plane, global / rows.rows_an_image, global % rows.rows_an_image, r * rows.tiles);
    }
  }
}

// The spectra of the planes' tiles of `taken` elements in each direction: six of an input, four of the gradient of
// an output. What lies outside of a plane is 0.
template <int taken, class D, class V>
HWY_ATTR void transform_taken(D d, const V (&x)[taken], V (&to)[6]) {
  if constexpr (taken == 6) {
    transform_input(d, x, to);
  } else {
    transform_output_gradient(d, x, to);
  }
}

template <int taken>
HWY_ATTR void spectra_of(const TileRows& rows, std::int64_t planes, const float* data, float* spectra) {
  const Lanes d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t point_step = planes * rows.leading;
  Phases phases;
  HWY_ALIGN float along_x[taken][6][piece + max_lanes];  // by row of the tile, then by point
  for_each_tile_row(
      rows, planes,
      [&](std::int64_t plane, std::int64_t image, std::int64_t tile_row, std::int64_t column) HWY_ATTR {
        const float* from = data + (image * planes + plane) * rows.height * rows.width;
        for (std::int64_t t0 = 0; t0 < rows.tiles; t0 += piece) {
          const std::int64_t tiles = std::min(piece, rows.tiles - t0);
          for (int i = 0; i < taken; ++i) {
            take_apart(from, rows, tile_row * tile - rows.padding_y + i, t0 * tile - rows.padding_x, tiles, phases);
            for (std::int64_t t = 0; t < tiles; t += lanes) {
              Vector in[taken];
              for (int k = 0; k < taken; ++k) in[k] = hn::LoadU(d, phases.phase[k % tile] + t + k / tile);
              Vector out[6];
              transform_taken<taken>(d, in, out);
              for (int k = 0; k < 6; ++k) hn::Store(out[k], d, along_x[i][k] + t);
            }
          }
          float* to = spectra + plane * rows.leading + column + t0;
          for (int k = 0; k < 6; ++k) {
            for (std::int64_t t = 0; t < tiles; t += lanes) {
              Vector in[taken];
              for (int i = 0; i < taken; ++i) in[i] = hn::Load(d, along_x[i][k] + t);
              Vector out[6];
              transform_taken<taken>(d, in, out);
              // Lanes past the last tile are overwritten by the next tile row, or lie in the room behind the row.
              for (int i = 0; i < 6; ++i) hn::StoreU(out[i], d, to + (i * 6 + k) * point_step + t);
            }
          }
        }
      });
}

HWY_ATTR void output(const TileRows& rows, std::int64_t planes, const float* spectra, const float* bias,
                     float* out_data) {
  const Lanes d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t point_step = planes * rows.leading;
  HWY_ALIGN float along_y[4][6][max_lanes];
  HWY_ALIGN float row[4 * max_lanes];
  for_each_tile_row(
      rows, planes,
      [&](std::int64_t plane, std::int64_t image, std::int64_t tile_row, std::int64_t column) HWY_ATTR {
        float* plane_out = out_data + (image * planes + plane) * rows.height * rows.width;
        const float* from = spectra + plane * rows.leading + column;
        const Vector shift = hn::Set(d, bias != nullptr ? racy_load(bias + plane) : 0.0F);
        const std::int64_t valid_rows = std::min(tile, rows.height - tile_row * tile);
        for (std::int64_t t = 0; t < rows.tiles; t += lanes) {
          for (int k = 0; k < 6; ++k) {
            Vector in[6];
            for (int i = 0; i < 6; ++i) in[i] = hn::LoadU(d, from + (i * 6 + k) * point_step + t);
            Vector to[4];
            transform_output(d, in, to);
            for (int i = 0; i < 4; ++i) hn::Store(to[i], d, along_y[i][k]);
          }
          const std::int64_t x = t * tile;
          const std::int64_t valid = std::min(lanes * tile, rows.width - x);
          for (std::int64_t i = 0; i < valid_rows; ++i) {
            const auto& line = along_y[i];
            const Vector in[6] = {hn::Load(d, line[0]), hn::Load(d, line[1]), hn::Load(d, line[2]),
                                  hn::Load(d, line[3]), hn::Load(d, line[4]), hn::Load(d, line[5])};
            Vector to[4];
            transform_output(d, in, to);
            for (Vector& v : to) v = hn::Add(v, shift);
            float* target = plane_out + (tile_row * tile + i) * rows.width + x;
            if (valid == lanes * tile) {
              hn::StoreInterleaved4(to[0], to[1], to[2], to[3], d, target);
            } else {
              hn::StoreInterleaved4(to[0], to[1], to[2], to[3], d, row);
              std::memcpy(target, row, static_cast<std::size_t>(valid) * sizeof(float));
            }
          }
        }
      });
}

// The taps of one filter side by side, [9][channels], with room for a vector behind.
HWY_ATTR void weight(std::int64_t filters, std::int64_t channels, const float* weight_data, bool turned,
                     float* taps, float* spectra) {
  const Lanes d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t room = channels + max_lanes;
  const std::int64_t point_step = filters * channels + max_lanes;
  for (std::int64_t f = 0; f < filters; ++f) {
    const float* from = weight_data + f * channels * 9;
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t k = 0; k < 9; ++k) taps[(turned ? 8 - k : k) * room + c] = racy_load(from + c * 9 + k);
    }
    for (std::int64_t c = 0; c < channels; c += lanes) {
      Vector along_x[3][6];
      for (int i = 0; i < 3; ++i) {
        const Vector in[3] = {hn::LoadU(d, taps + (i * 3) * room + c), hn::LoadU(d, taps + (i * 3 + 1) * room + c),
                              hn::LoadU(d, taps + (i * 3 + 2) * room + c)};
        transform_weight(d, in, along_x[i]);
      }
      for (int k = 0; k < 6; ++k) {
        const Vector in[3] = {along_x[0][k], along_x[1][k], along_x[2][k]};
        Vector out[6];
        transform_weight(d, in, out);
        for (int i = 0; i < 6; ++i) hn::StoreU(out[i], d, spectra + (i * 6 + k) * point_step + f * channels + c);
      }
    }
  }
}

HWY_ATTR void weight_gradient(std::int64_t filters, std::int64_t channels, const float* spectra, float* taps,
                              float* gradient) {
  const Lanes d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t room = channels + max_lanes;
  const std::int64_t point_step = filters * channels + max_lanes;
  for (std::int64_t f = 0; f < filters; ++f) {
    for (std::int64_t c = 0; c < channels; c += lanes) {
      Vector along_y[3][6];
      for (int k = 0; k < 6; ++k) {
        Vector in[6];
        for (int i = 0; i < 6; ++i) in[i] = hn::LoadU(d, spectra + (i * 6 + k) * point_step + f * channels + c);
        Vector out[3];
        transform_weight_gradient(d, in, out);
        for (int i = 0; i < 3; ++i) along_y[i][k] = out[i];
      }
      for (int i = 0; i < 3; ++i) {
        Vector out[3];
        transform_weight_gradient(d, along_y[i], out);
        for (int k = 0; k < 3; ++k) hn::StoreU(out[k], d, taps + (i * 3 + k) * room + c);
      }
    }
    float* to = gradient + f * channels * 9;
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t k = 0; k < 9; ++k) to[c * 9 + k] = taps[k * room + c];
    }
  }
}

WinogradKernels winograd_kernels() {
  return {.input = spectra_of<6>,
          .output = output,
          .output_gradient = spectra_of<4>,
          .weight = weight,
          .weight_gradient = weight_gradient};
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(winograd_kernels);

namespace {

// Spectra of a block's inputs and outputs together: most of a common L2 cache.
constexpr std::int64_t block_bytes = 768 << 10;

float* floats(const Workspace& workspace) { return reinterpret_cast<float*>(workspace.get()); }

std::size_t bytes_of(std::int64_t floats_count) { return static_cast<std::size_t>(floats_count) * sizeof(float); }

// Tile rows of all images of `sizes`, cut into blocks.
struct Blocks {
  TileRows input;   // as the inputs' planes are cut
  TileRows output;  // as the outputs' planes are
  std::int64_t rows = 0;
  std::int64_t rows_a_block = 0;

  explicit Blocks(const WinogradSizes& s) {
    input.rows_an_image = output.rows_an_image = (s.out_height() + tile - 1) / tile;
    input.tiles = output.tiles = (s.out_width() + tile - 1) / tile;
    input.height = s.height;
    input.width = s.width;
    input.padding_y = s.padding_y;
    input.padding_x = s.padding_x;
    output.height = s.out_height();
    output.width = s.out_width();
    rows = s.images * input.rows_an_image;
    const std::int64_t row_bytes =
        points * (s.channels + s.filters) * input.tiles * static_cast<std::int64_t>(sizeof(float));
    rows_a_block = std::clamp<std::int64_t>(block_bytes / row_bytes, 1, rows);
    // Products want some columns to be quick, even where the block then leaves the cache.
    constexpr std::int64_t good_columns = 48;
    rows_a_block = std::min(std::max(rows_a_block, (good_columns + input.tiles - 1) / input.tiles), rows);
  }

  std::int64_t leading() const { return (rows_a_block * input.tiles + 2 * max_lanes - 1) / max_lanes * max_lanes; }

  template <class Block>
  void for_each(Block&& block) {
    for (std::int64_t first = 0; first < rows; first += rows_a_block) {
      for (TileRows* part : {&input, &output}) {
        part->first = first;
        part->count = std::min(rows_a_block, rows - first);
        part->leading = leading();
      }
      block(input.count * input.tiles);
    }
  }
};

std::int64_t weight_floats(std::int64_t filters, std::int64_t channels) {
  return points * (filters * channels + max_lanes);
}

// out = x * weight, with the filter's spectra read [channels of out][channels of x] or, `transposed`, the other
// way.
void convolve(const WinogradSizes& s, const float* x, const float* weight_spectra, bool transposed,
              const float* bias, float* out) {
  const WinogradKernels kernels = HWY_DYNAMIC_DISPATCH(winograd_kernels)();
  Blocks blocks(s);
  const Workspace x_block(bytes_of(points * s.channels * blocks.leading() + max_lanes));
  const Workspace out_block(bytes_of(points * s.filters * blocks.leading() + max_lanes));
  blocks.for_each([&](std::int64_t columns) {
    const std::int64_t leading = blocks.leading();
    kernels.input(blocks.input, s.channels, x, floats(x_block));
    for (std::int64_t point = 0; point < points; ++point) {
      gemm(transposed, false, s.filters, columns, s.channels,
           weight_spectra + point * (s.filters * s.channels + max_lanes), transposed ? s.filters : s.channels,
           floats(x_block) + point * s.channels * leading, leading, 0.0F,
           floats(out_block) + point * s.filters * leading, leading);
    }
    kernels.output(blocks.output, s.filters, floats(out_block), bias, out);
  });
}

}  // namespace

bool winograd_pays(const WinogradSizes& s) {
  if (s.padding_y > 2 || s.padding_x > 2) return false;
  if (s.out_height() < 2 || s.out_width() < 2 || s.channels < 16 || s.filters < 16) return false;
  // The filters' transform costs as much as some tiles; tiles that hang over the border are wasted.
  const std::int64_t tiles = s.images * ((s.out_height() + tile - 1) / tile) * ((s.out_width() + tile - 1) / tile);
  const std::int64_t outputs = s.images * s.out_height() * s.out_width();
  return tiles >= 48 && outputs >= tiles * 8;
}

void winograd_forward(const WinogradSizes& s, const float* x, const float* weight, const float* bias, float* out) {
  const Workspace spectra(bytes_of(weight_floats(s.filters, s.channels)));
  const Workspace taps(bytes_of(9 * (s.channels + max_lanes)));
  HWY_DYNAMIC_DISPATCH(winograd_kernels)
  ().weight(s.filters, s.channels, weight, false, floats(taps), floats(spectra));
  convolve(s, x, floats(spectra), false, bias, out);
}

void winograd_input_gradient(const WinogradSizes& s, float* x_gradient, const float* out_gradient,
                             const float* weight) {
  const Workspace spectra(bytes_of(weight_floats(s.filters, s.channels)));
  const Workspace taps(bytes_of(9 * (s.channels + max_lanes)));
  HWY_DYNAMIC_DISPATCH(winograd_kernels)
  ().weight(s.filters, s.channels, weight, true, floats(taps), floats(spectra));
  // A convolution again, of the gradient with the turned filters, with as much padding as gives x's size back.
  const WinogradSizes turned{.images = s.images,
                             .channels = s.filters,
                             .filters = s.channels,
                             .height = s.out_height(),
                             .width = s.out_width(),
                             .padding_y = 2 - s.padding_y,
                             .padding_x = 2 - s.padding_x};
  convolve(turned, out_gradient, floats(spectra), true, nullptr, x_gradient);
}

void winograd_weight_gradient(const WinogradSizes& s, float* weight_gradient, const float* x,
                              const float* out_gradient) {
  const WinogradKernels kernels = HWY_DYNAMIC_DISPATCH(winograd_kernels)();
  Blocks blocks(s);
  const Workspace x_block(bytes_of(points * s.channels * blocks.leading() + max_lanes));
  const Workspace out_block(bytes_of(points * s.filters * blocks.leading() + max_lanes));
  const Workspace spectra(bytes_of(weight_floats(s.filters, s.channels)));
  const Workspace taps(bytes_of(9 * (s.channels + max_lanes)));
  bool first = true;
  blocks.for_each([&](std::int64_t columns) {
    const std::int64_t leading = blocks.leading();
    kernels.input(blocks.input, s.channels, x, floats(x_block));
    kernels.output_gradient(blocks.output, s.filters, out_gradient, floats(out_block));
    for (std::int64_t point = 0; point < points; ++point) {
      gemm(false, true, s.filters, s.channels, columns, floats(out_block) + point * s.filters * leading, leading,
           floats(x_block) + point * s.channels * leading, leading, first ? 0.0F : 1.0F,
           floats(spectra) + point * (s.filters * s.channels + max_lanes), s.channels);
    }
    first = false;
  });
  kernels.weight_gradient(s.filters, s.channels, floats(spectra), floats(taps), weight_gradient);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
