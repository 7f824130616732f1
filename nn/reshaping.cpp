#include "nn/reshaping.hpp"

#include <algorithm>
#include <array>

#include "core/fail.hpp"
#include "nn/repr.hpp"

namespace feral::nn {

std::string Flatten::extra_repr() const { return fmt::format("start_dim={}, end_dim={}", start_dim_, end_dim_); }

Unflatten::Unflatten(std::int64_t dim, const Shape& unflattened_size) : dim_(dim), sizes_(unflattened_size) {
  int open = 0;
  bool possible = sizes_.dims() > 0;
  for (const std::int64_t size : sizes_) {
    open += size == -1 ? 1 : 0;
    possible = possible && size >= -1;
  }
  if (!possible || open > 1) {
    fail("Unflatten: no sizes {}: one or more of at least 0, one of them may be -1", sizes_.to_string());
  }
}

std::string Unflatten::extra_repr() const {
  return fmt::format("dim={}, unflattened_size={}", dim_, repr_of(sizes_));
}

Upsample::Upsample(const InterpolateOptions& options) : options_(options) {
  const bool sized = options.size.dims() != 0;
  const bool scaled = options.scale.count != 0;
  if (sized == scaled) {
    fail("Upsample: {} of size {} and scale; give one of them", sized ? "both" : "neither",
         options.size.to_string());
  }
  if (options.align_corners && options.mode == InterpolateMode::nearest) {
    fail("Upsample: align_corners is of InterpolateMode::linear, not of nearest");
  }
}

Tensor Upsample::forward(const Tensor& x) {
  if (!x.defined() || x.dims() < 3 || x.dims() > 5) {
    fail("Upsample: expected [n, c] and 1 to 3 spatial dimensions, got {}", x.to_string());
  }
  return interpolate(x, options_);
}

namespace {

// Of the images that the options are for; 0 when they do not say.
int sized_dims(const InterpolateOptions& options) {
  return options.size.dims() != 0 ? options.size.dims() : std::max(options.scale.count, 0);
}

}  // namespace

std::string Upsample::extra_repr() const {
  std::string text;
  if (options_.size.dims() == 1) {
    text = "size=" + std::to_string(options_.size[0]);
  } else if (options_.size.dims() > 1) {
    text = "size=" + repr_of(options_.size);
  } else if (options_.scale.count < 0) {
    text = "scale_factor=" + repr_of(options_.scale.values[0]);
  } else {
    for (int i = 0; i < options_.scale.count; ++i) {
      text += (i == 0 ? "scale_factor=(" : ", ") + repr_of(options_.scale.values[static_cast<std::size_t>(i)]);
    }
    text += options_.scale.count == 1 ? ",)" : ")";
  }
  if (options_.mode == InterpolateMode::nearest) return text + ", mode='nearest'";
  // PyTorch has a name for each number of dimensions, which one scale for all does not tell.
  constexpr const char* names[] = {"linear", "linear", "bilinear", "trilinear"};
  const int dims = sized_dims(options_);
  return text + ", mode='" + names[dims <= 3 ? dims : 0] + "'";
}

namespace {

void check_factor(const char* kind, std::int64_t factor) {
  if (factor < 1 || factor > 1 << 15) fail("{}: a factor of {}; it must be 1 to {}", kind, factor, 1 << 15);
}

// [a…] and then `tail`.
Shape with_tail(const Shape& shape, int kept, std::initializer_list<std::int64_t> tail) {
  Shape result;
  for (int i = 0; i < kept; ++i) result.push_back(shape[i]);
  for (const std::int64_t size : tail) result.push_back(size);
  return result;
}

// The dimensions before the last five in their order, and those as `order` says.
Dims with_order(int leading, std::initializer_list<std::int64_t> order) {
  Dims result;
  for (int i = 0; i < leading; ++i) result.push_back(i);
  for (const std::int64_t dim : order) result.push_back(leading + dim);
  return result;
}

}  // namespace

PixelShuffle::PixelShuffle(std::int64_t upscale_factor) : factor_(upscale_factor) {
  check_factor("PixelShuffle", upscale_factor);
}

Tensor PixelShuffle::forward(const Tensor& x) {
  const std::int64_t r = factor_;
  const int leading = x.defined() ? x.dims() - 3 : -1;
  if (leading < 0 || x.shape()[leading] % (r * r) != 0) {
    fail("PixelShuffle: expected [..., c × {}, h, w] for a factor of {}, got {}", r * r, r, x.to_string());
  }
  const Shape& s = x.shape();
  const auto [c, h, w] = std::array{s[leading] / (r * r), s[leading + 1], s[leading + 2]};
  return x.reshape(with_tail(s, leading, {c, r, r, h, w}))
      .permute(with_order(leading, {0, 3, 1, 4, 2}))
      .reshape(with_tail(s, leading, {c, h * r, w * r}));
}

std::string PixelShuffle::extra_repr() const { return fmt::format("upscale_factor={}", factor_); }

PixelUnshuffle::PixelUnshuffle(std::int64_t downscale_factor) : factor_(downscale_factor) {
  check_factor("PixelUnshuffle", downscale_factor);
}

Tensor PixelUnshuffle::forward(const Tensor& x) {
  const std::int64_t r = factor_;
  const int leading = x.defined() ? x.dims() - 3 : -1;
  if (leading < 0 || x.shape()[leading + 1] % r != 0 || x.shape()[leading + 2] % r != 0) {
    fail("PixelUnshuffle: expected [..., c, h × {}, w × {}], got {}", r, r, x.to_string());
  }
  const Shape& s = x.shape();
  const auto [c, h, w] = std::array{s[leading], s[leading + 1] / r, s[leading + 2] / r};
  return x.reshape(with_tail(s, leading, {c, h, r, w, r}))
      .permute(with_order(leading, {0, 2, 4, 1, 3}))
      .reshape(with_tail(s, leading, {c * r * r, h, w}));
}

std::string PixelUnshuffle::extra_repr() const { return fmt::format("downscale_factor={}", factor_); }

}  // namespace feral::nn
