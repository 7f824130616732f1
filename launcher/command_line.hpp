// The command line: `feral train …`, `feral doctor`, what steers running jobs, and the options of users' programs.
#pragma once

#include <optional>
#include <string>

#include "launcher/control_protocol.hpp"
#include "workers/job.hpp"

namespace feral {

struct CommandLine {
  std::optional<int> exit_code;  // set when there is nothing left to do: help was shown, or an error
  std::string command;           // "train", "doctor", "jobs", "scale", "set" or "attach"
  std::string model;             // of train
  std::string data;              // of train: a name or a folder
  TrainOptions options;
  std::string job;         // of scale, set and attach: its name, or the pid of its launcher
  ControlRequest request;  // of scale and set
};

// Reads the line of the feral command. Prints help to stdout, errors to stderr in one line (exit code 2).
CommandLine parse_feral_line(int argc, char** argv);

// Reads the line of a user's program, whose job sets the defaults.
CommandLine parse_program_line(int argc, char** argv, const Job& job);

}  // namespace feral
