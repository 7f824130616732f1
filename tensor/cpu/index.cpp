// Reading and writing the elements that positions pick.
#include <optional>

#include "tensor/cpu/add_rows.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/meet.hpp"
#include "tensor/cpu/strided_loop.hpp"
#include "tensor/cpu/visit_size.hpp"
#include "tensor/cpu/workspace.hpp"
#include "tensor/racy.hpp"
#include "tensor/view_of.hpp"

namespace feral::cpu {
namespace {

// x's dimensions [from, to) alone.
Tensor part(const Tensor& x, int from, int to) {
  Shape shape;
  Shape strides;
  for (int i = from; i < to; ++i) {
    shape.push_back(x.shape()[i]);
    strides.push_back(x.strides()[i]);
  }
  return view_of(x, shape, strides);
}

// Where in memory each of n row-major positions of x's dimensions [from, to) lies, in elements. Without positions:
// those of 0 … n - 1.
class Offsets {
 public:
  Offsets(const Tensor& x, int from, int to, const std::int64_t* positions, std::int64_t n) : table_(positions) {
    std::int64_t reach = 0;  // the stride that the next dimension must have for all to be one
    for (int i = to - 1; i >= from; --i) {
      const std::int64_t size = x.shape()[i];
      if (size == 1) continue;
      if (dims_ == 0) {
        scale_ = x.strides()[i];
      } else if (x.strides()[i] != reach) {
        fill_table(x, from, to, positions, n);
        return;
      }
      reach = x.strides()[i] * size;
      ++dims_;
    }
  }

  const std::int64_t* table() const { return table_; }  // null: the numbers 0 … n - 1
  std::int64_t scale() const { return scale_; }         // of what stands in the table
  std::int64_t operator[](std::int64_t i) const { return (table_ != nullptr ? table_[i] : i) * scale_; }

 private:
  void fill_table(const Tensor& x, int from, int to, const std::int64_t* positions, std::int64_t n) {
    scratch_.emplace(static_cast<std::size_t>(n) * sizeof(std::int64_t));
    auto* table = reinterpret_cast<std::int64_t*>(scratch_->get());
    for (std::int64_t k = 0; k < n; ++k) {
      std::int64_t rest = positions != nullptr ? positions[k] : k;
      std::int64_t offset = 0;
      for (int i = to - 1; i >= from; --i) {
        offset += rest % x.shape()[i] * x.strides()[i];
        rest /= x.shape()[i];
      }
      table[k] = offset;
    }
    table_ = table;
    scale_ = 1;
  }

  const std::int64_t* table_;
  std::int64_t scale_ = 0;
  int dims_ = 0;
  std::optional<Workspace> scratch_;
};

// Meets the picked elements of a with those of b. `rows(offset_a, offset_b, n, stride_a, stride_b)` handles n
// elements, `picked(offset_a, offsets_a, offset_b, offsets_b, n)` n single ones that lie where the offsets say.
template <class Rows, class Picked>
void walk(const Tensor& a, const Tensor& b, const Tensor& positions, int first, Rows&& rows, Picked&& picked) {
  const std::int64_t n = positions.numel();
  if (b.numel() == 0) return;
  const int at = positions.dims();
  const int count = a.dims() + at - b.dims();
  const Offsets of_a(a, first, first + count, positions.data<std::int64_t>(), n);
  const Offsets of_b(b, first, first + at, nullptr, n);
  const Tensor a_outer = part(a, 0, first);
  const Tensor b_outer = part(b, 0, first);
  const Tensor a_inner = part(a, first + count, a.dims());
  const Tensor b_inner = part(b, first + at, b.dims());
  const StridedLoop<2> outer({&b_outer, &a_outer});
  const StridedLoop<2> inner({&b_inner, &a_inner});
  const std::int64_t inner_size = b_inner.numel();
  const bool inner_contiguous = a_inner.is_contiguous() && b_inner.is_contiguous();
  outer.for_each_row([&](const auto& starts, std::int64_t length, const auto& steps) {
    for (std::int64_t o = 0; o < length; ++o) {
      const std::int64_t start_a = starts[1] + o * steps[1];
      const std::int64_t start_b = starts[0] + o * steps[0];
      if (inner_size == 1) {
        picked(start_a, of_a, start_b, of_b, n);
      } else if (inner_contiguous) {
        for (std::int64_t i = 0; i < n; ++i) rows(start_a + of_a[i], start_b + of_b[i], inner_size, 1, 1);
      } else {
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t at_a = start_a + of_a[i];
          const std::int64_t at_b = start_b + of_b[i];
          inner.for_each_row([&](const auto& offsets, std::int64_t m, const auto& strides) {
            rows(at_a + offsets[1], at_b + offsets[0], m, strides[1], strides[0]);
          });
        }
      }
    }
  });
}

// to[...] of `to`'s side = from[...]; to_is_a says which side is which.
template <bool to_is_a, class U>
void move(const Tensor& to_tensor, const Tensor& from_tensor, const Tensor& positions, int first) {
  U* const to = reinterpret_cast<U*>(to_tensor.raw_data());
  const U* const from = reinterpret_cast<const U*>(from_tensor.raw_data());
  const auto rows = [&](std::int64_t a, std::int64_t b, std::int64_t n, std::int64_t a_stride,
                        std::int64_t b_stride) {
    U* out = to + (to_is_a ? a : b);
    const U* in = from + (to_is_a ? b : a);
    const std::int64_t out_stride = to_is_a ? a_stride : b_stride;
    const std::int64_t in_stride = to_is_a ? b_stride : a_stride;
    if (out_stride == 1 && in_stride == 1) {
      racy_copy(out, in, static_cast<std::size_t>(n));
    } else {
      for (std::int64_t i = 0; i < n; ++i) out[i * out_stride] = racy_load(in + i * in_stride);
    }
  };
  const auto picked = [&](std::int64_t a, const Offsets& of_a, std::int64_t b, const Offsets& of_b,
                          std::int64_t n) {
    if (!to_is_a && of_b.table() == nullptr) {  // the common case, without a look at b's offsets
      const std::int64_t* table = of_a.table();
      const std::int64_t scale = of_a.scale();
      const std::int64_t step = of_b.scale();
      for (std::int64_t i = 0; i < n; ++i) to[b + i * step] = racy_load(from + a + table[i] * scale);
    } else {
      for (std::int64_t i = 0; i < n; ++i) {
        to[to_is_a ? a + of_a[i] : b + of_b[i]] = racy_load(from + (to_is_a ? b + of_b[i] : a + of_a[i]));
      }
    }
  };
  if constexpr (to_is_a) {
    walk(to_tensor, from_tensor, positions, first, rows, picked);
  } else {
    walk(from_tensor, to_tensor, positions, first, rows, picked);
  }
}

}  // namespace

void index(const Tensor& out, const Tensor& x, const Tensor& positions, int first) {
  visit_size(size_of(out.dtype()), [&]<class U>() { move<false, U>(out, x, positions, first); });
}

void index_write(WriteKernel how, const Tensor& out, const Tensor& positions, const Tensor& source, int first) {
  if (how == WriteKernel::copy) {
    visit_size(size_of(out.dtype()), [&]<class U>() { move<true, U>(out, source, positions, first); });
    return;
  }
  const AddRow add_row = how == WriteKernel::add ? pick_add_row(out.dtype()) : nullptr;
  visit_meet(how, out.dtype(), [&]<class T, class Meet>() {
    const Meet meet;
    T* const to = reinterpret_cast<T*>(out.raw_data());
    const T* const from = reinterpret_cast<const T*>(source.raw_data());
    walk(
        out, source, positions, first,
        [&](std::int64_t a, std::int64_t b, std::int64_t n, std::int64_t a_stride, std::int64_t b_stride) {
          if (add_row != nullptr && a_stride == 1 && b_stride == 1) {
            add_row(reinterpret_cast<std::byte*>(to + a), reinterpret_cast<const std::byte*>(from + b), n, 1);
            return;
          }
          for (std::int64_t i = 0; i < n; ++i) {
            T& element = to[a + i * a_stride];
            element = meet(element, from[b + i * b_stride]);
          }
        },
        [&](std::int64_t a, const Offsets& of_a, std::int64_t b, const Offsets& of_b, std::int64_t n) {
          for (std::int64_t i = 0; i < n; ++i) {
            T& element = to[a + of_a[i]];
            element = meet(element, from[b + of_b[i]]);
          }
        });
  });
}

}  // namespace feral::cpu
