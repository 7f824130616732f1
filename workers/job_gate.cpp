#include "workers/job_gate.hpp"

#include <algorithm>

#include "nn/flat_parameters.hpp"
#include "workers/clip_gradients.hpp"

namespace feral {

namespace {

// For each parameter of the optimizer its number among the model's named parameters, or how many those are.
std::vector<std::size_t> numbers_in_model(const nn::Module& model, const optim::Optimizer& optimizer) {
  const nn::FlatLayout layout = nn::flat_layout(model);
  std::vector<std::size_t> numbers;
  for (const Tensor& parameter : optimizer.parameters()) {
    const auto same = [&](const nn::NamedTensor& named) { return named.tensor.impl() == parameter.impl(); };
    const auto found = std::ranges::find_if(layout.parameters, same);
    numbers.push_back(static_cast<std::size_t>(found - layout.parameters.begin()));
  }
  return numbers;
}

}  // namespace

JobGate::JobGate(JobArena& arena, shm::Owner owner, const nn::Module& model, optim::Optimizer& optimizer,
                 bool in_place)
    : tensors_(numbers_in_model(model, optimizer)),
      in_place_(in_place),
      scales_(arena.job().staleness_scale != 0),
      steering_(arena.steering()),
      staleness_(arena.meters().updates(), arena.meters().workers()[owner.index].staleness),
      guard_(arena, owner, tensors_) {
  rates_.reserve(optimizer.group_count());
  optimizer.set_gate(this);
}

void JobGate::begin(std::uint64_t item) noexcept {
  item_ = item;
  if (in_place_) staleness_.read();
}

bool JobGate::enter(optim::Optimizer& optimizer) {
  // What changes gradients comes after this look at them, and sees numbers alone.
  if (!guard_.accepts(optimizer, item_)) return false;
  clip_gradients(optimizer, steering_);
  if (scales_) scale_rates(optimizer);
  return true;
}

void JobGate::leave(optim::Optimizer& optimizer) {
  if (in_place_) staleness_.written();
  if (!scales_) return;
  for (std::size_t group = 0; group < rates_.size(); ++group) optimizer.set_lr(group, rates_[group]);
}

// W. Zhang, S. Gupta, X. Lian, J. Liu: "Staleness-aware Async-SGD for Distributed Deep Learning", IJCAI 2016: the
// rate of an update divided by its staleness. Theirs begins at 1, ours at 0, so ours is divided by 1 + staleness.
void JobGate::scale_rates(optim::Optimizer& optimizer) {
  const double divisor = 1 + static_cast<double>(staleness_.now());
  rates_.clear();
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) {
    rates_.push_back(optimizer.lr(group));
    optimizer.set_lr(group, rates_.back() / divisor);
  }
}

}  // namespace feral
