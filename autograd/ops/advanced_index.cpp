// x[...]: the basic entries make a view, the tensors one int64 tensor of positions, and the op `index` the result.
#include "tensor/index.hpp"

#include <algorithm>
#include <utility>

#include "autograd/ops/check.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/index_check.hpp"
#include "autograd/ops/inplace.hpp"
#include "autograd/ops/masked.hpp"

namespace feral::ops {
namespace {

// One tensor entry: int64 positions that count the elements of `count` dimensions of the view from `dim` on.
struct Entry {
  Tensor positions;
  int dim = 0;
  int count = 1;
};

// What the entries come to: a view, its indexed dimensions side by side, and positions in these. Without tensor
// entries `positions` is undefined.
struct Plan {
  Tensor view;
  Tensor positions;
  int first = 0;
  int count = 0;
};

class Planner {
 public:
  Planner(std::string_view op, const Tensor& x) : op_(op), shape_(x.shape()), view_(x) {}

  Plan plan(std::initializer_list<Index> indices) {
    count_dims(indices);
    for (const Index& entry : indices) {
      std::visit([&](const auto& value) { add(value); }, entry.value);
      ++place_;
    }
    if (entries_ == 0) return {view_, {}, 0, 0};
    return fold();
  }

 private:
  // How many dimensions of x the entries take; the ellipsis stands for the rest.
  void count_dims(std::initializer_list<Index> indices) {
    int taken = 0;
    bool ellipsis_seen = false;
    for (const Index& entry : indices) {
      if (std::holds_alternative<NewAxis>(entry.value)) continue;
      if (std::holds_alternative<Ellipsis>(entry.value)) {
        if (ellipsis_seen) fail("{}: more than one ellipsis", op_);
        ellipsis_seen = true;
        continue;
      }
      const auto* tensor = std::get_if<Tensor>(&entry.value);
      if (tensor != nullptr) check_defined(op_, *tensor);
      taken += tensor != nullptr && tensor->dtype() == DType::boolean ? tensor->dims() : 1;
    }
    if (taken > shape_.dims()) {
      fail("{}: indices for {} dimensions, the tensor of shape {} has {}", op_, taken, shape_.to_string(),
           shape_.dims());
    }
    skipped_ = shape_.dims() - taken;
  }

  void add(std::int64_t position) {
    const std::int64_t size = view_.shape()[dim_];
    check_position(position, size);
    view_ = view_.select(dim_, position < 0 ? position + size : position);
  }

  void add(const Slice& slice) {
    if (slice.step < 1)
      fail("{}: the step of the slice at entry {} is {}, not at least 1", op_, place_, slice.step);
    const std::int64_t size = view_.shape()[dim_];
    view_ = view_.slice(dim_, slice.start.value_or(0), slice.stop.value_or(size), slice.step);
    ++dim_;
  }

  void add(const NewAxis&) { view_ = view_.unsqueeze(dim_++); }

  void add(const Ellipsis&) { dim_ += skipped_; }

  void add(const Tensor& tensor) {
    if (tensor.dtype() == DType::boolean) {
      add_mask(tensor);
      return;
    }
    const Tensor index = int64_index(op_, tensor);
    if (index.dims() == 0) {  // as in PyTorch: an integer
      add(*index.data<std::int64_t>());
      return;
    }
    const std::int64_t size = view_.shape()[dim_];
    if (kernels(index.device()).find_outside(index, -size, size) >= 0) {
      check_indices(fmt::format("{}: entry {}", op_, place_), index, -size, size);
    }
    add_entry({wrapped_index(op_, index, size), dim_, 1});
    ++dim_;
  }

  void add_mask(const Tensor& mask) {
    for (int i = 0; i < mask.dims(); ++i) {
      if (mask.shape()[i] != view_.shape()[dim_ + i]) {
        fail("{}: the mask of shape {} at entry {} does not fit dimension {} of the tensor of shape {}", op_,
             mask.shape().to_string(), place_, dim_ + i, view_.shape().to_string());
      }
    }
    const Tensor positions = apply<Nonzero>({.flat = true}, mask);
    // A mask without dimensions chooses the whole or nothing: positions in a new dimension of size 1.
    if (mask.dims() == 0) view_ = view_.unsqueeze(dim_);
    const int count = std::max(mask.dims(), 1);
    add_entry({positions, dim_, count});
    dim_ += count;
  }

  void add_entry(Entry entry) { entry_[entries_++] = std::move(entry); }

  void check_position(std::int64_t position, std::int64_t size) const {
    if (position < -size || position >= size) {
      fail("{}: index {} at entry {} is outside of [{}, {})", op_, position, place_, -size, size);
    }
  }

  // Brings the indexed dimensions together, at their place where they are neighbours and in front where not, and
  // makes one tensor of positions of all entries.
  Plan fold() {
    bool neighbours = true;
    for (int i = 1; i < entries_; ++i) {
      neighbours = neighbours && entry_[i].dim == entry_[i - 1].dim + entry_[i - 1].count;
    }
    Plan plan{view_, entry_[0].positions, neighbours ? entry_[0].dim : 0, 0};
    for (int i = 0; i < entries_; ++i) plan.count += entry_[i].count;
    if (!neighbours) plan.view = indexed_first();
    if (entries_ == 1) return plan;

    Shape common = entry_[0].positions.shape();
    for (int i = 1; i < entries_; ++i) {
      common = broadcast_shapes(op_, common, entry_[i].positions.shape());
    }
    plan.positions = Tensor::empty(common, DType::int64);
    int dim = plan.first;
    for (int i = 0; i < entries_; ++i) {
      std::int64_t size = 1;
      for (int k = 0; k < entry_[i].count; ++k) size *= plan.view.shape()[dim++];
      kernels(plan.positions.device()).fold_positions(plan.positions, entry_[i].positions, size, i > 0);
    }
    return plan;
  }

  Tensor indexed_first() const {
    bool indexed[Shape::max_dims] = {};
    Dims order;
    for (int i = 0; i < entries_; ++i) {
      for (int k = 0; k < entry_[i].count; ++k) {
        order.push_back(entry_[i].dim + k);
        indexed[entry_[i].dim + k] = true;
      }
    }
    for (int i = 0; i < view_.dims(); ++i) {
      if (!indexed[i]) order.push_back(i);
    }
    return view_.permute(order);
  }

  std::string_view op_;
  Shape shape_;
  Tensor view_;
  int dim_ = 0;      // of the view, where the next entry acts
  int skipped_ = 0;  // dimensions that the ellipsis stands for
  int place_ = 0;    // of the entry
  int entries_ = 0;
  Entry entry_[Shape::max_dims];
};

}  // namespace
}  // namespace feral::ops

namespace feral {

using namespace ops;

Tensor Tensor::index(std::initializer_list<Index> indices) const {
  check_defined("index", *this);
  const Plan plan = Planner("index", *this).plan(indices);
  if (!plan.positions.defined()) return plan.view;
  return apply<Pick>({.first = plan.first, .count = plan.count}, plan.view, plan.positions);
}

const Tensor& Tensor::index_put_(std::initializer_list<Index> indices, const Tensor& values,
                                 bool accumulate) const {
  constexpr std::string_view op = "index_put_";
  if (is_recorded(*this, values)) {
    return record_in_place(
        op, *this,
        [&](const Tensor& x, const Tensor& from) {
          const Tensor places = arange(x.numel()).reshape(x.shape()).index(indices);
          const Tensor flat = from.expand(places.shape()).reshape({-1});
          const Tensor where_to = places.reshape({-1});
          const Tensor line = x.reshape({-1});
          return (accumulate ? line.index_add(0, where_to, flat) : line.index_copy(0, where_to, flat))
              .reshape(x.shape());
        },
        values);
  }
  check_in_place(op, *this, {&values});
  const NoGradGuard no_grad;
  const Plan plan = Planner(op, *this).plan(indices);
  const Tensor& view = plan.view;
  if (values.dtype() != dtype()) {
    fail("{}: the values are {}, the tensor {}; convert one with to()", op, name_of(values.dtype()),
         name_of(dtype()));
  }
  const bool basic = !plan.positions.defined();
  const Shape picked =
      basic ? view.shape() : picked_shape(view.shape(), plan.positions.shape(), plan.first, plan.count);
  if (values.dims() > picked.dims() || !(broadcast_shapes(op, values.shape(), picked) == picked)) {
    fail("{}: values of shape {} do not broadcast to the {} that the indices pick", op, values.shape().to_string(),
         picked.to_string());
  }
  const Tensor from = copied_from(*this, values).expand(picked);
  const Kernels& device = kernels(this->device());
  const WriteKernel how = accumulate ? WriteKernel::add : WriteKernel::copy;
  // Without tensor entries: the one position of no dimensions.
  device.index_write(how, view, basic ? zeros({}, DType::int64) : copied_from(*this, plan.positions), from,
                     plan.first);
  return *this;
}

}  // namespace feral
