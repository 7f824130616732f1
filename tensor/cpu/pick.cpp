// Elements along one dimension by position.
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/lines.hpp"

namespace feral::cpu {
namespace {

// Calls line(x, out, positions) with pointers to the first elements of three lines along dim, none of them empty.
template <class T, class Line>
void for_each_three(const Tensor& x, const Tensor& out, const Tensor& positions, int dim, Line&& line) {
  const Tensor out_starts = line_starts(out, dim);
  const Tensor x_starts = line_starts(x, dim);
  const Tensor position_starts = line_starts(positions, dim);
  StridedLoop<3>({&out_starts, &x_starts, &position_starts})
      .for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
        for (std::int64_t i = 0; i < n; ++i) {
          line(reinterpret_cast<const T*>(x.raw_data()) + offsets[1] + i * strides[1],
               reinterpret_cast<T*>(out.raw_data()) + offsets[0] + i * strides[0],
               positions.data<std::int64_t>() + offsets[2] + i * strides[2]);
        }
      });
}

}  // namespace

void pick(const Tensor& out, const Tensor& x, const Tensor& positions, int dim) {
  if (out.numel() == 0) return;
  const std::int64_t n = positions.shape()[dim];
  const std::int64_t x_step = x.strides()[dim];
  const std::int64_t out_step = out.strides()[dim];
  const std::int64_t step = positions.strides()[dim];
  visit_dtype(x.dtype(), [&]<class T>() {
    for_each_three<T>(x, out, positions, dim, [&](const T* from, T* to, const std::int64_t* at) {
      for (std::int64_t i = 0; i < n; ++i) to[i * out_step] = from[at[i * step] * x_step];
    });
  });
}

void pick_backward(const Tensor& out, const Tensor& x, const Tensor& positions, int dim) {
  fill(out, 0);
  if (x.numel() == 0) return;
  const std::int64_t n = positions.shape()[dim];
  const std::int64_t x_step = x.strides()[dim];
  const std::int64_t out_step = out.strides()[dim];
  const std::int64_t step = positions.strides()[dim];
  visit_floating(x.dtype(), [&]<class T>() {
    for_each_three<T>(x, out, positions, dim, [&](const T* from, T* to, const std::int64_t* at) {
      for (std::int64_t i = 0; i < n; ++i) to[at[i * step] * out_step] += from[i * x_step];
    });
  });
}

}  // namespace feral::cpu
