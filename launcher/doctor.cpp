#include "launcher/doctor.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/fail.hpp"
#include "data/fashion_mnist.hpp"
#include "launcher/cores.hpp"
#include "launcher/limits.hpp"
#include "launcher/spawn.hpp"
#include "shm/memfd.hpp"
#include "shm/memory_budget.hpp"
#include "tensor/allocator.hpp"
#include "tensor/cpu/info.hpp"
#include "tensor/tensor.hpp"

namespace feral {
namespace {

void line(const char* topic, const std::string& text) { fmt::print("{:<10} {}\n", topic, text); }

void warn(const std::string& text) { fmt::print("{:<10} warning: {}\n", "", text); }

bool check_kernel() {
  utsname names{};
  ::uname(&names);
  line("system", fmt::format("{} {} on {}", names.sysname, names.release, names.machine));
  const shm::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!pidfd) {
    warn("no pidfd_open: a job cannot watch its processes; Linux 5.3 or newer is needed");
    return false;
  }
  return true;
}

bool check_shared_memory() {
  constexpr std::size_t trial_bytes = 1 << 20;
  try {
    const shm::Fd memfd = shm::create_memfd("feral-doctor");
    shm::set_size_and_seal(memfd.get(), trial_bytes);
    shm::reserve_pages(memfd.get(), trial_bytes);
    line("arena", "memfd with sealed size works; nothing is left in /dev/shm");
    return true;
  } catch (const Error& error) {
    line("arena", "does not work");
    warn(error.what());
    return false;
  }
}

void check_memory() {
  const shm::MemoryBudget budget = shm::memory_budget();
  line("memory",
       fmt::format("{} for a job (limited by {})", human_bytes(budget.available_bytes), budget.limited_by));
}

void check_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t children = limit.rlim_cur > descriptors_of_launcher
                                     ? (limit.rlim_cur - descriptors_of_launcher) / descriptors_per_child
                                     : 0;
  line("files", fmt::format("{} descriptors: enough for about {} processes", limit.rlim_cur, children));
  if (children < 8) warn("raise it: ulimit -n 1024");
}

// OpenBLAS reads its settings when it is loaded: to see what a job's processes get, this one starts again with
// their environment, and carries along what was dropped.
constexpr const char* dropped_variable = "FERAL_DOCTOR_DROPPED";

void start_again_as_children_are() {
  if (std::getenv(dropped_variable) != nullptr) return;
  std::vector<std::string> environment = child_environment(false);
  environment.push_back(fmt::format("{}={}", dropped_variable, fmt::join(dropped_blas_settings(false), " ")));
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  char* const arguments[] = {const_cast<char*>("feral"), const_cast<char*>("doctor"), nullptr};
  ::execve("/proc/self/exe", arguments, variables.data());
}

void check_kernels() {
  line("kernels", cpu::describe_kernels());
  const char* dropped = std::getenv(dropped_variable);
  if (dropped != nullptr && *dropped != 0) {
    warn(fmt::format("set here, and not handed on to a job's processes unless --keep-blas-env: {}", dropped));
    warn("unset them for other programs, too: OPENBLAS_CORETYPE=Haswell halves OpenBLAS on a CPU with AVX-512");
  }
}

// A loop over fixed shapes must be served by the allocator's free lists alone.
bool check_allocator() {
  const Tensor x = Tensor::ones({64, 64});
  const auto turn = [&] { (void)(x * 2 + x).sum(); };
  turn();
  const AllocatorStatistics before = allocator_statistics();
  for (int i = 0; i < 100; ++i) turn();
  const AllocatorStatistics after = allocator_statistics();
  const std::uint64_t heap = after.heap_allocations - before.heap_allocations;
  line("allocator",
       fmt::format("{} blocks for 100 turns of a loop, {} of them from the heap; {} in use, {} kept",
                   after.requests - before.requests, heap,
                   human_bytes(static_cast<std::uint64_t>(after.live_bytes)), human_bytes(after.cached_bytes)));
  if (heap != 0) warn("a loop over fixed shapes should need none");
  return heap == 0;
}

void check_data() {
  const std::filesystem::path folder = data::fashion_mnist_folder();
  if (std::filesystem::is_directory(folder)) {
    line("data", fmt::format("fashion-mnist in {}, digits", folder.string()));
  } else {
    line("data", "digits; for fashion-mnist: apt-get install dataset-fashion-mnist");
  }
}

}  // namespace

int run_doctor() {
  start_again_as_children_are();
  line("feral", FERAL_VERSION);
  bool able = check_kernel();
  const std::vector<int> cores = available_cores();
  line("cores", fmt::format("{} ({})", cores.size(), cpu_name()));
  check_memory();
  able = check_shared_memory() && able;
  check_descriptors();
  check_kernels();
  able = check_allocator() && able;
  check_data();
  line("gpu", "not used by this version");
  return able ? 0 : 1;
}

}  // namespace feral
