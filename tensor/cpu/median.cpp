// The median's place in each line.
#include <algorithm>
#include <cmath>

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

}  // namespace feral::cpu
