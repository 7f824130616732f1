// A process forked from a test, for code that is to be run, or killed, in another process. Only in tests without
// threads.
#pragma once

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <utility>

#include "shm/fd.hpp"
#include "tests/support/eventually.hpp"

namespace feral::support {

class Forked {
 public:
  // Runs `action` in a child; its result is the exit code. An exception is code 99.
  template <class Action>
  explicit Forked(Action&& action) : pid_(::fork()) {
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      int code = 99;
      try {
        code = action();
      } catch (...) {
      }
      ::_exit(code);
    }
    pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) throw std::runtime_error("pidfd_open failed");
  }
  Forked(Forked&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}
  Forked& operator=(Forked&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    return *this;
  }
  ~Forked() {
    if (pid_ > 0) kill();
  }

  pid_t pid() const noexcept { return pid_; }

  bool ended(std::chrono::milliseconds limit = std::chrono::milliseconds(0)) const {
    pollfd end{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&end, 1, static_cast<int>(limit.count())) == 1;
  }

  // The exit code; -1 when a signal ended it, -2 when it has not ended within `limit` (it is killed then).
  int wait(std::chrono::milliseconds limit = patience) {
    if (!ended(limit)) {
      kill();
      return -2;
    }
    int word = 0;
    ::waitpid(std::exchange(pid_, -1), &word, 0);
    return WIFEXITED(word) ? WEXITSTATUS(word) : -1;
  }

  // SIGKILL, and gone on return.
  void kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  shm::Fd pidfd_;
};

}  // namespace feral::support
