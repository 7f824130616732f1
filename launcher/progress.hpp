// What a run shows: a live line on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace feral {

// "60,000"
std::string with_thousands(std::uint64_t number);

// Where a run stands.
struct ProgressState {
  std::uint64_t epoch = 0;  // from 1
  std::uint64_t epochs = 0;
  std::uint64_t steps = 0;
  std::uint64_t total_steps = 0;
  double samples_per_second = 0;
  double loss = 0;  // mean over the current epoch so far
  double seconds_left = 0;
  bool paused = false;
};

std::string to_line(const ProgressState& state);

// Writes to stdout.
class Progress {
 public:
  Progress();
  // Shows the state when it is time for it: ten times a second on a terminal, every few seconds elsewhere.
  void update(const ProgressState& state);
  // Prints a line of its own, above the live line.
  void print(const std::string& line);
  // Takes the live line away.
  void clear();

 private:
  bool terminal_;
  bool live_line_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace feral
