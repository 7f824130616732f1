#include "launcher/process_state.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>

namespace feral {
namespace {

// Empty when it cannot be read, as when the process ends meanwhile: then reading fails though opening did not.
std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, 4096> buffer;
  in.read(buffer.data(), buffer.size());
  return {buffer.data(), in.bad() ? 0 : static_cast<std::size_t>(in.gcount())};
}

char state_in(const std::filesystem::path& folder) {
  const std::string stat = content_of(folder / "stat");  // PID (NAME) STATE …, and the name may hold anything
  const std::size_t close = stat.rfind(')');
  return close != std::string::npos && close + 2 < stat.size() ? stat[close + 2] : '?';
}

const char* words_for(char state) {
  switch (state) {
    case 'R':
      return "running";
    case 'S':
      return "asleep";
    case 'D':
      return "in an uninterruptible system call";
    case 'T':
      return "stopped";
    case 't':
      return "stopped by a debugger";
    case 'Z':
      return "dead";
    default:
      return "gone";
  }
}

}  // namespace

std::string ProcessState::to_string() const {
  std::string text = fmt::format("{} (state {}", words_for(state), state);
  if (!waiting.empty()) text += fmt::format(", in {}", waiting);
  if (system_call >= 0) text += fmt::format(", system call {}", system_call);
  return text + ")";
}

bool is_stopped(pid_t pid) {
  return ProcessState{.state = state_in(fmt::format("/proc/{}", pid)), .waiting = {}}.stopped();
}

ProcessState process_state(pid_t pid, const std::filesystem::path& proc) {
  const std::filesystem::path folder = proc / std::to_string(pid);
  ProcessState result;
  result.state = state_in(folder);
  result.waiting = content_of(folder / "wchan");
  if (result.waiting == "0") result.waiting.clear();
  std::ifstream call(folder / "syscall");
  if (!(call >> result.system_call)) result.system_call = -1;  // "running", or not ours to see
  return result;
}

}  // namespace feral
