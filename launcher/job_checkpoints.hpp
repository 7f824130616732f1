// The launcher's part in checkpoints: their folder, and which one the job goes on from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shm/fd.hpp"
#include "workers/checkpoint_folder.hpp"
#include "workers/job.hpp"
#include "workers/job_arena.hpp"

namespace feral {

class JobCheckpoints {
 public:
  // Makes the folder, unless it is there, tries to write in it, and keeps other jobs out of it as long as this
  // object lives. Finds the checkpoint to go on from when that is asked for. Throws feral::Error, in one line, for
  // a folder that cannot be used, one without a whole checkpoint to go on from, and one that holds those of another
  // run when the job begins anew. Without a folder in the options nothing happens, here or below.
  explicit JobCheckpoints(const TrainOptions& options);
  // All children are gone: nothing half written stays.
  ~JobCheckpoints();
  JobCheckpoints(const JobCheckpoints&) = delete;
  JobCheckpoints& operator=(const JobCheckpoints&) = delete;

  bool on() const noexcept { return !folder_.empty(); }

  // Whether the job that is planned can go on from the checkpoint; throws feral::Error when not.
  void check(const JobBlock& block, const std::string& model) const;
  // What the launcher tells of that: why newer ones were passed over, and from where the job goes on.
  std::vector<std::string> lines(const JobBlock& block) const;
  // Puts the arena, which no child has attached yet, where the checkpoint has the job. Returns how many batches are
  // to be done again.
  std::uint64_t restore(JobArena& arena) const;
  // Steps and samples that the job began with.
  std::uint64_t steps_before() const noexcept { return found_ ? found_->step : 0; }
  std::uint64_t samples_before() const noexcept;
  // The epochs that were evaluated before.
  std::uint64_t epochs_evaluated() const noexcept;

  // The path of the newest; empty when there is none.
  std::string newest(JobArena& arena) const;
  // What is left of a job that was stopped: "checkpoint written to …".
  std::string what_is_kept(JobArena* arena) const;

 private:
  void open_folder();

  std::filesystem::path folder_;
  shm::Fd lock_;
  std::vector<std::string> skipped_;
  std::optional<FoundCheckpoint> found_;
};

}  // namespace feral
