#include "optim/sgd.hpp"

#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral::optim {
namespace {

std::size_t padded_bytes(const Tensor& tensor) {
  return align_up(static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype()), tensor_alignment_bytes);
}

}  // namespace

SGD::SGD(std::vector<Tensor> parameters, SGDOptions options)
    : parameters_(std::move(parameters)), options_(options) {
  if (!(options.lr > 0)) fail("SGD: the learning rate must be above 0, got {}", options.lr);
  if (!(options.momentum >= 0 && options.momentum < 1))
    fail("SGD: momentum must be in [0, 1), got {}", options.momentum);
  if (!(options.weight_decay >= 0)) fail("SGD: weight decay must not be negative, got {}", options.weight_decay);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i];
    if (!parameter.defined() || !has_gradient(parameter.dtype()) || !parameter.is_contiguous()) {
      fail("SGD: parameter {} must be contiguous float32 or float64, got {}", i, parameter.to_string());
    }
  }
  if (options.momentum == 0) return;
  for (const Tensor& parameter : parameters_) {
    velocities_.push_back(Tensor::zeros(parameter.shape(), parameter.dtype()));
  }
}

void SGD::step() {
  const NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i];
    Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;
    gradient = gradient.contiguous();  // set_grad() takes views
    visit_floating(parameter.dtype(), [&]<class T>() {
      sgd_update(parameter.data<T>(), gradient.data<T>(), velocities_.empty() ? nullptr : velocities_[i].data<T>(),
                 static_cast<std::size_t>(parameter.numel()), options_);
    });
  }
}

void SGD::zero_grad() {
  for (const Tensor& parameter : parameters_) parameter.set_grad({});
}

std::size_t SGD::state_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Tensor& velocity : velocities_) bytes += padded_bytes(velocity);
  return bytes;
}

void SGD::bind_state(std::span<std::byte> state) {
  if (state.size() != state_bytes()) fail("SGD: {} bytes for a state of {}", state.size(), state_bytes());
  std::size_t offset = 0;
  for (const Tensor& velocity : velocities_) {
    velocity.rebind(state.data() + offset);
    offset += padded_bytes(velocity);
  }
}

}  // namespace feral::optim
