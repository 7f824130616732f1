// One element of each line: the median's index, and what stands at an index.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/lines.hpp"
#include "tensor/cpu/scalar_fold.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {
namespace {

// The index of the lower of the middle elements of a line, of the first NaN where there is one.
template <class T>
std::int64_t median_index(const T* line, std::int64_t n, std::int64_t step, Computed<T>* sorted) {
  for (std::int64_t i = 0; i < n; ++i) {
    sorted[i] = static_cast<Computed<T>>(line[i * step]);
    if (sorted[i] != sorted[i]) return i;
  }
  Computed<T>* middle = sorted + (n - 1) / 2;
  std::nth_element(sorted, middle, sorted + n);
  std::int64_t i = 0;
  while (static_cast<Computed<T>>(line[i * step]) != *middle) ++i;
  return i;
}

// `dim` of x as a 1-dimensional tensor has it where there is none.
std::int64_t length_of(const Tensor& x, int dim) { return x.dims() == 0 ? 1 : x.shape()[dim]; }
std::int64_t step_of(const Tensor& x, int dim) { return x.dims() == 0 ? 0 : x.strides()[dim]; }

// The elements of pick and place are moved as words of their size.
template <class Function>
void visit_word(DType dtype, Function&& function) {
  switch (size_of(dtype)) {
    case 1:
      return function.template operator()<std::uint8_t>();
    case 2:
      return function.template operator()<std::uint16_t>();
    case 4:
      return function.template operator()<std::uint32_t>();
    default:
      return function.template operator()<std::uint64_t>();
  }
}

}  // namespace

void median(const Tensor& out, const Tensor& x, int dim) {
  // Over a view of `out` with the reduced dimension, which may be left out.
  const Shape kept = reduced_shape(x.shape(), x.dims() == 0 ? DimSet{} : DimSet::of(dim), true);
  const Tensor indices = Tensor::borrow(out.raw_data(), kept, DType::int64);
  const std::int64_t length = length_of(x, dim);
  const std::int64_t step = step_of(x, dim);
  visit_dtype(x.dtype(), [&]<class T>() {
    const Workspace scratch(static_cast<std::size_t>(length) * sizeof(Computed<T>));
    auto* sorted = reinterpret_cast<Computed<T>*>(scratch.get());
    const T* from = reinterpret_cast<const T*>(x.raw_data());
    for_each_line_group(indices, x, dim,
                        [&](std::int64_t offset, std::int64_t out_offset, std::int64_t count, std::int64_t stride,
                            std::int64_t out_stride) {
                          for (std::int64_t j = 0; j < count; ++j) {
                            indices.data<std::int64_t>()[out_offset + j * out_stride] =
                                median_index(from + offset + j * stride, length, step, sorted);
                          }
                        });
  });
}

void pick(const Tensor& out, const Tensor& x, const Tensor& index, int dim) {
  const std::int64_t* at = index.data<std::int64_t>();
  const std::int64_t step = step_of(x, dim);
  visit_word(x.dtype(), [&]<class Word>() {
    const auto* from = reinterpret_cast<const Word*>(x.raw_data());
    auto* to = reinterpret_cast<Word*>(out.raw_data());
    for_each_line_group(index, x, dim,
                        [&](std::int64_t offset, std::int64_t out_offset, std::int64_t count, std::int64_t stride,
                            std::int64_t out_stride) {
                          for (std::int64_t j = 0; j < count; ++j) {
                            const std::int64_t line = out_offset + j * out_stride;
                            std::memcpy(to + line, from + offset + j * stride + at[line] * step, sizeof(Word));
                          }
                        });
  });
}

void place(const Tensor& out, const Tensor& x, const Tensor& index, int dim) {
  fill(out, 0);
  const std::int64_t* at = index.data<std::int64_t>();
  const std::int64_t step = step_of(out, dim);
  visit_word(x.dtype(), [&]<class Word>() {
    const auto* from = reinterpret_cast<const Word*>(x.raw_data());
    auto* to = reinterpret_cast<Word*>(out.raw_data());
    for_each_line_group(index, out, dim,
                        [&](std::int64_t offset, std::int64_t line_offset, std::int64_t count, std::int64_t stride,
                            std::int64_t line_stride) {
                          for (std::int64_t j = 0; j < count; ++j) {
                            const std::int64_t line = line_offset + j * line_stride;
                            std::memcpy(to + offset + j * stride + at[line] * step, from + line, sizeof(Word));
                          }
                        });
  });
}

}  // namespace feral::cpu
