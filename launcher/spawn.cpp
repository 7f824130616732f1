#include "launcher/spawn.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

#include "core/fail.hpp"

extern char** environ;

namespace feral {
namespace {

constexpr std::string_view blas_prefix = "OPENBLAS_";
constexpr int first_free_descriptor = 10;  // above those that children are handed

// A copy out of the range that dup2 writes to, close-on-exec.
shm::Fd copy_above(int descriptor) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, first_free_descriptor);
  if (copy < 0) fail_errno("launcher: no file descriptor left (raise ulimit -n)");
  return shm::Fd(copy);
}

struct FdPair {
  shm::Fd ours;
  shm::Fd theirs;
};

FdPair make_socket() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    fail_errno("launcher: cannot make a socket for a child");
  }
  const shm::Fd ours(ends[0]);
  const shm::Fd theirs(ends[1]);
  return {copy_above(ends[0]), copy_above(ends[1])};
}

FdPair make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail_errno("launcher: cannot make a pipe for a child");
  const shm::Fd ours(ends[0]);
  const shm::Fd theirs(ends[1]);
  return {copy_above(ends[0]), copy_above(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// posix_spawn's settings, freed on the way out.
struct SpawnSettings {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

std::vector<std::string> child_environment(bool keep_blas_env) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!keep_blas_env && std::string_view(*entry).starts_with(blas_prefix)) continue;
    result.emplace_back(*entry);
  }
  if (!keep_blas_env) result.emplace_back("OPENBLAS_NUM_THREADS=1");
  return result;
}

std::vector<std::string> dropped_blas_settings(bool keep_blas_env) {
  std::vector<std::string> result;
  if (keep_blas_env) return result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view setting = *entry;
    if (setting.starts_with(blas_prefix) && setting != "OPENBLAS_NUM_THREADS=1") result.emplace_back(setting);
  }
  return result;
}

SpawnedChild spawn_child(const ChildIdentity& identity, int arena_memfd, const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment) {
  FdPair socket = make_socket();
  FdPair pipe = make_pipe();
  const shm::Fd arena = copy_above(arena_memfd);  // a launcher that was started without stdin may have it as 0

  SpawnSettings settings;
  ::posix_spawn_file_actions_addopen(&settings.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&settings.files, pipe.theirs.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&settings.files, pipe.theirs.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&settings.files, socket.theirs.get(), control_descriptor);
  ::posix_spawn_file_actions_adddup2(&settings.files, arena.get(), arena_descriptor);
  ::posix_spawn_file_actions_addclosefrom_np(&settings.files, arena_descriptor + 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&settings.attributes, &none);
  ::posix_spawnattr_setsigdefault(&settings.attributes, &all);
  ::posix_spawnattr_setpgroup(&settings.attributes, 0);
  ::posix_spawnattr_setflags(&settings.attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> child_arguments = arguments;
  if (child_arguments.empty()) child_arguments.emplace_back();
  child_arguments[0] = fmt::format("feral-{}-{}", name_of(identity.role), identity.owner.index);
  std::vector<std::string> child_variables = environment;
  child_variables.push_back(fmt::format("{}={}", role_variable, encode(identity)));

  SpawnedChild child;
  const int code = ::posix_spawn(&child.pid, "/proc/self/exe", &settings.files, &settings.attributes,
                                 pointers(child_arguments).data(), pointers(child_variables).data());
  if (code != 0) {
    fail("launcher: cannot start {}: {}", describe(identity.role, identity.owner.index), system_message(code));
  }
  child.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.pidfd) {
    const int reason = errno;
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    fail("launcher: pidfd_open: {} ({})", system_message(reason),
         reason == ENOSYS ? "Linux 5.3 or newer is needed" : "raise ulimit -n");
  }
  child.control = std::move(socket.ours);
  child.output = std::move(pipe.ours);
  return child;
}

}  // namespace feral
