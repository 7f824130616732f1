// The evaluator's part in keeping the parameters numbers: it looks at them, keeps snapshots of good ones, and goes
// back to those when it is asked to (workers/rollback.hpp).
#pragma once

#include <cstdint>
#include <optional>

#include "nn/flat_parameters.hpp"
#include "optim/optimizer.hpp"
#include "workers/job_arena.hpp"

namespace feral {

class ParameterGuard {
 public:
  // `layout` is of the model, bound to the arena's parameters, which are published. `optimizer`, which says what a
  // state begins with, must outlive this object; only needed where the job rolls back. Takes the first snapshot
  // unless a predecessor has.
  ParameterGuard(JobArena& arena, nn::FlatLayout layout, const optim::Optimizer* optimizer);

  // After an evaluation with that loss, or an epoch without one. Where the job rolls back: keeps a snapshot if all
  // parameters are numbers and the loss is sane, asks for a rollback if they or the loss are none. Elsewhere
  // parameters that are no numbers end the job, unless it goes on whatever comes.
  void look(std::optional<double> loss);

  // Carries out the rollback that was asked for, if one was: true when the parameters are others now. A snapshot
  // serves once; without any left the job ends.
  bool serve();

 private:
  bool parameters_finite(std::byte* memory) const;
  bool take();
  void wait_for_writers();
  void restore(std::size_t place);

  JobArena& arena_;
  nn::FlatLayout layout_;
  const optim::Optimizer* optimizer_;
  std::optional<double> best_loss_;
};

}  // namespace feral
