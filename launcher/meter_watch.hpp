// What the launcher makes of the workers' meters: lines for people, the report's part, and the end of a run that
// cannot go on.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "launcher/report.hpp"
#include "workers/job_arena.hpp"

namespace feral {

class MeterWatch {
 public:
  // Lines about what has happened since the last call: once a worker that left out a step.
  std::vector<std::string> news(JobArena& arena);

  // Why the run cannot go on, in one line; nothing while it can.
  static std::optional<std::string> trouble(JobArena& arena);

  static MeterReport report(JobArena& arena);

  // The report in few words, a line each; none about what did not happen.
  static std::vector<std::string> summary(const MeterReport& report);

 private:
  std::set<std::size_t> told_;  // workers
};

}  // namespace feral
