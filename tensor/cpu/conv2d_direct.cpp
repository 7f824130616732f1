#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/conv2d_direct.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tensor/cpu/conv2d_direct.hpp"
#include "tensor/cpu/workspace.hpp"
#include "tensor/racy.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Masked loads must not touch what they mask: true of AVX-512, not of Highway's emulations.
#if HWY_TARGET <= HWY_AVX3
#define FERAL_HAVE_DIRECT 1
#else
#define FERAL_HAVE_DIRECT 0
#endif

#if FERAL_HAVE_DIRECT

// Loops over sums in registers: unless every one is unrolled, the compiler keeps the sums on the stack.
#define FERAL_UNROLL _Pragma("GCC unroll 16")

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr std::int64_t lanes = 16;

// A vector of the output plane: 16 columns of a row, fewer at its end, or two whole rows of 8.
struct Chunk {
  std::int64_t out;  // offset of its first element in an output plane
  std::int64_t x;    // offset in an input plane of what its first element reads at tap (0, 0)
  std::int64_t count;
};

class Chunks {
 public:
  explicit Chunks(const ConvSizes& s)
      : paired_(s.out_width == lanes / 2 && s.out_height % 2 == 0), width_(s.width) {
    for (std::int64_t y = 0; y < s.out_height; y += paired_ ? 2 : 1) {
      for (std::int64_t x = 0; x < s.out_width; x += lanes) {
        chunks_[size_++] = {y * s.out_width + x, y * s.width + x,
                            paired_ ? lanes : std::min(lanes, s.out_width - x)};
      }
    }
  }
  static constexpr std::int64_t capacity = 256;
  static bool fits(const ConvSizes& s) {
    const std::int64_t a_row = (s.out_width + lanes - 1) / lanes;
    // At least half of each vector must do work, or the matrix product wins.
    return s.stride == 1 && s.padding == 0 && s.out_height * a_row <= capacity && s.out_width * 2 >= a_row * lanes;
  }
  int size() const { return size_; }
  bool paired() const { return paired_; }
  std::int64_t width() const { return width_; }
  const Chunk& operator[](int i) const { return chunks_[static_cast<std::size_t>(i)]; }

 private:
  bool paired_;
  std::int64_t width_;
  int size_ = 0;
  std::array<Chunk, capacity> chunks_;
};

// Where a chunk stands, with what its loads need worked out once.
template <bool paired>
struct Reach {
  std::int64_t out, x;
  hn::Mask<D> mask;

  HWY_ATTR explicit Reach(const Chunk& chunk)
      : out(chunk.out), x(chunk.x), mask(hn::FirstN(D(), static_cast<std::size_t>(chunk.count))) {}
  Reach() = default;

  // The 16 elements that the chunk reads at the tap which `plane` points at.
  HWY_ATTR HWY_INLINE V load_x(const float* plane, std::int64_t width) const {
    if constexpr (paired) {
      const hn::Half<D> half;
      return hn::Combine(D(), hn::LoadU(half, plane + x + width), hn::LoadU(half, plane + x));
    } else {
      return hn::MaskedLoad(mask, D(), plane + x);
    }
  }
};

constexpr int filter_block = 5;  // filters × chunks of sums in registers: 20 of 32
constexpr int chunk_block = 4;

// out of `filters` filters at `count` chunks. weight: [taps][filter_block], packed.
template <bool paired, int filters, int count>
HWY_ATTR void forward_tile(float* out, const float* image, const float* weight, const float* bias,
                           const ConvSizes& s, const Chunk* chunks) {
  const D d;
  Reach<paired> reach[count];
  FERAL_UNROLL
  for (int k = 0; k < count; ++k) reach[k] = Reach<paired>(chunks[k]);
  V sums[filters][count];
  FERAL_UNROLL
  for (int f = 0; f < filters; ++f) {
    FERAL_UNROLL
    for (int k = 0; k < count; ++k) sums[f][k] = hn::Set(d, bias[f]);
  }
  for (std::int64_t c = 0; c < s.channels; ++c) {
    const float* plane = image + c * s.height * s.width;
    for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < s.kernel_width; ++kx, weight += filter_block) {
        V x[count];
        FERAL_UNROLL
        for (int k = 0; k < count; ++k) x[k] = reach[k].load_x(plane + ky * s.width + kx, s.width);
        FERAL_UNROLL
        for (int f = 0; f < filters; ++f) {
          const V w = hn::Set(d, weight[f]);
          FERAL_UNROLL
          for (int k = 0; k < count; ++k) sums[f][k] = hn::MulAdd(w, x[k], sums[f][k]);
        }
      }
    }
  }
  FERAL_UNROLL
  for (int f = 0; f < filters; ++f) {
    FERAL_UNROLL
    for (int k = 0; k < count; ++k) {
      hn::BlendedStore(sums[f][k], reach[k].mask, d, out + f * s.positions() + reach[k].out);
    }
  }
}

using ForwardTile = void (*)(float*, const float*, const float*, const float*, const ConvSizes&, const Chunk*);

// A table of forward_tile by (filters - 1) * chunk_block + (count - 1).
template <bool paired, std::size_t... i>
constexpr std::array<ForwardTile, sizeof...(i)> forward_tiles(std::index_sequence<i...>) {
  return {forward_tile<paired, static_cast<int>(i) / chunk_block + 1, static_cast<int>(i) % chunk_block + 1>...};
}

HWY_ATTR void forward(float* out, const float* x, const float* weight, const float* bias, const ConvSizes& s) {
  constexpr auto indices = std::make_index_sequence<static_cast<std::size_t>(filter_block * chunk_block)>();
  static constexpr auto single = forward_tiles<false>(indices);
  static constexpr auto pairs = forward_tiles<true>(indices);
  const Chunks chunks(s);
  const auto& tiles = chunks.paired() ? pairs : single;
  const std::int64_t blocks = (s.filters + filter_block - 1) / filter_block;
  // Weights and bias once into private memory, in the order of their use: they may change under our hands.
  const Workspace packed(static_cast<std::size_t>(blocks * filter_block * (s.taps() + 1)) * sizeof(float));
  auto* packed_weight = reinterpret_cast<float*>(packed.get());
  float* packed_bias = packed_weight + blocks * filter_block * s.taps();
  for (std::int64_t f = 0; f < blocks * filter_block; ++f) {
    float* to = packed_weight + f / filter_block * filter_block * s.taps() + f % filter_block;
    for (std::int64_t t = 0; t < s.taps(); ++t) {
      to[t * filter_block] = f < s.filters ? racy_load(weight + f * s.taps() + t) : 0;
    }
    packed_bias[f] = f < s.filters && bias != nullptr ? racy_load(bias + f) : 0;
  }
  for (std::int64_t i = 0; i < s.batch; ++i) {
    const float* image = x + i * s.image();
    for (std::int64_t f = 0; f < s.filters; f += filter_block) {
      const auto filters = static_cast<int>(std::min<std::int64_t>(filter_block, s.filters - f));
      for (int k = 0; k < chunks.size(); k += chunk_block) {
        const int count = std::min(chunk_block, chunks.size() - k);
        const ForwardTile tile = tiles[static_cast<std::size_t>((filters - 1) * chunk_block + count - 1)];
        tile(out + i * s.out_image() + f * s.positions(), image, packed_weight + f * s.taps(), packed_bias + f, s,
             &chunks[k]);
      }
    }
  }
}

// Adds one kernel row (channel c, ky) of the weight gradient of `filters` filters over `batch` images: filters ×
// kernel_width sums stay in registers, and are added across their lanes once.
template <bool paired, int filters, int kernel_width>
HWY_ATTR void weight_row(float* weight_gradient, const float* x, const float* out_gradient, const ConvSizes& s,
                         const Chunks& chunks, std::int64_t batch) {
  const D d;
  V sums[filters][kernel_width];
  FERAL_UNROLL
  for (int f = 0; f < filters; ++f) {
    FERAL_UNROLL
    for (int kx = 0; kx < kernel_width; ++kx) sums[f][kx] = hn::Zero(d);
  }
  const std::int64_t positions = s.positions();
  const std::int64_t width = s.width;
  for (std::int64_t i = 0; i < batch; ++i, x += s.image(), out_gradient += s.out_image()) {
    for (int k = 0; k < chunks.size(); ++k) {
      const Reach<paired> reach(chunks[k]);
      V g[filters];
      FERAL_UNROLL
      for (int f = 0; f < filters; ++f) {
        g[f] = hn::MaskedLoad(reach.mask, d, out_gradient + f * positions + reach.out);
      }
      FERAL_UNROLL
      for (int kx = 0; kx < kernel_width; ++kx) {
        const V values = reach.load_x(x + kx, width);
        FERAL_UNROLL
        for (int f = 0; f < filters; ++f) sums[f][kx] = hn::MulAdd(values, g[f], sums[f][kx]);
      }
    }
  }
  FERAL_UNROLL
  for (int f = 0; f < filters; ++f) {
    FERAL_UNROLL
    for (int kx = 0; kx < kernel_width; ++kx) {
      weight_gradient[f * s.taps() + kx] += hn::GetLane(hn::SumOfLanes(d, sums[f][kx]));
    }
  }
}

using WeightRow = void (*)(float*, const float*, const float*, const ConvSizes&, const Chunks&, std::int64_t);

template <bool paired, int kernel_width, std::size_t... i>
constexpr std::array<WeightRow, sizeof...(i)> weight_rows(std::index_sequence<i...>) {
  return {weight_row<paired, static_cast<int>(i) + 1, kernel_width>...};
}

template <int kernel_width>
HWY_ATTR void weight_gradient_of_width(float* weight_gradient, const float* x, const float* out_gradient,
                                       const ConvSizes& s) {
  // filters × kernel_width sums, with room for the gradient vectors and one of the image.
  constexpr int block = std::min(5, (30 - 5) / kernel_width);
  constexpr auto indices = std::make_index_sequence<static_cast<std::size_t>(block)>();
  static constexpr auto single = weight_rows<false, kernel_width>(indices);
  static constexpr auto pairs = weight_rows<true, kernel_width>(indices);
  const Chunks chunks(s);
  const auto& rows = chunks.paired() ? pairs : single;
  std::fill_n(weight_gradient, s.filters * s.taps(), 0.0F);
  // As many images at a time as stay in the first-level cache, at least one.
  constexpr std::int64_t cached_elements = 10'000;
  const std::int64_t together = std::max<std::int64_t>(1, cached_elements / (s.image() + s.out_image()));
  for (std::int64_t i = 0; i < s.batch; i += together) {
    const std::int64_t images = std::min(together, s.batch - i);
    for (std::int64_t f = 0; f < s.filters; f += block) {
      const auto filters = static_cast<std::size_t>(std::min<std::int64_t>(block, s.filters - f));
      const float* g = out_gradient + i * s.out_image() + f * s.positions();
      for (std::int64_t c = 0; c < s.channels; ++c) {
        for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
          rows[filters - 1](weight_gradient + f * s.taps() + (c * s.kernel_height + ky) * kernel_width,
                            x + i * s.image() + c * s.height * s.width + ky * s.width, g, s, chunks, images);
        }
      }
    }
  }
}

// Each row of the image is the sum of kernel_height × kernel_width shifted rows of columns; the sums of different
// kx are kept apart, for one sum would wait for itself.
template <int kernel_width>
HWY_ATTR void gather_columns(float* image, const float* columns, const ConvSizes& s) {
  const D d;
  for (std::int64_t first = 0; first < s.width; first += lanes) {
    // Lanes that stand for columns of the output row: kx <= column < kx + out_width.
    hn::Mask<D> masks[kernel_width];
    FERAL_UNROLL
    for (int kx = 0; kx < kernel_width; ++kx) {
      const std::int64_t begin = std::clamp<std::int64_t>(kx - first, 0, lanes);
      const std::int64_t end = std::clamp<std::int64_t>(kx + s.out_width - first, 0, lanes);
      masks[kx] =
          hn::AndNot(hn::FirstN(d, static_cast<std::size_t>(begin)), hn::FirstN(d, static_cast<std::size_t>(end)));
    }
    const auto in_row = hn::FirstN(d, static_cast<std::size_t>(std::min(lanes, s.width - first)));
    for (std::int64_t c = 0; c < s.channels; ++c) {
      const float* of_channel = columns + c * s.kernel_height * kernel_width * s.positions() + first;
      for (std::int64_t y = 0; y < s.height; ++y) {
        V sums[kernel_width];
        FERAL_UNROLL
        for (int kx = 0; kx < kernel_width; ++kx) sums[kx] = hn::Zero(d);
        const std::int64_t last = std::min(s.kernel_height - 1, y);
        for (std::int64_t ky = std::max<std::int64_t>(0, y - s.out_height + 1); ky <= last; ++ky) {
          const float* row = of_channel + ky * kernel_width * s.positions() + (y - ky) * s.out_width;
          FERAL_UNROLL
          for (int kx = 0; kx < kernel_width; ++kx) {
            sums[kx] = hn::Add(sums[kx], hn::MaskedLoad(masks[kx], d, row + kx * s.positions() - kx));
          }
        }
        V sum = sums[0];
        FERAL_UNROLL
        for (int kx = 1; kx < kernel_width; ++kx) sum = hn::Add(sum, sums[kx]);
        hn::BlendedStore(sum, in_row, d, image + (c * s.height + y) * s.width + first);
      }
    }
  }
}

#endif  // FERAL_HAVE_DIRECT

bool try_forward([[maybe_unused]] float* out, [[maybe_unused]] const float* x, [[maybe_unused]] const float* weight,
                 [[maybe_unused]] const float* bias, [[maybe_unused]] const ConvSizes& s) {
#if FERAL_HAVE_DIRECT
  if (!Chunks::fits(s)) return false;
  forward(out, x, weight, bias, s);
  return true;
#else
  return false;
#endif
}

bool try_weight_gradient([[maybe_unused]] float* weight_gradient, [[maybe_unused]] const float* x,
                         [[maybe_unused]] const float* out_gradient, [[maybe_unused]] const ConvSizes& s) {
#if FERAL_HAVE_DIRECT
  if (!Chunks::fits(s)) return false;
  switch (s.kernel_width) {
    case 3:
      weight_gradient_of_width<3>(weight_gradient, x, out_gradient, s);
      return true;
    case 5:
      weight_gradient_of_width<5>(weight_gradient, x, out_gradient, s);
      return true;
    default:
      return false;
  }
#else
  return false;
#endif
}

bool try_gather([[maybe_unused]] float* image, [[maybe_unused]] const float* columns,
                [[maybe_unused]] const ConvSizes& s) {
#if FERAL_HAVE_DIRECT
  if (s.stride != 1 || s.padding != 0) return false;
  switch (s.kernel_width) {
    case 3:
      gather_columns<3>(image, columns, s);
      return true;
    case 5:
      gather_columns<5>(image, columns, s);
      return true;
    default:
      return false;
  }
#else
  return false;
#endif
}

#undef FERAL_HAVE_DIRECT
#undef FERAL_UNROLL
}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
namespace {
HWY_EXPORT(try_forward);
HWY_EXPORT(try_weight_gradient);
HWY_EXPORT(try_gather);
}  // namespace

bool conv2d_direct(float* out, const float* x, const float* weight, const float* bias, const ConvSizes& sizes) {
  return HWY_DYNAMIC_DISPATCH(try_forward)(out, x, weight, bias, sizes);
}

bool conv2d_weight_gradient_direct(float* weight_gradient, const float* x, const float* out_gradient,
                                   const ConvSizes& sizes) {
  return HWY_DYNAMIC_DISPATCH(try_weight_gradient)(weight_gradient, x, out_gradient, sizes);
}

bool columns_to_image_direct(float* image, const float* columns, const ConvSizes& sizes) {
  return HWY_DYNAMIC_DISPATCH(try_gather)(image, columns, sizes);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
