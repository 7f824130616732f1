// Timing calls in turn, for the programs of this folder.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace feral::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_of(const std::function<void()>& call, long times) {
  const auto start = Clock::now();
  for (long i = 0; i < times; ++i) call();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Contestant {
  std::string name;
  std::function<void()> call;
  long times = 1;
  std::vector<double> nanoseconds = {};
};

inline constexpr int samples = 15;
inline constexpr double sample_seconds = 0.004;

// Times contestants in turn, so that a change of the machine's speed hits all, and prints a line of JSON for each.
inline void measure(std::vector<Contestant> contestants) {
  for (Contestant& c : contestants) {
    c.call();
    double once = seconds_of(c.call, 1);
    if (once < 1e-4) once = seconds_of(c.call, 100) / 100;
    c.times = std::max(1L, static_cast<long>(sample_seconds / once));
    seconds_of(c.call, c.times);
  }
  for (int i = 0; i < samples; ++i) {
    for (Contestant& c : contestants) {
      c.nanoseconds.push_back(seconds_of(c.call, c.times) / static_cast<double>(c.times) * 1e9);
    }
  }
  for (Contestant& c : contestants) {
    std::sort(c.nanoseconds.begin(), c.nanoseconds.end());
    std::printf("{\"case\": \"%s\", \"ns\": %.1f, \"low\": %.1f, \"high\": %.1f}\n", c.name.c_str(),
                c.nanoseconds[samples / 2], c.nanoseconds.front(), c.nanoseconds.back());
  }
  std::fflush(stdout);
}

// A case is built when its turn comes, so that only its tensors exist.
struct Case {
  std::string name;
  std::function<std::vector<Contestant>(const std::string& name)> make;
};

}  // namespace feral::bench
