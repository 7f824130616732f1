#include "workers/lost_updates.hpp"

namespace feral {
namespace {

// By the only writer.
void add_to(std::atomic<std::uint64_t>& word, std::uint64_t value) {
  word.store(word.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

}  // namespace

LostUpdates::LostUpdates(std::span<LostRecord> own, std::span<const std::size_t> tensors, const UpdateCounter& job,
                         LossSampling sampling)
    : own_(own), tensors_(tensors), sampling_(sampling), meters_(tensors.size()) {
  for (optim::UpdateMeter& meter : meters_) {
    meter.spacing = sampling.elements;
    meter.finished = &job.updates;
  }
}

void LostUpdates::begin(optim::Optimizer& optimizer) {
  if (steps_++ % sampling_.steps == 0) optimizer.set_meters(meters_);
}

void LostUpdates::end(optim::Optimizer& optimizer) {
  if ((steps_ - 1) % sampling_.steps != 0) return;
  optimizer.set_meters({});
  for (std::size_t i = 0; i < meters_.size(); ++i) {
    optim::UpdateMeter& meter = meters_[i];
    if (tensors_[i] < own_.size()) {
      add_to(own_[tensors_[i]].metered, meter.metered);
      add_to(own_[tensors_[i]].lost, meter.lost);
    }
    meter.metered = 0;
    meter.lost = 0;
  }
}

LostSummary summary_of(const LostRecord& record, LossSampling sampling) noexcept {
  const std::uint64_t scale = sampling.steps * sampling.elements;
  return {.updates = record.metered.load(std::memory_order_relaxed) * scale,
          .lost = record.lost.load(std::memory_order_relaxed) * scale};
}

}  // namespace feral
