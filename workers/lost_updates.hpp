// How many updates are really lost, by sampling: one step of a worker in some is metered (optim::UpdateMeter), and
// of that step one element in some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "optim/optimizer.hpp"
#include "workers/job_meters.hpp"

namespace feral {

// One step in `steps`, one element in `elements`. As shipped: an exchange costs some 10 ns, an update of a vector
// of 16 elements about 1 ns, so one exchange in four vectors takes three times as long for one step in 16, which
// is far below a hundredth of a training step. Few elements of a step, not all of them, as an exchange holds back
// the loads behind it: a step that consists of exchanges conflicts less often than those that it stands for. 61
// is prime, so that every lane of a vector and element of a row has its turn.
struct LossSampling {
  std::uint64_t steps = 16;
  std::size_t elements = 61;
};

// Of one worker.
class LostUpdates {
 public:
  // tensors[i] is the number in `own` of the optimizer's parameter i; what is not below own.size() is not counted.
  // All must outlive this object.
  LostUpdates(std::span<LostRecord> own, std::span<const std::size_t> tensors, const UpdateCounter& job,
              LossSampling sampling = {});

  // Before the first write of a step and after its last. Allocates nothing.
  void begin(optim::Optimizer& optimizer);
  void end(optim::Optimizer& optimizer);

 private:
  std::span<LostRecord> own_;
  std::span<const std::size_t> tensors_;
  LossSampling sampling_;
  std::uint64_t steps_ = 0;
  std::vector<optim::UpdateMeter> meters_;
};

// What the records of all workers say of a tensor.
struct LostSummary {
  std::uint64_t updates = 0;  // of elements, made
  std::uint64_t lost = 0;     // of them
  double share() const noexcept {
    return updates == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(updates);
  }
};

// Scaled up from the sample.
LostSummary summary_of(const LostRecord& record, LossSampling sampling = {}) noexcept;

}  // namespace feral
