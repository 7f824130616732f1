// Going on from a checkpoint.
#pragma once

#include <filesystem>

#include "workers/checkpoint_record.hpp"
#include "workers/job.hpp"
#include "workers/job_arena.hpp"

namespace feral {

// Throws feral::Error, naming both values, when the job as it is planned now is another one than the checkpoint's.
// Workers, loaders and epochs may differ. `file` is for messages.
void check_resumable(const CheckpointRecord& record, const JobBlock& block, const std::string& model,
                     const std::string& file);

// Launcher, before any child attaches: puts ring, ledger and evaluations where the checkpoint has them. Returns how
// many batches that were done will be done again.
std::uint64_t restore_position(const CheckpointRecord& record, JobArena& arena);

// Evaluator, before it publishes: puts the values of `file` into `model` and the optimizer states in the arena.
// Throws feral::Error when they do not fit. `optimizer` is left bound to the arena.
void restore_values(const std::filesystem::path& file, nn::Module& model, optim::Optimizer& optimizer,
                    JobArena& arena);

}  // namespace feral
