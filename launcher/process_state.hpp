// What the kernel says of a process that cannot speak for itself.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace feral {

struct ProcessState {
  char state = '?';     // as in /proc/PID/stat: R S D T t Z; '?' for a process that is gone
  std::string waiting;  // the kernel's function that it sleeps in; empty where the kernel does not say
  long system_call = -1;

  bool stopped() const noexcept { return state == 'T' || state == 't'; }
  // Whether a signal's handler has a chance to run now.
  bool can_answer() const noexcept { return state == 'R' || state == 'S'; }
  // "stopped (state T, in do_signal_stop, system call 202)"
  std::string to_string() const;
};

// Whether the process is stopped (by SIGSTOP, by a debugger); the cheaper question.
bool is_stopped(pid_t pid);

// `proc` is the kernel's /proc; tests give another.
ProcessState process_state(pid_t pid, const std::filesystem::path& proc = "/proc");

}  // namespace feral
