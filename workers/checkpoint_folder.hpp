// The folder of a job's checkpoints: DIR/step-000000000471.safetensors, named by the steps that were done, and
// DIR/best.safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "workers/checkpoint_record.hpp"

namespace feral {

std::filesystem::path checkpoint_path(const std::filesystem::path& folder, std::uint64_t step);
std::filesystem::path best_checkpoint_path(const std::filesystem::path& folder);

// The steps of all checkpoints there, ascending. A folder that cannot be read has none.
std::vector<std::uint64_t> checkpoint_steps(const std::filesystem::path& folder);

// Removes what a process that was killed while it wrote has left behind. For whoever knows that nobody writes.
void remove_temporaries(const std::filesystem::path& folder) noexcept;

// Removes all but the `keep` newest up to step `newest`, which is known to be whole; any beyond it are left alone.
void prune_checkpoints(const std::filesystem::path& folder, std::uint64_t newest, std::int64_t keep) noexcept;

// Makes best.safetensors the checkpoint of that step, by a second name of its file where the folder can do that.
// Throws feral::Error naming the file.
void keep_as_best(const std::filesystem::path& folder, std::uint64_t step);

struct FoundCheckpoint {
  std::filesystem::path path;
  std::uint64_t step = 0;
  CheckpointRecord record;
};

struct CheckpointSearch {
  std::optional<FoundCheckpoint> found;
  std::vector<std::string> skipped;  // why newer ones were not taken, a line each
};

// The newest checkpoint that is whole: every byte of it is read.
CheckpointSearch newest_checkpoint(const std::filesystem::path& folder);

}  // namespace feral
