// Running a real program: arguments, environment, captured output, signals, a deadline.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "shm/fd.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/processes.hpp"

namespace feral::support {

struct ProgramSettings {
  std::map<std::string, std::string> environment = {};  // added to this process's
  std::filesystem::path cgroup = {};                    // joined before the program starts; empty: none
  bool standard_descriptors_closed = false;             // the program starts without 0, 1 and 2
};

// How a program ended.
struct Ending {
  int code = -1;   // of one that exited
  int signal = 0;  // that killed it
};

// A started program. Its output goes to memory files, so that it never waits for a reader. Whoever is left of it
// and its children is killed at the end.
class Program {
 public:
  Program(const std::filesystem::path& file, std::vector<std::string> arguments,
          const ProgramSettings& settings = {})
      : setting_("FERAL_TEST_PROGRAM=" + std::to_string(::getpid()) + "." + std::to_string(next_number()++)),
        output_(memory_file()),
        errors_(memory_file()) {
    arguments.insert(arguments.begin(), file.string());
    std::vector<std::string> environment = {setting_};
    for (const auto& [name, value] : settings.environment) environment.push_back(name + "=" + value);
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string name = std::string(*entry).substr(0, std::string(*entry).find('='));
      if (!settings.environment.contains(name)) environment.emplace_back(*entry);
    }
    const std::vector<char*> argv = pointers(arguments);
    const std::vector<char*> envp = pointers(environment);
    const std::string procs = settings.cgroup.empty() ? "" : (settings.cgroup / "cgroup.procs").string();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) run(argv, envp, procs, settings.standard_descriptors_closed);
    pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) throw std::runtime_error("pidfd_open failed");
  }

  ~Program() {
    for (const ProcessInfo& process : processes()) ::kill(process.pid, SIGKILL);
    if (!ending_) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  // How the program ended; nothing when it still runs after `limit`.
  std::optional<Ending> wait(std::chrono::milliseconds limit = patience) {
    if (ending_) return ending_;
    pollfd end{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&end, 1, static_cast<int>(limit.count())) != 1) return std::nullopt;
    int word = 0;
    ::waitpid(pid_, &word, 0);
    ending_ =
        Ending{.code = WIFEXITED(word) ? WEXITSTATUS(word) : -1, .signal = WIFSIGNALED(word) ? WTERMSIG(word) : 0};
    return ending_;
  }

  // The exit code; -1 when a signal killed it, -2 when it does not end.
  int exit_code(std::chrono::milliseconds limit = patience) {
    const std::optional<Ending> ending = wait(limit);
    return ending ? ending->code : -2;
  }

  // What was written so far.
  std::string output() const { return text(output_); }
  std::string errors() const { return text(errors_); }

  // The program, while it lives, and all that it started.
  std::vector<ProcessInfo> processes() const { return processes_with(setting_); }

  // The living process of that name, -1 when there is none.
  pid_t find(const std::string& name) const {
    for (const ProcessInfo& process : processes()) {
      if (process.name == name) return process.pid;
    }
    return -1;
  }
  // Waits until there is one.
  pid_t wait_for(const std::string& name) const {
    pid_t found = -1;
    eventually([&] { return (found = find(name)) > 0; });
    return found;
  }
  bool gone(std::chrono::milliseconds limit) const {
    return eventually([&] { return processes().empty(); }, limit);
  }

 private:
  static int& next_number() {
    static int number = 0;
    return number;
  }

  static shm::Fd memory_file() {
    const int descriptor = ::memfd_create("output", MFD_CLOEXEC);
    if (descriptor < 0 || ::fcntl(descriptor, F_SETFL, O_APPEND) != 0)
      throw std::runtime_error("memfd_create failed");
    return shm::Fd(descriptor);
  }

  static std::string text(const shm::Fd& file) {
    std::string all;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = ::pread(file.get(), buffer, sizeof buffer, static_cast<off_t>(all.size()))) > 0) {
      all.append(buffer, static_cast<std::size_t>(count));
    }
    return all;
  }

  static std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (std::string& one : strings) result.push_back(one.data());
    result.push_back(nullptr);
    return result;
  }

  // In the child: nothing but system calls until the program starts.
  [[noreturn]] void run(const std::vector<char*>& argv, const std::vector<char*>& envp, const std::string& procs,
                        bool closed) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is given up leaves nothing behind
    if (!procs.empty()) {
      const int group = ::open(procs.c_str(), O_WRONLY | O_CLOEXEC);
      if (group < 0 || ::write(group, "0", 1) != 1) ::_exit(126);
    }
    ::dup2(output_.get(), STDOUT_FILENO);
    ::dup2(errors_.get(), STDERR_FILENO);
    if (closed) {
      for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(standard);
    }
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }

  std::string setting_;
  shm::Fd output_;
  shm::Fd errors_;
  pid_t pid_ = -1;
  shm::Fd pidfd_;
  std::optional<Ending> ending_;
};

}  // namespace feral::support
