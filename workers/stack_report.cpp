#include "workers/stack_report.hpp"

#include <execinfo.h>
#include <link.h>
#include <sys/socket.h>
#include <ucontext.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/fail.hpp"
#include "core/symbols.hpp"
#include "workers/child.hpp"

namespace feral {
namespace {

constexpr char packet_magic[8] = {'\0', 'f', 'r', 'l', 's', 't', 'k', '1'};  // no JSON begins so
constexpr std::size_t most_frames = 64;
constexpr std::size_t most_modules = 48;
constexpr std::uint32_t no_module = 0xffff'ffff;

// Sent as it lies in memory: both ends are the same program.
struct Packet {
  char magic[8];
  std::int32_t signal;
  std::uint32_t frame_count;
  std::uint32_t module_count;
  std::uint32_t unused;
  struct {
    std::uint64_t offset;
    std::uint32_t module;
    std::uint32_t unused;
  } frames[most_frames];
  char paths[most_modules][120];  // the ends of longer ones
};

struct Module {
  std::uintptr_t base = 0;  // what its offsets count from
  std::uintptr_t first = 0;
  std::uintptr_t end = 0;
  char path[sizeof Packet::paths[0]] = {};
};

struct Modules {
  std::size_t count = 0;
  Module list[most_modules];
};

// All that the handlers use, made before they are installed.
Packet packet;
Modules modules;
std::atomic_flag reporting = ATOMIC_FLAG_INIT;
alignas(16) char other_stack[64 * 1024];  // for a stack that has overflowed

int add_module(dl_phdr_info* info, std::size_t, void* into) {
  auto& list = *static_cast<Modules*>(into);
  if (list.count == most_modules) return 1;
  Module& module = list.list[list.count++];
  module.base = info->dlpi_addr;
  module.first = UINTPTR_MAX;
  module.end = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
    const std::uintptr_t first = module.base + info->dlpi_phdr[i].p_vaddr;
    module.first = std::min(module.first, first);
    module.end = std::max(module.end, first + info->dlpi_phdr[i].p_memsz);
  }
  const std::size_t length = std::strlen(info->dlpi_name);
  const std::size_t kept = std::min(length, sizeof module.path - 1);
  std::memcpy(module.path, info->dlpi_name + (length - kept), kept);
  module.path[kept] = '\0';
  return 0;
}

void* interrupted_at(void* context) noexcept {
#if defined(__x86_64__)
  return reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.pc);
#else
  static_cast<void>(context);
  return nullptr;
#endif
}

void send_stack(int signal, void* context) noexcept {
  if (reporting.test_and_set()) return;  // another thread is at it
  const int error = errno;
  void* addresses[most_frames];
  const int found = ::backtrace(addresses, most_frames);
  // The handler's own frames come first; the place that was interrupted is known.
  int first = 0;
  while (first < found && addresses[first] != interrupted_at(context)) ++first;
  if (first == found) first = 0;
  packet.signal = signal;
  packet.frame_count = static_cast<std::uint32_t>(found - first);
  for (std::uint32_t i = 0; i < packet.frame_count; ++i) {
    const auto address = reinterpret_cast<std::uintptr_t>(addresses[static_cast<std::uint32_t>(first) + i]);
    packet.frames[i].offset = address;
    packet.frames[i].module = no_module;
    for (std::uint32_t m = 0; m < modules.count; ++m) {
      if (address < modules.list[m].first || address >= modules.list[m].end) continue;
      packet.frames[i].offset = address - modules.list[m].base;
      packet.frames[i].module = m;
      break;
    }
  }
  ::send(control_descriptor, &packet, sizeof packet, MSG_NOSIGNAL | MSG_DONTWAIT);
  errno = error;
  reporting.clear();
}

void on_stack_signal(int signal, siginfo_t*, void* context) { send_stack(signal, context); }

void on_crash(int signal, siginfo_t*, void* context) {
  send_stack(signal, context);
  ::raise(signal);  // pending until this handler returns; then it ends the process, as it was to
}

}  // namespace

int stack_signal() noexcept { return SIGRTMIN; }

void install_stack_reports() noexcept {
  std::memcpy(packet.magic, packet_magic, sizeof packet_magic);
  ::dl_iterate_phdr(add_module, &modules);
  packet.module_count = static_cast<std::uint32_t>(modules.count);
  for (std::size_t i = 0; i < modules.count; ++i) {
    std::memcpy(packet.paths[i], modules.list[i].path, sizeof packet.paths[i]);
  }
  void* warm_up[4];
  ::backtrace(warm_up, 4);  // its first call loads a library, which no handler may do

  stack_t stack{};
  stack.ss_sp = other_stack;
  stack.ss_size = sizeof other_stack;
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  ::sigemptyset(&action.sa_mask);
  action.sa_sigaction = on_stack_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  ::sigaction(stack_signal(), &action, nullptr);
  action.sa_sigaction = on_crash;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigaction(signal, &action, nullptr);
}

void block_stack_signal() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, stack_signal());
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::optional<StackReport> decode_stack_report(std::string_view text) {
  if (text.substr(0, sizeof packet_magic) != std::string_view(packet_magic, sizeof packet_magic)) return {};
  Packet told;
  if (text.size() != sizeof told) fail("message: a stack of {} bytes, expected {}", text.size(), sizeof told);
  std::memcpy(&told, text.data(), sizeof told);
  if (told.frame_count > most_frames || told.module_count > most_modules) {
    fail("message: a stack of {} frames in {} modules", told.frame_count, told.module_count);
  }
  StackReport report{.signal = told.signal, .frames = {}};
  for (std::uint32_t i = 0; i < told.frame_count; ++i) {
    const auto& frame = told.frames[i];
    if (frame.module >= told.module_count) {
      report.frames.push_back({.module = {}, .offset = frame.offset, .known = false});
      continue;
    }
    const char* path = told.paths[frame.module];
    report.frames.push_back(
        {.module = std::string(path, ::strnlen(path, sizeof told.paths[0])), .offset = frame.offset});
  }
  return report;
}

std::string describe(const StackFrame& frame, bool return_address) {
  if (!frame.known) return fmt::format("{:#x}", frame.offset);
  Modules own;
  ::dl_iterate_phdr(add_module, &own);
  for (std::size_t i = 0; i < own.count; ++i) {
    if (frame.module != own.list[i].path) continue;
    const std::uintptr_t address = own.list[i].base + frame.offset;
    if (address < own.list[i].first || address >= own.list[i].end) break;  // not as long as the child's
    const Symbol symbol = symbol_at(reinterpret_cast<void*>(address - (return_address ? 1 : 0)));
    if (!symbol.function.empty()) return symbol.to_string();
  }
  const std::string name = frame.module.empty() ? "the program" : frame.module.substr(frame.module.rfind('/') + 1);
  return fmt::format("{}+{:#x}", name, frame.offset);
}

}  // namespace feral
