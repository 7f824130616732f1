// Hooks on gradients, gradients kept for tensors that are no leaves, and sparse ones.
#include <algorithm>

#include "autograd/node_extras.hpp"
#include "core/fail.hpp"
#include "tensor/in_place.hpp"

namespace feral {
namespace {

GradientExtras& leaf_extras(const Tensor& leaf) {
  GradientExtras*& extras = leaf.impl()->extras;
  if (extras == nullptr) extras = new GradientExtras;
  return *extras;
}

void check_requires_grad(std::string_view op, const Tensor& tensor) {
  refuse_undefined(op, tensor);
  if (!tensor.requires_grad()) {
    fail("{}: this tensor of shape {} requires no gradient", op, tensor.shape().to_string());
  }
}

}  // namespace

std::size_t Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  check_requires_grad("register_hook", *this);
  if (!hook) fail("register_hook: the function is empty");
  GradientExtras& extras = is_leaf() ? leaf_extras(*this) : extras_of(*node_of(*this)).gradient;
  extras.hooks.push_back({extras.next_number, std::move(hook)});
  return extras.next_number++;
}

void Tensor::remove_hook(std::size_t number) const {
  refuse_undefined("remove_hook", *this);
  GradientExtras* extras = impl_->extras;
  if (!is_leaf()) extras = node_of(*this)->extras == nullptr ? nullptr : &node_of(*this)->extras->gradient;
  if (extras != nullptr) std::erase_if(extras->hooks, [&](const auto& hook) { return hook.number == number; });
}

void Tensor::retain_grad() const {
  check_requires_grad("retain_grad", *this);
  if (!is_leaf()) impl_->producer->retainer = impl_;
}

SparseGradient Tensor::sparse_grad() const {
  refuse_undefined("sparse_grad", *this);
  return impl_->extras == nullptr ? SparseGradient() : impl_->extras->sparse;
}

void Tensor::set_sparse_grad(const SparseGradient& gradient) const {
  refuse_undefined("set_sparse_grad", *this);
  if (!gradient.defined()) {
    if (impl_->extras != nullptr) impl_->extras->sparse = {};
    return;
  }
  const Tensor& rows = gradient.rows;
  const Tensor& values = gradient.values;
  const bool fits = dims() == 2 && rows.dims() == 1 && rows.dtype() == DType::int64 && values.defined() &&
                    values.dtype() == dtype() && values.shape() == Shape{rows.numel(), shape()[1]};
  if (!fits || !is_leaf()) {
    fail("set_sparse_grad: rows {} with values {} for the {} {}", rows.to_string(), values.to_string(),
         is_leaf() ? "leaf" : "result of an op", to_string());
  }
  leaf_extras(*this).sparse = gradient;
}

}  // namespace feral
