#include "core/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

namespace feral::log {

Level threshold() noexcept {
  static const Level level = [] {
    const char* value = std::getenv("FERAL_LOG");
    const std::string_view name = value ? value : "";
    if (name == "debug") return Level::debug;
    if (name == "warning") return Level::warning;
    if (name == "error") return Level::error;
    return Level::info;
  }();
  return level;
}

void write(Level level, std::string_view text) noexcept {
  std::string_view prefix = "feral: ";
  if (level == Level::warning) prefix = "feral: warning: ";
  if (level == Level::error) prefix = "feral: error: ";
  std::string line;
  line.reserve(prefix.size() + text.size() + 1);
  line.append(prefix).append(text);
  // Messages quote file names and other programs' words; whatever stands in them, a message is one line.
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  line.push_back('\n');
  // Best effort: there is nowhere to report that stderr is gone.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace feral::log
