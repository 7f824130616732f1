// The report of a run: one JSON object whose keys stay stable (docs/report.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workers/job.hpp"
#include "workers/staleness.hpp"

namespace feral {

// What the workers' meters say (docs/hogwild-meters.md).
struct MeterReport {
  StalenessSummary staleness;  // of all workers
  std::vector<StalenessSummary> staleness_per_worker;
  std::uint64_t dropped_nonfinite = 0;
  std::vector<std::uint64_t> dropped_nonfinite_per_worker;
};

// A change that somebody made to the running job.
struct Change {
  double seconds = 0;  // since the launcher started
  std::string what;
};

struct Report {
  std::string model;
  std::string data;
  TrainOptions options;
  std::uint64_t steps = 0;
  std::uint64_t samples_total = 0;
  double seconds_train = 0;  // from the first batch taken to the last update
  double time_to_first_step_seconds = 0;
  std::optional<double> test_accuracy;
  std::optional<double> test_loss;
  std::uint64_t worker_restarts = 0;
  std::uint64_t loader_restarts = 0;
  std::uint64_t batches_redone = 0;
  std::vector<std::uint64_t> samples_seen_per_epoch;
  std::uint64_t replicas = 0;
  std::uint64_t reconciliations = 0;
  std::uint64_t arena_bytes = 0;
  std::uint64_t peak_rss_bytes_per_worker = 0;  // the largest of them
  std::uint64_t steps_before = 0;               // of the checkpoint that the job went on from
  std::uint64_t samples_before = 0;             // likewise
  std::string checkpoint;                       // path of the newest; empty for none
  int cores = 0;
  std::string cpu;
  std::uint64_t parameters_checksum = 0;  // of the final parameters
  MeterReport meters;
  std::vector<Change> changes;

  double samples_per_second() const noexcept {
    return seconds_train > 0 ? static_cast<double>(samples_total - samples_before) / seconds_train : 0;
  }
};

std::string to_json(const Report& report);

// Throws feral::Error when a file cannot be put at `path`; leaves nothing behind.
void check_report_path(const std::string& path);

// Writes the report to a file beside `path` and renames it into place.
void write_report(const Report& report, const std::string& path);

}  // namespace feral
