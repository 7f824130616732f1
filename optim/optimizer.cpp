#include "optim/optimizer.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral::optim {
namespace {

std::size_t padded_bytes(std::int64_t elements, DType dtype) {
  return align_up(checked_multiply(static_cast<std::size_t>(elements), size_of(dtype)), tensor_alignment_bytes);
}

// A lock that waits this long looks whether it was given back after a death; the launcher's wake-up comes sooner.
constexpr std::chrono::milliseconds lock_wait{100};

}  // namespace

Optimizer::~Optimizer() = default;

void Optimizer::add_group(const std::vector<Tensor>& parameters, double lr, const std::vector<StateKind>& kinds) {
  if (state_ != nullptr) fail("{}: a group can be added before the first step only", name_);
  if (kinds.size() > max_states) fail("{}: {} kinds of state", name_, kinds.size());
  const std::size_t first = parameters_.size();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor& parameter = parameters[i];
    const std::size_t index = first + i;
    if (!parameter.defined()) fail("{}: parameter {} is undefined", name_, index);
    if (!has_gradient(parameter.dtype()) || !parameter.is_contiguous()) {
      fail("{}: parameter {} must be contiguous float32 or float64, got {}", name_, index, parameter.to_string());
    }
    const auto same = [&](const Tensor& other) { return other.impl() == parameter.impl(); };
    if (std::ranges::any_of(parameters_, same) ||
        std::any_of(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      fail("{}: parameter {} stands in the list twice", name_, index);
    }
  }
  for (const Tensor& parameter : parameters) {
    Slot slot{.group = groups_.size(),
              .states = kinds.size(),
              .dtype = parameter.dtype(),
              .numel = parameter.numel(),
              .elements_before = slots_.empty() ? 0 : slots_.back().elements_before + slots_.back().numel,
              .offsets = {},
              .kinds = {}};
    std::ranges::copy(kinds, slot.kinds);
    parameters_.push_back(parameter);
    slots_.push_back(slot);
  }
  groups_.push_back({lr, lr});
  lay_out();
}

std::size_t Optimizer::add_state(std::string name, const Shape& shape, DType dtype) {
  extras_.push_back({std::move(name), shape, dtype, 0});
  lay_out();
  return extras_.size() - 1;
}

void Optimizer::lay_out() {
  std::size_t end = align_up(parameters_.size() * sizeof(std::uint64_t), tensor_alignment_bytes);
  for (std::size_t kind = 0; kind < max_states; ++kind) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (kind >= slots_[i].states) continue;
      slots_[i].offsets[kind] = end;
      end = checked_add(end, padded_bytes(parameters_[i].numel(), parameters_[i].dtype()));
    }
  }
  for (Extra& extra : extras_) {
    extra.offset = end;
    end = checked_add(end, padded_bytes(extra.shape.numel(), extra.dtype));
  }
  state_bytes_ = end;
}

void Optimizer::initialize_state(std::span<std::byte> region) const {
  if (region.size() != state_bytes_) fail("{}: {} bytes for a state of {}", name_, region.size(), state_bytes_);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    for (std::size_t kind = 0; kind < slots_[i].states; ++kind) {
      const double initial = slots_[i].kinds[kind].initial;
      if (initial == 0) continue;
      Tensor::borrow(region.data() + slots_[i].offsets[kind], parameters_[i].shape(), parameters_[i].dtype())
          .fill_(initial);
    }
  }
}

void Optimizer::ensure_state() {
  if (state_ != nullptr || state_bytes_ == 0) return;
  const NoGradGuard no_grad;
  private_state_ = Tensor::zeros({static_cast<std::int64_t>(state_bytes_)}, DType::uint8);
  initialize_state({private_state_.raw_data(), state_bytes_});
  state_ = private_state_.raw_data();
}

void Optimizer::bind_state(std::span<std::byte> region, Sharing sharing) {
  if (region.size() != state_bytes_) fail("{}: {} bytes for a state of {}", name_, region.size(), state_bytes_);
  if (reinterpret_cast<std::uintptr_t>(region.data()) % tensor_alignment_bytes != 0) {
    fail("{}: the state must lie on a boundary of {} bytes", name_, tensor_alignment_bytes);
  }
  state_ = region.data();
  shared_ = sharing == Sharing::many;
  private_state_ = Tensor();
}

std::uint64_t& Optimizer::count_of(std::size_t index) const noexcept {
  return reinterpret_cast<std::uint64_t*>(state_)[index];
}

std::uint64_t Optimizer::step_count(std::size_t index) const {
  if (index >= slots_.size()) fail("{}: parameter {} of {}", name_, index, slots_.size());
  if (state_ == nullptr) return 0;
  return std::atomic_ref(count_of(index)).load(std::memory_order_relaxed);
}

// Relaxed: the count goes with the moments, which are read and written without order as well.
std::uint64_t Optimizer::count_step(std::size_t index) noexcept {
  std::uint64_t& count = count_of(index);
  const std::atomic_ref word(count);
  if (shared_) return word.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint64_t next = word.load(std::memory_order_relaxed) + 1;
  word.store(next, std::memory_order_relaxed);  // whoever writes a checkpoint may be reading it
  return next;
}

Operands Optimizer::operands_of(std::size_t index) const noexcept {
  const Tensor& parameter = parameters_[index];
  const Slot& slot = slots_[index];
  Operands operands;
  operands.dtype = parameter.dtype();
  operands.parameter = parameter.raw_data();
  for (std::size_t k = 0; k < slot.states; ++k) operands.states[k] = state_ + slot.offsets[k];
  operands.shared = shared_;
  operands.width = static_cast<std::size_t>(parameter.numel());
  if (!meters_.empty()) operands.meter = &meters_[index];
  return operands;
}

// model.to(…) gives a parameter other memory: the state would no longer fit.
void Optimizer::check_unchanged(std::size_t index) const {
  const Tensor& parameter = parameters_[index];
  const Slot& slot = slots_[index];
  if (parameter.dtype() == slot.dtype && parameter.numel() == slot.numel && parameter.is_contiguous()) return;
  fail(
      "{}: parameter {} has become {}, the state is for {} elements of {}; make the optimizer after converting the "
      "model",
      name_, index, parameter.to_string(), slot.numel, name_of(slot.dtype));
}

void Optimizer::step() {
  const NoGradGuard no_grad;
  ensure_state();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const bool dense = parameters_[i].grad().defined();
    if (const SparseGradient sparse = parameters_[i].sparse_grad(); sparse.defined() && !dense)
      check_rows(i, sparse);
    if (refuses_dense() && dense) {
      fail("{}: parameter {} has a dense gradient; use Adam for it", name_, i);
    }
    check_unchanged(i);
  }
  if (gate_ != nullptr && !gate_->enter(*this)) return;
  write_step();
  if (gate_ != nullptr) gate_->leave(*this);
}

void Optimizer::write_step() {
  LockScope locked(*this);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    locked.go_to(i);                          // also for one without a gradient: who skips a stripe overtakes
    Tensor gradient = parameters_[i].grad();  // of the parameter's shape and type: set_grad() sees to it
    const SparseGradient sparse = parameters_[i].sparse_grad();
    if (sparse.defined() && !gradient.defined()) {
      update_rows(i, sparse);
      continue;
    }
    if (!gradient.defined()) continue;
    if (sparse.defined()) {  // a table that is used in both ways
      gradient = gradient.clone();
      gradient.index_add_(0, sparse.rows, sparse.values);
    }
    if (!gradient.is_contiguous()) gradient = gradient.contiguous();
    Operands operands = operands_of(i);
    operands.gradient = gradient.raw_data();
    parameters_[i].touch();
    update(slots_[i].group, count_step(i), operands);
  }
}

Tensor Optimizer::step(const std::function<Tensor()>& closure) {
  Tensor loss;
  {
    const GradModeGuard recording(true);
    loss = closure();
  }
  step();
  return loss;
}

void Optimizer::check_rows(std::size_t index, const SparseGradient& gradient) const {
  const Tensor& parameter = parameters_[index];
  const auto& [rows, values] = gradient;
  if (const char* reason = refuses_rows(slots_[index].group)) {
    fail("{}: parameter {} has a sparse gradient, but {}", name_, index, reason);
  }
  check_unchanged(index);
  if (parameter.dims() == 0 || rows.dims() != 1 || rows.dtype() != DType::int64 ||
      values.dims() != parameter.dims() || values.dtype() != parameter.dtype() || values.size(0) != rows.size(0) ||
      values.numel() * parameter.size(0) != rows.size(0) * parameter.numel()) {
    fail("{}: parameter {} is {}: rows {} and values {} do not fit", name_, index, parameter.to_string(),
         rows.to_string(), values.to_string());
  }
  const Tensor list = rows.contiguous();
  const auto* numbers = list.data<std::int64_t>();
  std::int64_t before = -1;
  for (std::int64_t k = 0; k < list.numel(); ++k) {
    if (numbers[k] <= before || numbers[k] >= parameter.size(0)) {
      fail("{}: parameter {} is {}: row {} after row {}; rows must ascend within it", name_, index,
           parameter.to_string(), numbers[k], before);
    }
    before = numbers[k];
  }
}

void Optimizer::update_rows(std::size_t index, const SparseGradient& gradient) {
  const Tensor& parameter = parameters_[index];
  const Tensor rows = gradient.rows.contiguous();
  const Tensor values = gradient.values.contiguous();
  Operands operands = operands_of(index);
  operands.gradient = values.raw_data();
  operands.width = parameter.size(0) == 0 ? 0 : static_cast<std::size_t>(parameter.numel() / parameter.size(0));
  operands.rows = rows.data<std::int64_t>();
  operands.row_count = static_cast<std::size_t>(rows.numel());
  operands.rows_of_table = static_cast<std::size_t>(parameter.size(0));
  parameter.touch();
  update(slots_[index].group, count_step(index), operands);
}

void Optimizer::step_rows(const Tensor& parameter, const Tensor& rows, const Tensor& values) {
  const NoGradGuard no_grad;
  const auto found = std::ranges::find(parameters_, parameter.impl(), &Tensor::impl);
  if (found == parameters_.end()) fail("{}: step_rows: this is none of its parameters", name_);
  const auto index = static_cast<std::size_t>(found - parameters_.begin());
  const SparseGradient gradient{rows, values};
  check_rows(index, gradient);
  ensure_state();
  if (gate_ != nullptr && !gate_->enter(*this)) return;
  {
    LockScope locked(*this);
    locked.go_to(index);
    update_rows(index, gradient);
  }
  if (gate_ != nullptr) gate_->leave(*this);
}

void Optimizer::zero_grad() {
  for (const Tensor& parameter : parameters_) parameter.set_grad({});
}

void Optimizer::set_lr(double lr) {
  for (Group& group : groups_) group.lr = lr;
}

void Optimizer::set_lr(std::size_t group, double lr) {
  static_cast<void>(checked(group));
  groups_[group].lr = lr;
}

const Optimizer::Group& Optimizer::checked(std::size_t group) const {
  if (group >= groups_.size())
    fail("{}: there is no parameter group {}, there are {}", name_, group, groups_.size());
  return groups_[group];
}

void Optimizer::set_lr_factor(double factor) {
  for (Group& group : groups_) group.lr = group.initial_lr * factor;
}

Tensor Optimizer::extra_state(std::size_t number) const {
  const Extra& extra = extras_[number];
  return Tensor::borrow(state_ + extra.offset, extra.shape, extra.dtype);
}

std::vector<NamedState> Optimizer::named_state() {
  ensure_state();
  std::vector<NamedState> result;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    result.push_back({fmt::format("{}.step", i), Tensor::borrow(&count_of(i), {}, DType::int64)});
    for (std::size_t k = 0; k < slots_[i].states; ++k) {
      result.push_back(
          {fmt::format("{}.{}", i, slots_[i].kinds[k].name),
           Tensor::borrow(state_ + slots_[i].offsets[k], parameters_[i].shape(), parameters_[i].dtype())});
    }
  }
  for (std::size_t e = 0; e < extras_.size(); ++e) result.push_back({extras_[e].name, extra_state(e)});
  return result;
}

void Optimizer::load_state(const std::map<std::string, Tensor>& state) {
  const std::vector<NamedState> own = named_state();
  for (const auto& [name, tensor] : state) {
    const auto found = std::ranges::find(own, name, &NamedState::name);
    if (found == own.end()) fail("{}: load_state: it has no state '{}'", name_, name);
    if (!tensor.defined() || tensor.dtype() != found->tensor.dtype() ||
        !(tensor.shape() == found->tensor.shape())) {
      fail("{}: load_state: '{}' is {}, expected {}", name_, name,
           tensor.defined() ? tensor.to_string() : "undefined", found->tensor.to_string());
    }
  }
  for (const NamedState& part : own) {
    if (!state.contains(part.name)) fail("{}: load_state: '{}' is missing", name_, part.name);
  }
  const NoGradGuard no_grad;
  for (const NamedState& part : own) part.tensor.copy_(state.at(part.name));
}

void Optimizer::set_meters(std::span<UpdateMeter> meters) {
  if (!meters.empty() && meters.size() != parameters_.size()) {
    fail("{}: {} meters for {} parameters", name_, meters.size(), parameters_.size());
  }
  meters_ = meters;
}

void Optimizer::set_lock(std::span<shm::OwnerLock> stripes, shm::Owner owner) noexcept {
  stripes_ = stripes;
  owner_ = owner;
}

Optimizer::LockScope::LockScope(const Optimizer& optimizer) noexcept : optimizer_(optimizer) {
  if (!optimizer_.stripes_.empty()) optimizer_.stripes_[0].lock(optimizer_.owner_, lock_wait);
}

void Optimizer::LockScope::go_to(std::size_t parameter) noexcept {
  const std::span<shm::OwnerLock> stripes = optimizer_.stripes_;
  if (stripes.empty()) return;
  const Slot& last = optimizer_.slots_.back();
  const auto all = static_cast<std::size_t>(std::max<std::int64_t>(last.elements_before + last.numel, 1));
  const auto before = static_cast<std::size_t>(optimizer_.slots_[parameter].elements_before);
  // Empty parameters at the end have all elements before them.
  const std::size_t wanted = std::min(before * stripes.size() / all, stripes.size() - 1);
  while (last_ < wanted) {
    stripes[last_ + 1].lock(optimizer_.owner_, lock_wait);
    ++last_;
    stripes[first_].unlock(optimizer_.owner_);
    ++first_;
  }
}

void Optimizer::LockScope::take_all() noexcept {
  while (last_ + 1 < optimizer_.stripes_.size()) {
    optimizer_.stripes_[last_ + 1].lock(optimizer_.owner_, lock_wait);
    ++last_;
  }
}

Optimizer::LockScope::~LockScope() {
  if (optimizer_.stripes_.empty()) return;
  for (std::size_t stripe = first_; stripe <= last_; ++stripe)
    optimizer_.stripes_[stripe].unlock(optimizer_.owner_);
}

}  // namespace feral::optim
