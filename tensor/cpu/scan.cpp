// Running sums, products and linear recurrences along a dimension.
#include <algorithm>
#include <type_traits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/lines.hpp"

namespace feral::cpu {
namespace {

// Lines that are walked side by side: a running value waits for the one before it, its neighbours do not.
constexpr std::int64_t tile = 256;

struct RunningSum {
  template <class A>
  static A start() {
    return 0;
  }
  template <class A>
  static A next(A sum, A x) {
    return sum + x;
  }
};
struct RunningProduct {
  template <class A>
  static A start() {
    return 1;
  }
  template <class A>
  static A next(A product, A x) {
    return product * x;
  }
};

template <class Op, class T, class Out>
void run_scan(const Tensor& out, const Tensor& x, int dim, bool reverse) {
  using A = std::conditional_t<is_floating(dtype_of<T>), double, std::uint64_t>;
  const std::int64_t length = x.dims() == 0 ? 1 : x.shape()[dim];
  std::int64_t step = x.dims() == 0 ? 0 : x.strides()[dim];
  std::int64_t out_step = x.dims() == 0 ? 0 : out.strides()[dim];
  const T* from = reinterpret_cast<const T*>(x.raw_data());
  Out* to = reinterpret_cast<Out*>(out.raw_data());
  if (length == 0) return;
  if (reverse) {
    from += (length - 1) * step;
    to += (length - 1) * out_step;
    step = -step;
    out_step = -out_step;
  }
  const auto widened = [](T value) {
    if constexpr (is_floating(dtype_of<T>)) {
      return static_cast<double>(value);
    } else {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    }
  };
  for_each_line_group(out, x, dim,
                      [&](std::int64_t offset, std::int64_t out_offset, std::int64_t count, std::int64_t stride,
                          std::int64_t out_stride) {
                        // Lines that do not lie side by side: a few at a time, so that their cache lines stay.
                        const std::int64_t width = stride == 1 && out_stride == 1 ? tile : 8;
                        A running[tile];
                        for (std::int64_t first = 0; first < count; first += width) {
                          const std::int64_t n = std::min(width, count - first);
                          for (std::int64_t j = 0; j < n; ++j) running[j] = Op::template start<A>();
                          const T* row = from + offset + first * stride;
                          Out* out_row = to + out_offset + first * out_stride;
                          for (std::int64_t i = 0; i < length; ++i) {
                            if (stride == 1 && out_stride == 1) {
                              for (std::int64_t j = 0; j < n; ++j) {
                                running[j] = Op::next(running[j], widened(row[i * step + j]));
                                out_row[i * out_step + j] = static_cast<Out>(running[j]);
                              }
                            } else {
                              for (std::int64_t j = 0; j < n; ++j) {
                                running[j] = Op::next(running[j], widened(row[i * step + j * stride]));
                                out_row[i * out_step + j * out_stride] = static_cast<Out>(running[j]);
                              }
                            }
                          }
                        }
                      });
}

template <class Op>
void scan_by(const Tensor& out, const Tensor& x, int dim, bool reverse) {
  visit_dtype(x.dtype(), [&]<class T>() {
    if constexpr (has_gradient(dtype_of<T>)) {
      run_scan<Op, T, T>(out, x, dim, reverse);
    } else if constexpr (!is_floating(dtype_of<T>)) {
      run_scan<Op, T, std::int64_t>(out, x, dim, reverse);
    }
  });
}

}  // namespace

void scan(ScanKernel kernel, const Tensor& out, const Tensor& x, int dim, bool reverse) {
  kernel == ScanKernel::sum ? scan_by<RunningSum>(out, x, dim, reverse)
                            : scan_by<RunningProduct>(out, x, dim, reverse);
}

void recurrence(const Tensor& out, const Tensor& a, const Tensor& b, int dim, bool reverse) {
  const std::int64_t length = out.dims() == 0 ? 1 : out.shape()[dim];
  const std::int64_t step = out.dims() == 0 ? 0 : out.strides()[dim];
  visit_floating(out.dtype(), [&]<class T>() {
    for_each_line_group(
        out, out, dim,
        [&](std::int64_t offset, std::int64_t, std::int64_t count, std::int64_t stride, std::int64_t) {
          for (std::int64_t j = 0; j < count; ++j) {
            double running = 0;
            for (std::int64_t i = 0; i < length; ++i) {
              const std::int64_t at = offset + j * stride + (reverse ? length - 1 - i : i) * step;
              running = static_cast<double>(b.data<T>()[at]) + static_cast<double>(a.data<T>()[at]) * running;
              out.data<T>()[at] = static_cast<T>(running);
            }
          }
        });
  });
}

}  // namespace feral::cpu
