// Views that come several at a time.
#include <algorithm>
#include <vector>

#include "autograd/ops/check.hpp"
#include "autograd/ops/view_part.hpp"

namespace feral {
namespace {

// Of given length, but for the last; `count` of them.
std::vector<Tensor> pieces(const Tensor& x, int dim, std::int64_t length, std::int64_t count) {
  std::vector<Tensor> result;
  result.reserve(static_cast<std::size_t>(count));
  const std::int64_t available = x.shape()[dim];
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t start = i * length;
    result.push_back(
        apply<ops::Narrow>({.dim = dim, .start = start, .length = std::min(length, available - start)}, x));
  }
  return result;
}

}  // namespace

std::vector<Tensor> Tensor::split(std::int64_t length, std::int64_t dim) const {
  ops::check_defined("split", *this);
  const int along = normalize_dim("split", dim, dims());
  const std::int64_t available = shape()[along];
  if (length < 0 || (length == 0 && available > 0)) {
    fail("split: pieces of {} of dimension {} of shape {}", length, dim, shape().to_string());
  }
  return pieces(*this, along, length, available == 0 ? 1 : (available - 1) / length + 1);
}

std::vector<Tensor> Tensor::split(const std::vector<std::int64_t>& sizes, std::int64_t dim) const {
  ops::check_defined("split", *this);
  const int along = normalize_dim("split", dim, dims());
  const std::int64_t available = shape()[along];
  std::int64_t rest = available;
  for (const std::int64_t length : sizes) {
    if (length < 0) fail("split: negative size {}", length);
    if (length > rest) rest = -1;
    if (rest < 0) break;
    rest -= length;
  }
  if (rest != 0) {
    fail("split: sizes {} do not add up to the {} of dimension {} of shape {}",
         fmt::format("[{}]", fmt::join(sizes, ", ")), available, dim, shape().to_string());
  }
  std::vector<Tensor> result;
  result.reserve(sizes.size());
  std::int64_t start = 0;
  for (const std::int64_t length : sizes) {
    result.push_back(apply<ops::Narrow>({.dim = along, .start = start, .length = length}, *this));
    start += length;
  }
  return result;
}

std::vector<Tensor> Tensor::chunk(std::int64_t chunks, std::int64_t dim) const {
  ops::check_defined("chunk", *this);
  const int along = normalize_dim("chunk", dim, dims());
  if (chunks < 1) fail("chunk: {} chunks of shape {}", chunks, shape().to_string());
  const std::int64_t available = shape()[along];
  if (available == 0) return pieces(*this, along, 0, chunks);  // PyTorch's: so many empty ones
  const std::int64_t length = (available - 1) / chunks + 1;
  return pieces(*this, along, length, (available - 1) / length + 1);
}

std::vector<Tensor> Tensor::unbind(std::int64_t dim) const {
  ops::check_defined("unbind", *this);
  const int along = normalize_dim("unbind", dim, dims());
  const std::int64_t count = shape()[along];
  std::vector<Tensor> result;
  result.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    result.push_back(apply<ops::Select>({.dim = along, .index = i}, *this));
  }
  return result;
}

}  // namespace feral
