// Log lines: one write(2) a line, so lines of several processes never interleave within a line.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace feral::log {

enum class Level { debug, info, warning, error };

// The lowest level that is written; info unless FERAL_LOG=debug|info|warning|error says otherwise.
Level threshold() noexcept;

// Writes "feral: TEXT\n" (with "warning: " or "error: " before TEXT) to stderr. Any thread, any process.
void write(Level level, std::string_view text) noexcept;

template <class... Arguments>
void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (threshold() > Level::debug) return;
  write(Level::debug, fmt::format(format, std::forward<Arguments>(arguments)...));
}

template <class... Arguments>
void info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (threshold() > Level::info) return;
  write(Level::info, fmt::format(format, std::forward<Arguments>(arguments)...));
}

template <class... Arguments>
void warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (threshold() > Level::warning) return;
  write(Level::warning, fmt::format(format, std::forward<Arguments>(arguments)...));
}

template <class... Arguments>
void error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write(Level::error, fmt::format(format, std::forward<Arguments>(arguments)...));
}

}  // namespace feral::log
