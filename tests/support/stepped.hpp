// A forked process that goes on instruction by instruction (ptrace), for tests of what happens when one is stopped
// or killed between any two of them.
#pragma once

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "tests/support/eventually.hpp"
#include "tests/support/processes.hpp"

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define FERAL_TEST_CAN_STEP 1
#endif

namespace feral::support {

#ifdef FERAL_TEST_CAN_STEP

class Stepped {
 public:
  // Stops right before `action`; its result is the exit code.
  template <class Action>
  explicit Stepped(Action&& action) : pid_(::fork()) {
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
      if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(98);
      ::raise(SIGSTOP);
      ::_exit(action());
    }
    int word = 0;
    if (::waitpid(pid_, &word, 0) != pid_ || !WIFSTOPPED(word)) {
      pid_ = -1;
      throw std::runtime_error("ptrace is not allowed");
    }
    ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_EXITKILL);
  }
  Stepped(const Stepped&) = delete;
  Stepped& operator=(const Stepped&) = delete;
  ~Stepped() {
    if (pid_ > 0) kill();
  }

  pid_t pid() const noexcept { return pid_; }

  // Runs one instruction; false when the process stands before a system call or has ended.
  bool step() {
    if (pid_ < 0 || before_system_call()) return false;
    return step_anything();
  }

  // The same through system calls that do not block.
  bool step_anything() {
    int word = 0;
    ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr);
    if (::waitpid(pid_, &word, 0) != pid_ || !WIFSTOPPED(word)) {
      exit_code_ = WIFEXITED(word) ? WEXITSTATUS(word) : -1;
      pid_ = -1;
      return false;
    }
    return true;
  }

  // Lets it run freely.
  void release() const { ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr); }

  // The exit code after release(); -2 when it does not end in time.
  int wait(std::chrono::milliseconds limit = patience) {
    if (pid_ < 0) return exit_code_;
    int word = 0;
    if (!eventually([&] { return ::waitpid(pid_, &word, WNOHANG) == pid_; }, limit)) return -2;
    pid_ = -1;
    return WIFEXITED(word) ? WEXITSTATUS(word) : -1;
  }

  // Whether it has ended or sleeps in a system call, after release().
  bool ended_or_asleep() const {
    const char state = process_info(pid_).state;
    return state == 'S' || state == 'Z';
  }

  void kill() {
    ::kill(pid_, SIGKILL);
    int word = 0;
    while (::waitpid(pid_, &word, 0) == pid_ && !WIFEXITED(word) && !WIFSIGNALED(word)) {
    }
    pid_ = -1;
  }

 private:
  bool before_system_call() const {
    user_regs_struct registers{};
    ::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers);
    const long code = ::ptrace(PTRACE_PEEKTEXT, pid_, registers.rip, nullptr);
    return (code & 0xffff) == 0x050f;
  }

  pid_t pid_;
  int exit_code_ = -1;
};

// Whether this process may trace its children; containers can forbid it.
inline bool stepping_is_allowed() {
  try {
    Stepped probe([] { return 0; });
    return probe.step_anything();
  } catch (const std::runtime_error&) {
    return false;
  }
}

#endif  // FERAL_TEST_CAN_STEP

}  // namespace feral::support
