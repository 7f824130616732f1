#include "workers/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sstream>
#include <thread>

#include "core/fail.hpp"
#include "shm/memfd.hpp"
#include "workers/evaluator.hpp"
#include "workers/hogwild_worker.hpp"
#include "workers/job_functions.hpp"
#include "workers/loader.hpp"
#include "workers/messages.hpp"
#include "workers/stack_report.hpp"
#include "workers/watched.hpp"

namespace feral {
namespace {

constexpr int exit_done = 0;
constexpr int exit_error = 2;
constexpr int exit_launcher_gone = 3;

std::optional<ChildIdentity> take_identity() {
  const char* value = std::getenv(role_variable);
  if (value == nullptr) return std::nullopt;
  std::istringstream words(value);
  std::string role;
  ChildIdentity identity;
  words >> role >> identity.owner.index >> identity.owner.generation >> identity.core;
  ::unsetenv(role_variable);
  if (!words) return std::nullopt;
  for (const Role candidate : {Role::reserver, Role::evaluator, Role::worker, Role::loader}) {
    if (name_of(candidate) != role) continue;
    identity.role = candidate;
    // A stopped child must wake up to notice that its launcher is gone.
    ::prctl(PR_SET_PDEATHSIG, SIGCONT);
    install_stack_reports();
    for (const int descriptor : {control_descriptor, arena_descriptor}) {
      ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // what this process starts is no part of the job
    }
    return identity;
  }
  return std::nullopt;
}

// Runs before main().
const std::optional<ChildIdentity> identity_of_process = take_identity();

[[noreturn]] void leave(int code) {
  std::fflush(nullptr);
  std::_Exit(code);  // destructors of a process that ends anyway could only wait for something
}

void name_process(const ChildIdentity& identity) {
  const std::string name = identity.role == Role::evaluator ? "feral-eval"
                           : identity.role == Role::reserver
                               ? "feral-reserve"
                               : fmt::format("feral-{}-{}", name_of(identity.role), identity.owner.index);
  ::prctl(PR_SET_NAME, name.c_str());
}

void pin_to_core(int core) {
  if (core < 0) return;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<unsigned>(core), &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);  // best effort: a core may have been taken away since the plan
}

void send_to_launcher(const ChildMessage& message) {
  const std::string text = encode(message);
  // If the launcher is gone, the watcher ends this process.
  [[maybe_unused]] const ssize_t sent = ::send(control_descriptor, text.data(), text.size(), MSG_NOSIGNAL);
}

void wait_for_go() {
  char answer[sizeof go_message] = {};
  ssize_t received = 0;
  do {
    received = ::recv(control_descriptor, answer, sizeof answer, 0);
  } while (received < 0 && errno == EINTR);
  if (received <= 0) leave(exit_launcher_gone);
}

// The arena, once this process has it. Never given back: the watcher may need it until the last moment.
std::atomic<JobArena*> attached_arena{nullptr};

// A thread that ends the process after `grace` when the launcher's end of the socket closes, whatever the process
// is doing: also building a model, before there is an arena; then at once.
void watch_launcher(std::chrono::duration<double> grace) {
  std::thread([grace] {
    block_stack_signal();
    pollfd socket{.fd = control_descriptor, .events = POLLRDHUP, .revents = 0};  // messages are for others to read
    while (::poll(&socket, 1, -1) < 0 && errno == EINTR) {
    }
    if (JobArena* arena = attached_arena.load(std::memory_order_acquire)) {
      arena->request_stop(StopReason::launcher_gone);
      std::this_thread::sleep_for(grace);
    }
    std::_Exit(exit_launcher_gone);
  }).detach();
}

void reserve_arena() {
  // If memory does not suffice, the kernel is to pick this process.
  if (std::FILE* file = std::fopen("/proc/self/oom_score_adj", "w")) {
    std::fputs("1000", file);
    std::fclose(file);
  }
  shm::reserve_pages(arena_descriptor, shm::sealed_size(arena_descriptor));
}

// How many processes of that role the arena has room for.
std::uint32_t most_of(const JobArena& arena, Role role) {
  if (role == Role::worker) return arena.job().max_workers;
  return role == Role::loader ? arena.job().max_loaders : 1;
}

JobArena& attach(const ChildIdentity& identity) {
  auto* arena = new JobArena(JobArena::attach(arena_descriptor));
  if (const std::uint32_t most = most_of(*arena, identity.role); identity.owner.index >= most) {
    fail("{}: the job has only {}", describe(identity.role, identity.owner.index), most);
  }
  detail::last_op = &watched(*arena, identity.role, identity.owner.index).last_op;
  attached_arena.store(arena, std::memory_order_release);
  return *arena;
}

void play(const ChildIdentity& identity, const Job& job, const TrainOptions& options) {
  switch (identity.role) {
    case Role::reserver:
      reserve_arena();
      return;
    case Role::evaluator: {
      Evaluator evaluator(job, options);
      send_to_launcher(Described{evaluator.describe()});
      evaluator.drop_train_data();
      wait_for_go();
      evaluator.run(attach(identity));
      return;
    }
    case Role::worker: {
      JobArena& arena = attach(identity);
      run_hogwild_worker(job, arena, identity.owner);
      return;
    }
    case Role::loader: {
      JobArena& arena = attach(identity);
      run_loader(*build_train_data(job), arena, identity.owner);
      return;
    }
  }
}

}  // namespace

std::string_view name_of(Role role) noexcept {
  switch (role) {
    case Role::reserver:
      return "reserver";
    case Role::evaluator:
      return "evaluator";
    case Role::worker:
      return "worker";
    case Role::loader:
      return "loader";
  }
  return "?";
}

std::string describe(Role role, int index) {
  if (role == Role::worker || role == Role::loader) return fmt::format("{} {}", name_of(role), index);
  return std::string(name_of(role));
}

std::string encode(const ChildIdentity& identity) {
  return fmt::format("{} {} {} {}", name_of(identity.role), identity.owner.index, identity.owner.generation,
                     identity.core);
}

const std::optional<ChildIdentity>& child_identity() noexcept { return identity_of_process; }

void run_child(const ChildIdentity& identity, const Job& job, const TrainOptions& options) {
  name_process(identity);
  pin_to_core(identity.core);
  watch_launcher(std::chrono::duration<double>(options.grace));
  try {
    play(identity, job, options);
  } catch (const Error& error) {
    send_to_launcher(Failed{error.what()});
    leave(exit_error);
  } catch (const std::bad_alloc&) {
    send_to_launcher(Failed{"out of memory"});
    leave(exit_error);
  } catch (const std::exception& error) {
    send_to_launcher(Failed{fmt::format("unexpected exception: {}", error.what())});
    leave(exit_error);
  }
  leave(exit_done);
}

}  // namespace feral
