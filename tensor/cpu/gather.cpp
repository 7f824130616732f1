// Reading and writing along one dimension, every element with an index of its own.
#include <limits>

#include "tensor/cpu/add_rows.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/meet.hpp"
#include "tensor/cpu/strided_loop.hpp"
#include "tensor/cpu/visit_size.hpp"
#include "tensor/view_of.hpp"

namespace feral::cpu {
namespace {

// x cut to index's shape and standing still along dim: the place that an index counts from.
Tensor starts(const Tensor& x, const Tensor& index, int dim) {
  Shape strides = x.strides();
  strides[dim] = 0;
  return view_of(x, index.shape(), strides);
}

// One number as a tensor that stands at every place of `shape`.
template <class T>
Tensor everywhere(T value, const Shape& shape) {
  const Tensor number = Tensor::empty({}, dtype_of<T>);
  *number.data<T>() = value;
  Shape strides = shape;
  for (int i = 0; i < shape.dims(); ++i) strides[i] = 0;
  return view_of(number, shape, strides);
}

// What changes nothing when it is reduced with another number.
template <class T>
T neutral(ScatterReduction reduction) {
  using Limits = std::numeric_limits<std::conditional_t<is_half_type<T>, float, T>>;
  constexpr bool infinite = Limits::has_infinity;
  switch (reduction) {
    case ScatterReduction::prod:
      return static_cast<T>(1);
    case ScatterReduction::amax:
      return static_cast<T>(infinite ? -Limits::infinity() : Limits::lowest());
    case ScatterReduction::amin:
      return static_cast<T>(infinite ? Limits::infinity() : Limits::max());
    default:
      return static_cast<T>(0);
  }
}

WriteKernel write_of(ScatterReduction reduction) {
  switch (reduction) {
    case ScatterReduction::prod:
      return WriteKernel::mul;
    case ScatterReduction::amax:
      return WriteKernel::maximum;
    case ScatterReduction::amin:
      return WriteKernel::minimum;
    default:
      return WriteKernel::add;
  }
}

template <class T>
T divided(T sum, std::int64_t count) {
  if constexpr (is_half_type<T>) {
    return static_cast<T>(static_cast<float>(sum) / static_cast<float>(count));
  } else if constexpr (std::is_integral_v<T>) {
    const auto wide = static_cast<std::int64_t>(sum);
    const std::int64_t quotient = wide / count;
    return static_cast<T>(quotient - (wide % count < 0 ? 1 : 0));
  } else {
    return sum / static_cast<T>(count);
  }
}

}  // namespace

void gather(const Tensor& out, const Tensor& x, const Tensor& index, int dim) {
  const Tensor from_tensor = starts(x, index, dim);
  const std::int64_t step = x.strides()[dim];
  const StridedLoop<3> loop({&out, &index, &from_tensor});
  const std::int64_t* indices = index.data<std::int64_t>();
  visit_size(size_of(out.dtype()), [&]<class U>() {
    loop.for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      U* to = reinterpret_cast<U*>(out.raw_data()) + offsets[0];
      const std::int64_t* at = indices + offsets[1];
      const U* from = reinterpret_cast<const U*>(x.raw_data()) + offsets[2];
      if (strides[1] == 0) {  // an expanded index: one for the whole row
        from += at[0] * step;
        for (std::int64_t i = 0; i < n; ++i) to[i * strides[0]] = from[i * strides[2]];
      } else if (strides[0] == 1 && strides[1] == 1 && strides[2] == 0 && step == 1) {
        for (std::int64_t i = 0; i < n; ++i) to[i] = from[at[i]];
      } else {
        for (std::int64_t i = 0; i < n; ++i) to[i * strides[0]] = from[i * strides[2] + at[i * strides[1]] * step];
      }
    });
  });
}

void scatter(WriteKernel how, const Tensor& out, const Tensor& index, const Tensor& source, int dim) {
  const Tensor to_tensor = starts(out, index, dim);
  const std::int64_t step = out.strides()[dim];
  const StridedLoop<3> loop({&index, &to_tensor, &source});
  const std::int64_t* indices = index.data<std::int64_t>();
  if (how == WriteKernel::copy) {
    visit_size(size_of(out.dtype()), [&]<class U>() {
      loop.for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
        const std::int64_t* at = indices + offsets[0];
        U* to = reinterpret_cast<U*>(out.raw_data()) + offsets[1];
        const U* from = reinterpret_cast<const U*>(source.raw_data()) + offsets[2];
        for (std::int64_t i = 0; i < n; ++i) to[i * strides[1] + at[i * strides[0]] * step] = from[i * strides[2]];
      });
    });
    return;
  }
  const AddRow add_row = how == WriteKernel::add ? pick_add_row(out.dtype()) : nullptr;
  visit_meet(how, out.dtype(), [&]<class T, class Meet>() {
    const Meet meet;
    loop.for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      const std::int64_t* at = indices + offsets[0];
      T* to = reinterpret_cast<T*>(out.raw_data()) + offsets[1];
      const T* from = reinterpret_cast<const T*>(source.raw_data()) + offsets[2];
      if (add_row != nullptr && strides[0] == 0 && strides[1] == 1 && strides[2] == 1) {
        add_row(reinterpret_cast<std::byte*>(to + at[0] * step), reinterpret_cast<const std::byte*>(from), n, 1);
        return;
      }
      for (std::int64_t i = 0; i < n; ++i) {
        T& element = to[i * strides[1] + at[i * strides[0]] * step];
        element = meet(element, from[i * strides[2]]);
      }
    });
  });
}

void scatter_reduce(ScatterReduction reduction, bool include_self, const Tensor& out, const Tensor& index,
                    const Tensor& source, int dim) {
  visit_dtype(out.dtype(), [&]<class T>() {
    if (!include_self) {
      scatter(WriteKernel::copy, out, index, everywhere(neutral<T>(reduction), index.shape()), dim);
    }
    scatter(write_of(reduction), out, index, source, dim);
    if (reduction != ScatterReduction::mean) return;
    const Tensor counts = Tensor::empty(out.shape(), DType::int64);
    fill(counts, include_self ? 1 : 0);
    scatter(WriteKernel::add, counts, index, everywhere(std::int64_t{1}, index.shape()), dim);
    T* to = out.data<T>();
    const std::int64_t* count = counts.data<std::int64_t>();
    for (std::int64_t i = 0; i < out.numel(); ++i) {
      if (count[i] > 1) to[i] = divided(to[i], count[i]);
    }
  });
}

}  // namespace feral::cpu
