#include "tensor/in_place.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/fail.hpp"
#include "tensor/kernels.hpp"

namespace feral {
namespace {

// Dimensions of more than one position, the smallest stride first.
struct Steps {
  struct Dim {
    std::int64_t size;
    std::int64_t stride;
    std::int64_t reach;  // of all smaller ones together
  };
  Dim dims[Shape::max_dims];
  int count = 0;
};

// Two positions stand on one element when the difference of their indices, d, is not zero and the sum of d * stride
// is. Chooses d from the largest stride on; the smaller ones must be able to make up for `sum`.
bool meet(const Steps& steps, int dim, std::int64_t sum, bool differ, int& budget) {
  if (dim < 0) return differ && sum == 0;
  if (--budget < 0) return true;
  const Steps::Dim& d = steps.dims[dim];
  const auto floor_divide = [](std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); };
  // Of d and -d one is enough: the first that is not zero shall be positive.
  const std::int64_t low =
      std::max(differ ? 1 - d.size : 0, -floor_divide(d.reach + sum, d.stride));  // ceil((-reach - sum) / stride)
  const std::int64_t high = std::min(d.size - 1, floor_divide(d.reach - sum, d.stride));
  for (std::int64_t i = low; i <= high; ++i) {
    if (meet(steps, dim - 1, sum + i * d.stride, differ || i != 0, budget)) return true;
  }
  return false;
}

// First byte, and the one behind the last.
std::pair<const std::byte*, const std::byte*> stretch(const Tensor& x) noexcept {
  const auto size = static_cast<std::int64_t>(size_of(x.dtype()));
  if (x.is_contiguous()) return {x.raw_data(), x.raw_data() + x.numel() * size};
  std::int64_t first = 0;
  std::int64_t last = 0;
  for (int i = 0; i < x.dims(); ++i) {
    const std::int64_t reach = (x.shape()[i] - 1) * x.strides()[i];
    (reach < 0 ? first : last) += reach;
  }
  return {x.raw_data() + first * size, x.raw_data() + (last + 1) * size};
}

}  // namespace

bool overlaps_itself(const Shape& shape, const Shape& strides) noexcept {
  Steps steps;
  bool repeats = false;
  for (int i = 0; i < shape.dims(); ++i) {
    if (shape[i] == 0) return false;
    if (shape[i] == 1) continue;
    repeats = repeats || strides[i] == 0;
    int place = steps.count++;
    const std::int64_t stride = std::abs(strides[i]);
    for (; place > 0 && steps.dims[place - 1].stride > stride; --place) steps.dims[place] = steps.dims[place - 1];
    steps.dims[place] = {shape[i], stride, 0};
  }
  if (repeats) return true;
  // Where each dimension steps over all that the smaller ones reach, no two positions meet. Views of a tensor that
  // has this property have it too, windows and as_strided left aside.
  bool nested = true;
  std::int64_t reach = 0;
  for (int i = 0; i < steps.count; ++i) {
    Steps::Dim& dim = steps.dims[i];
    dim.reach = reach;
    nested = nested && dim.stride > reach;
    reach += (dim.size - 1) * dim.stride;
  }
  int budget = 100'000;
  return !nested && meet(steps, steps.count - 1, 0, false, budget);
}

bool may_share_memory(const Tensor& a, const Tensor& b) noexcept {
  if (a.numel() == 0 || b.numel() == 0) return false;
  const auto [a_first, a_end] = stretch(a);
  const auto [b_first, b_end] = stretch(b);
  // Of different allocations, perhaps: std::less orders those as well.
  const std::less<const std::byte*> before;
  return before(a_first, b_end) && before(b_first, a_end);
}

bool same_view(const Tensor& a, const Tensor& b) noexcept {
  if (a.raw_data() != b.raw_data() || a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  for (int i = 0; i < a.dims(); ++i) {
    if (a.shape()[i] != 1 && a.strides()[i] != b.strides()[i]) return false;
  }
  return true;
}

void refuse_undefined(std::string_view op, const Tensor& tensor) {
  if (!tensor.defined()) fail("{}: the tensor is undefined", op);
}

void check_written(std::string_view op, const Tensor& target) {
  refuse_undefined(op, target);
  if (overlaps_itself(target)) {
    fail("{}: elements of the tensor of shape {} with strides {} share memory; write into its clone()", op,
         target.shape().to_string(), target.strides().to_string());
  }
  target.touch();
}

void check_target(std::string_view op, const Tensor& target) {
  refuse_undefined(op, target);
  if (target.impl()->producer != nullptr) {
    fail("{}: cannot write in place into a tensor that a recorded op made; use detach() or clone()", op);
  }
  check_written(op, target);
}

Tensor apart_from(const Tensor& target, const Tensor& operand) {
  if (!may_share_memory(target, operand) || same_view(target, operand)) return operand;
  const Tensor copy = Tensor::empty(operand.shape(), operand.dtype());
  kernels(operand.device()).copy(copy, operand);
  return copy;
}

}  // namespace feral
