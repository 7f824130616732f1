// Which samples make up a batch: arithmetic on (seed, epoch, batch number), the same in every process.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "data/permutation.hpp"

namespace feral {

// An epoch is one pass over `samples`; its batches are numbered on through all epochs. The last batch of an epoch
// holds what is left.
struct EpochPlan {
  std::uint64_t samples = 0;
  std::uint64_t batch = 1;
  std::uint64_t seed = 0;

  std::uint64_t batches_per_epoch() const noexcept { return samples / batch + (samples % batch != 0 ? 1 : 0); }
  std::uint64_t epoch_of(std::uint64_t item) const noexcept { return item / batches_per_epoch(); }
  std::uint64_t samples_of(std::uint64_t item) const noexcept {
    const std::uint64_t first = item % batches_per_epoch() * batch;
    return std::min(batch, samples - first);
  }
};

// Turns batch numbers into sample numbers; keeps the permutation of the current epoch.
class SampleOrder {
 public:
  explicit SampleOrder(const EpochPlan& plan) noexcept : plan_(plan), permutation_(plan.samples, plan.seed, 0) {}

  // The samples of a batch, in `indices` (reused from call to call).
  void samples(std::uint64_t item, std::vector<std::int64_t>& indices) {
    if (const std::uint64_t epoch = plan_.epoch_of(item); epoch != epoch_) {
      permutation_ = data::Permutation(plan_.samples, plan_.seed, epoch);
      epoch_ = epoch;
    }
    const std::uint64_t first = item % plan_.batches_per_epoch() * plan_.batch;
    indices.clear();
    for (std::uint64_t i = 0; i < plan_.samples_of(item); ++i) {
      indices.push_back(static_cast<std::int64_t>(permutation_(first + i)));
    }
  }

 private:
  EpochPlan plan_;
  std::uint64_t epoch_ = 0;
  data::Permutation permutation_;
};

}  // namespace feral
