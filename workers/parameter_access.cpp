#include "workers/parameter_access.hpp"

#include <cstring>

namespace feral {

ParameterAccess::ParameterAccess(const nn::FlatLayout& layout, std::span<std::byte> shared, Policy policy,
                                 std::int64_t publish_every)
    : stretches_(layout), shared_(shared), adding_(policy == Policy::atomic_add ? Adding::atomic : Adding::racy) {
  if (!trains_on_a_copy(policy, publish_every)) {
    nn::bind_parameters(layout, shared);
    return;
  }
  memory_ = Tensor::zeros({2, static_cast<std::int64_t>(shared.size())}, DType::uint8);
  copy_ = {memory_.raw_data(), shared.size()};
  base_ = {memory_.raw_data() + shared.size(), shared.size()};
  nn::bind_parameters(layout, copy_);
}

void ParameterAccess::begin() noexcept {
  if (!memory_.defined()) return;
  copy_live(copy_, shared_);
  std::memcpy(base_.data(), copy_.data(), copy_.size());
}

void ParameterAccess::publish() noexcept {
  if (memory_.defined()) stretches_.add_changes(shared_, base_, copy_, adding_);
}

}  // namespace feral
