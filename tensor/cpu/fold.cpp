#include "tensor/cpu/fold.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace feral::cpu {
namespace {

struct Axis {
  std::int64_t size;
  std::int64_t stride;
  std::int64_t out_stride;  // 0 where reduced
};

// Axes of size above 1, the innermost first; neighbours that lie as one are merged.
class Axes {
 public:
  void push_back(const Axis& axis) { axes_[static_cast<std::size_t>(count_++)] = axis; }
  int count() const { return count_; }
  const Axis& operator[](int i) const { return axes_[static_cast<std::size_t>(i)]; }

  // The smallest stride first: memory is then read in its own order. Broadcast axes (stride 0) go last.
  void sort() {
    const auto key = [](const Axis& axis) {
      return axis.stride == 0 ? std::numeric_limits<std::int64_t>::max() : axis.stride;
    };
    for (int i = 1; i < count_; ++i) {
      for (int k = i; k > 0 && key((*this)[k]) < key((*this)[k - 1]); --k) {
        std::swap(axes_[static_cast<std::size_t>(k)], axes_[static_cast<std::size_t>(k - 1)]);
      }
    }
  }
  void merge() {
    int kept = 0;
    for (int i = 1; i < count_; ++i) {
      Axis& inner = axes_[static_cast<std::size_t>(kept)];
      const Axis& outer = (*this)[i];
      if (outer.stride == inner.stride * inner.size && outer.out_stride == inner.out_stride * inner.size) {
        inner.size *= outer.size;
      } else {
        axes_[static_cast<std::size_t>(++kept)] = outer;
      }
    }
    if (count_ > 0) count_ = kept + 1;
  }

  // Calls body(offset, out_offset) at every position of the axes from `first` on, in row-major order.
  template <class Body>
  void for_each_position(int first, Body&& body) const {
    std::array<std::int64_t, Shape::max_dims> index{};
    std::int64_t offset = 0;
    std::int64_t out_offset = 0;
    for (;;) {
      body(offset, out_offset);
      int i = first;
      for (; i < count_; ++i) {
        const Axis& axis = (*this)[i];
        std::int64_t& at = index[static_cast<std::size_t>(i)];
        offset += axis.stride;
        out_offset += axis.out_stride;
        if (++at < axis.size) break;
        offset -= axis.stride * axis.size;
        out_offset -= axis.out_stride * axis.size;
        at = 0;
      }
      if (i >= count_) return;
    }
  }

 private:
  std::array<Axis, Shape::max_dims> axes_;
  int count_ = 0;
};

FoldArguments at(const FoldArguments& arguments, std::int64_t out_offset) {
  FoldArguments moved = arguments;
  if (moved.parameters != nullptr) moved.parameters += out_offset;
  return moved;
}

// Results of nothing.
void finish_empty(const Fold& fold, const Tensor& out, FoldArguments arguments, std::byte* accumulators) {
  const auto out_size = static_cast<std::int64_t>(size_of(out.dtype()));
  arguments.parameter_stride = 1;
  for (std::int64_t i = 0; i < out.numel(); i += fold_columns) {
    const std::int64_t n = std::min(fold_columns, out.numel() - i);
    fold.start(accumulators, n);
    fold.finish(out.raw_data() + i * out_size, accumulators, n, 1, at(arguments, i));
  }
}

// Where the elements of a result are so few that a call a result would cost more than the elements.
constexpr std::int64_t short_row = 8;

bool by_columns(const Fold& fold, const Axes& kept, const Axes& reduced) {
  if (kept.count() == 0 || (fold.ordered && reduced.count() > 1)) return false;
  if (reduced.count() == 0 || reduced[0].stride == 0) return true;
  if (kept[0].stride != 0 && kept[0].stride < reduced[0].stride) return true;
  return reduced[0].size < short_row && kept[0].size > reduced[0].size;
}

}  // namespace

void run_fold(const Fold& fold, const Tensor& out, const Tensor& x, DimSet dims, FoldArguments arguments) {
  alignas(64) std::byte accumulators[fold_bytes];
  if (out.numel() == 0) return;
  if (x.numel() == 0) return finish_empty(fold, out, arguments, accumulators);

  Axes kept;
  Axes reduced;
  std::int64_t out_stride = 1;
  for (int dim = x.dims() - 1; dim >= 0; --dim) {
    const std::int64_t size = x.shape()[dim];
    if (size == 1) continue;
    if (dims.contains(dim)) {
      reduced.push_back({size, x.strides()[dim], 0});
    } else {
      kept.push_back({size, x.strides()[dim], out_stride});
      out_stride *= size;
    }
  }
  kept.sort();
  kept.merge();
  if (!fold.ordered) reduced.sort();
  reduced.merge();

  const auto size = static_cast<std::int64_t>(size_of(x.dtype()));
  const auto out_size = static_cast<std::int64_t>(size_of(out.dtype()));
  const Axis line = reduced.count() == 0 ? Axis{1, 0, 0} : reduced[0];
  if (by_columns(fold, kept, reduced)) {
    const Axis& column = kept[0];
    arguments.parameter_stride = column.out_stride;
    kept.for_each_position(1, [&](std::int64_t offset, std::int64_t out_offset) {
      for (std::int64_t first = 0; first < column.size; first += fold_columns) {
        const std::int64_t n = std::min(fold_columns, column.size - first);
        const std::int64_t result = out_offset + first * column.out_stride;
        const FoldArguments moved = at(arguments, result);
        const std::byte* from = x.raw_data() + (offset + first * column.stride) * size;
        fold.start(accumulators, n);
        reduced.for_each_position(1, [&](std::int64_t inner, std::int64_t) {
          fold.columns(accumulators, from + inner * size, {line.size, n, line.stride, column.stride}, moved);
        });
        fold.finish(out.raw_data() + result * out_size, accumulators, n, column.out_stride, moved);
      }
    });
    return;
  }
  kept.for_each_position(0, [&](std::int64_t offset, std::int64_t out_offset) {
    FoldArguments moved = at(arguments, out_offset);
    fold.start(accumulators, 1);
    reduced.for_each_position(1, [&](std::int64_t inner, std::int64_t) {
      fold.row(accumulators, x.raw_data() + (offset + inner) * size, line.size, line.stride, moved);
      moved.index += line.size;
    });
    fold.finish(out.raw_data() + out_offset * out_size, accumulators, 1, 1, moved);
  });
}

}  // namespace feral::cpu
