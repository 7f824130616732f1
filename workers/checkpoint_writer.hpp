// The evaluator's part in checkpoints: it copies what lies in the arena, then writes the copy to the folder, while
// training goes on. What goes wrong is told in a warning and costs the training nothing.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workers/checkpoint_record.hpp"
#include "workers/job.hpp"
#include "workers/job_arena.hpp"

namespace feral {

// The names of the tensors in a checkpoint: those of Module::state_dict(), and "optimizer.0.3.exp_avg" for state
// "3.exp_avg" (Optimizer::named_state) of worker 0, or of all workers when they share one.
std::string optimizer_state_prefix(std::uint32_t worker);

class CheckpointWriter {
 public:
  // `model` is bound to the arena; `optimizer` is one as workers have, for its names. Both must outlive this
  // object, which binds the optimizer to memory of its own. Throws feral::Error when the model uses the optimizer's
  // names.
  CheckpointWriter(const Job& job, const TrainOptions& options, JobArena& arena, const nn::Module& model,
                   optim::Optimizer& optimizer);

  enum class Occasion {
    request,   // somebody asked for it
    measured,  // an epoch has just been evaluated
    epoch,     // one has ended that is not evaluated
    end,       // workers are leaving or have left: nobody need be paused, but there is little time
  };

  // Writes one now, in the mode of the options, and answers all requests made until now.
  void write(Occasion occasion);
  bool asked() const noexcept;

 private:
  // Copies everything, position first: what ends meanwhile counts as not done.
  CheckpointRecord take(std::chrono::milliseconds patience);
  void copy_out();
  CheckpointRecord record_now() const;
  std::map<std::string, Tensor> tensors_of_copy() const;
  void write_copy(const CheckpointRecord& record, Occasion occasion);
  // The test accuracy of what is written.
  std::optional<double> accuracy(const CheckpointRecord& record, Occasion occasion) const;

  const Job& job_;
  const TrainOptions& options_;
  JobArena& arena_;
  const nn::Module& model_;
  optim::Optimizer& optimizer_;
  Tensor copy_;  // bytes: the parameters, then the states of all indices
  std::size_t states_offset_;
  std::size_t state_stride_;
  std::vector<std::uint32_t> states_;  // the indices whose state was copied
  std::optional<double> best_;         // accuracy of the checkpoint that is kept as the best
};

}  // namespace feral
