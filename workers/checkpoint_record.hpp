// What a job's checkpoint says beside the tensors: how far the job is, and which job it is. It stands in the file's
// metadata, as JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "workers/checkpoint_block.hpp"
#include "workers/job_position.hpp"

namespace feral {

struct CheckpointRecord {
  // Of the job, for whoever goes on with it.
  std::string model;
  std::string data;
  EpochPlan plan;
  std::uint64_t epochs = 0;
  std::string optimizer;
  bool shared_state = false;
  std::uint32_t workers = 0;
  // How it was written, and where the job was.
  CheckpointMode mode = CheckpointMode::fuzzy;
  JobPosition position;
  std::vector<double> loss_sums;  // of the epochs that had begun, as in EpochTotals
  struct Measured {
    std::uint64_t epoch = 0;  // from 0
    double accuracy = 0;
    double loss = 0;
  };
  std::vector<Measured> evaluations;  // in the order of the epochs
};

std::map<std::string, std::string> metadata_of(const CheckpointRecord& record);

// Throws feral::Error that begins with `file` when the metadata are no checkpoint's, or contradict themselves.
CheckpointRecord record_of(const std::map<std::string, std::string>& metadata, const std::string& file);

}  // namespace feral
