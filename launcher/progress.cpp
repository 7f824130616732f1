#include "launcher/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace feral {
namespace {

constexpr std::chrono::milliseconds terminal_interval{100};
constexpr std::chrono::seconds plain_interval{3};

std::string minutes(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  const auto whole = static_cast<long long>(seconds + 0.5);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

int terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

void write_out(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

std::string with_thousands(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string to_line(const ProgressState& state) {
  if (state.paused) {
    return fmt::format("epoch {}/{}  step {}/{}  paused", state.epoch, state.epochs, with_thousands(state.steps),
                       with_thousands(state.total_steps));
  }
  return fmt::format("epoch {}/{}  step {}/{}  {} samples/s  loss {:.4f}  {} left", state.epoch, state.epochs,
                     with_thousands(state.steps), with_thousands(state.total_steps),
                     with_thousands(static_cast<std::uint64_t>(state.samples_per_second)), state.loss,
                     minutes(state.seconds_left));
}

Progress::Progress()
    : terminal_(::isatty(STDOUT_FILENO) == 1), next_(std::chrono::steady_clock::now() + terminal_interval) {}

void Progress::update(const ProgressState& state) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? std::chrono::steady_clock::duration(terminal_interval) : plain_interval);
  std::string line = to_line(state);
  if (!terminal_) {
    write_out(line + "\n");
    return;
  }
  // One row at most, or clearing the line would leave its beginning behind.
  line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(terminal_width() - 1, 1))));
  write_out("\r\x1b[K" + line);
  live_line_ = true;
}

void Progress::print(const std::string& line) {
  clear();
  write_out(line + "\n");
}

void Progress::clear() {
  if (live_line_) write_out("\r\x1b[K");
  live_line_ = false;
}

}  // namespace feral
