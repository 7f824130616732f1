#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include "launcher/run.hpp"

#include "core/log.hpp"
#include "launcher/command_line.hpp"
#include "launcher/supervisor.hpp"
#include "workers/child.hpp"

namespace feral {

int run_job(const Job& job, const TrainOptions& options, const std::vector<std::string>& arguments) {
  if (const auto& identity = child_identity()) run_child(*identity, job, options);
  try {
    return Supervisor(job.name, job.data_name, options, arguments).run();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
    return 2;
  }
}

int run(int argc, char** argv, const Job& job) {
  const CommandLine line = parse_program_line(argc, argv, job);
  if (line.exit_code) return *line.exit_code;
  return run_job(job, line.options, std::vector<std::string>(argv, argv + argc));
}

}  // namespace feral
