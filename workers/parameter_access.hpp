// Where a worker's model has its parameters, and how what it learns there reaches the shared ones
// (docs/memory-model.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "nn/flat_parameters.hpp"
#include "tensor/tensor.hpp"
#include "workers/job.hpp"
#include "workers/parameter_stretches.hpp"

namespace feral {

// Whether workers train on copies of their own, which take twice the parameters' bytes each: the policies
// atomic-add and snapshot, and every one that publishes more seldom than each batch.
constexpr bool trains_on_a_copy(Policy policy, std::int64_t publish_every) noexcept {
  return policy == Policy::atomic_add || policy == Policy::snapshot || publish_every > 1;
}

// Of one worker. Without a copy the model's parameters are the shared ones, and begin() and publish() do nothing.
//
// With a copy the optimizer steps on it, and what changed is published: the alternative, gradients of the copy and
// a step on the live parameters, would not see what else a job's step writes, nor what a line search moves.
// Publishing is the same to the bit while nobody else has written; weight decay is that of the copy's values.
class ParameterAccess {
 public:
  // Binds the layout's model to `shared` or to the copy.
  ParameterAccess(const nn::FlatLayout& layout, std::span<std::byte> shared, Policy policy,
                  std::int64_t publish_every);

  bool has_copy() const noexcept { return memory_.defined(); }

  // Before the first batch of those that are published together: the copy becomes what is in the shared parameters.
  void begin() noexcept;
  // After the last of them: the shared parameters get what begin() did not find. Once only after each begin().
  void publish() noexcept;

 private:
  ParameterStretches stretches_;
  std::span<std::byte> shared_;
  Adding adding_;
  Tensor memory_;              // of the two below; undefined without a copy
  std::span<std::byte> copy_;  // what the model has
  std::span<std::byte> base_;  // what begin() found
};

}  // namespace feral
