// Positions themselves: checking and folding them, and finding those of elements that are not 0.
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/meet.hpp"
#include "tensor/cpu/strided_loop.hpp"

namespace feral::cpu {
namespace {

template <class T>
bool is_nonzero(T value) {
  if constexpr (is_half_type<T>) {
    return static_cast<float>(value) != 0;
  } else {
    return value != 0;
  }
}

// All at once, in a form that every target's compiler vectorizes: one of the differences is negative for a value
// that lies outside. They wrap around for no value inside.
inline bool any_outside(const std::int64_t* at, std::int64_t n, std::int64_t stride, std::int64_t low,
                        std::int64_t high) {
  const auto from = static_cast<std::uint64_t>(low);
  const std::uint64_t last = static_cast<std::uint64_t>(high) - 1;
  std::uint64_t signs = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto value = static_cast<std::uint64_t>(at[i * stride]);
    signs |= (value - from) | (last - value);
  }
  return signs >> 63 != 0;
}

}  // namespace

std::int64_t find_outside(const Tensor& index, std::int64_t low, std::int64_t high) {
  const std::int64_t* indices = index.data<std::int64_t>();
  std::int64_t before = 0;  // elements of the rows that are done
  std::int64_t found = -1;
  StridedLoop<1>({&index}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    const std::int64_t* at = indices + offsets[0];
    if (found < 0) {
      const bool outside =
          strides[0] == 1 ? any_outside(at, n, 1, low, high) : any_outside(at, n, strides[0], low, high);
      for (std::int64_t i = 0; outside && found < 0 && i < n; ++i) {
        const std::int64_t value = at[i * strides[0]];
        if (value < low || value >= high) found = before + i;
      }
    }
    before += n;
  });
  return found;
}

void fold_positions(const Tensor& out, const Tensor& index, std::int64_t size, bool onto) {
  std::int64_t* to = out.data<std::int64_t>();
  const std::int64_t* indices = index.data<std::int64_t>();
  StridedLoop<2>({&out, &index}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t& position = to[offsets[0] + i * strides[0]];
      const std::int64_t value = indices[offsets[1] + i * strides[1]];
      position = (onto ? position * size : 0) + (value < 0 ? value + size : value);
    }
  });
}

std::int64_t nonzero_count(const Tensor& x) {
  std::int64_t count = 0;
  visit_dtype(x.dtype(), [&]<class T>() {
    const T* data = reinterpret_cast<const T*>(x.raw_data());
    StridedLoop<1>({&x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      const T* from = data + offsets[0];
      for (std::int64_t i = 0; i < n; ++i) count += is_nonzero(from[i * strides[0]]) ? 1 : 0;
    });
  });
  return count;
}

void nonzero_positions(const Tensor& out, const Tensor& x) {
  std::int64_t* to = out.data<std::int64_t>();
  const std::int64_t count = out.numel();
  std::int64_t found = 0;
  std::int64_t before = 0;
  visit_dtype(x.dtype(), [&]<class T>() {
    const T* data = reinterpret_cast<const T*>(x.raw_data());
    StridedLoop<1>({&x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      const T* from = data + offsets[0];
      // Every position is written, and counted when it is one: no branch that depends on the elements.
      for (std::int64_t i = 0; i < n && found < count; ++i) {
        to[found] = before + i;
        found += is_nonzero(from[i * strides[0]]) ? 1 : 0;
      }
      before += n;
    });
  });
}

void unravel(const Tensor& out, const Tensor& positions, const Shape& shape) {
  std::int64_t* to = out.data<std::int64_t>();
  const std::int64_t* from = positions.data<std::int64_t>();
  const int dims = shape.dims();
  for (std::int64_t k = 0; k < positions.numel(); ++k) {
    std::int64_t rest = from[k];
    for (int i = dims - 1; i >= 0; --i) {
      to[k * dims + i] = rest % shape[i];
      rest /= shape[i];
    }
  }
}

}  // namespace feral::cpu
