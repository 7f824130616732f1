// What a worker of a job puts around the steps of its optimizer: the guard against values that are no numbers, and
// what is measured of a step.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/module.hpp"
#include "optim/optimizer.hpp"
#include "shm/slot_ring.hpp"
#include "workers/job_arena.hpp"
#include "workers/nonfinite_guard.hpp"
#include "workers/staleness.hpp"

namespace feral {

class JobGate final : public optim::StepGate {
 public:
  // Of the worker `owner`; set_gate() is called on its optimizer. `in_place`: its steps write what all share;
  // otherwise the worker says itself when it has read and published (staleness()).
  JobGate(JobArena& arena, shm::Owner owner, const nn::Module& model, optim::Optimizer& optimizer,
          bool in_place = true);

  // The worker begins with that batch.
  void begin(std::uint64_t item) noexcept;

  bool enter(optim::Optimizer& optimizer) override;
  void leave(optim::Optimizer& optimizer) override;

  Staleness& staleness() noexcept { return staleness_; }

 private:
  void scale_rates(optim::Optimizer& optimizer);

  std::vector<std::size_t> tensors_;  // the numbers in the model of the optimizer's parameters
  bool in_place_;
  bool scales_;
  const SteeringBlock& steering_;
  std::uint64_t item_ = 0;
  Staleness staleness_;
  NonfiniteGuard guard_;
  std::vector<double> rates_;  // of the optimizer's groups, while a step runs with others
};

}  // namespace feral
