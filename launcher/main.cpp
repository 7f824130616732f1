// The feral command.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "core/log.hpp"
#include "launcher/catalog.hpp"
#include "launcher/command_line.hpp"
#include "launcher/control_client.hpp"
#include "launcher/doctor.hpp"
#include "launcher/run.hpp"

namespace {

int command(int argc, char** argv) {
  const feral::CommandLine line = feral::parse_feral_line(argc, argv);
  if (line.exit_code) return *line.exit_code;
  try {
    if (line.command == "doctor") return feral::run_doctor();
    if (line.command == "jobs") return feral::list_jobs();
    if (line.command == "scale" || line.command == "set") return feral::steer_job(line.job, line.request);
    if (line.command == "attach") return feral::list_tensors(line.job);
    return feral::run_job(feral::make_job(line.model, line.data), line.options,
                          std::vector<std::string>(argv, argv + argc));
  } catch (const std::exception& error) {
    feral::log::error("{}", error.what());
    return 2;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int code = command(argc, argv);
  std::fflush(nullptr);
  // Nothing is left to do, and OpenBLAS's destructor would wait for its threads: for ever, where a limit of address
  // space keeps one from its buffer.
  std::_Exit(code);
}
