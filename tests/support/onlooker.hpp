// Looks into the arena of a running job from outside: how far it is, how long it stood still, and how soon a worker
// that was killed trains again.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/program.hpp"
#include "workers/job_arena.hpp"

namespace feral::support {

class Onlooker {
 public:
  using Clock = std::chrono::steady_clock;

  // Waits until the job trains.
  explicit Onlooker(const Program& program) {
    const bool found = eventually([&] {
      arena_ = attached(program.pid());
      return arena_ && arena_->ring().done_count() > 0;
    });
    if (!found) throw std::runtime_error("the job does not train: " + program.output() + program.errors());
    last_change_ = Clock::now();
    done_ = arena_->ring().done_count();
  }

  JobArena& arena() { return *arena_; }
  std::uint64_t done() const noexcept { return done_; }

  // To be called every millisecond or so.
  void look() {
    const Clock::time_point now = Clock::now();
    const std::uint64_t done = arena_->ring().done_count();
    if (done_ < arena_->ring().item_count())
      longest_standstill_ = std::max(longest_standstill_, now - last_change_);
    if (done != done_) {
      done_ = done;
      last_change_ = now;
    }
    for (auto at = killed_.begin(); at != killed_.end();) {
      if (steps_of(at->first) == at->second.steps) {
        ++at;
        continue;
      }
      (at->second.settled ? restarts_ : restarts_after_backoff_).push_back(now - at->second.when);
      at = killed_.erase(at);
    }
  }

  // That worker is dead since `when`; `settled`: the launcher replaces it without delay.
  void worker_died(std::size_t index, Clock::time_point when, bool settled) {
    killed_[index] = {when, steps_of(index), settled};
  }

  Clock::duration longest_standstill() const noexcept { return longest_standstill_; }
  // From the kill of a worker to the first batch that its replacement has trained on.
  const std::vector<Clock::duration>& restarts() const noexcept { return restarts_; }
  const std::vector<Clock::duration>& restarts_after_backoff() const noexcept { return restarts_after_backoff_; }

 private:
  struct Death {
    Clock::time_point when;
    std::uint64_t steps = 0;
    bool settled = false;
  };

  std::uint64_t steps_of(std::size_t worker) {
    return arena_->workers()[worker].steps.load(std::memory_order_relaxed);
  }

  static std::unique_ptr<JobArena> attached(pid_t launcher) {
    for (const std::string& descriptor : descriptors_of(launcher)) {
      if (descriptor.find("/memfd:feral-arena") == std::string::npos) continue;
      const std::string path =
          "/proc/" + std::to_string(launcher) + "/fd/" + descriptor.substr(0, descriptor.find(' '));
      const shm::Fd memfd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
      try {
        return std::make_unique<JobArena>(JobArena::attach(memfd.get()));
      } catch (const Error&) {  // not laid down yet
      }
    }
    return nullptr;
  }

  std::unique_ptr<JobArena> arena_;
  std::uint64_t done_ = 0;
  Clock::time_point last_change_;
  Clock::duration longest_standstill_{};
  std::map<std::size_t, Death> killed_;
  std::vector<Clock::duration> restarts_;
  std::vector<Clock::duration> restarts_after_backoff_;
};

}  // namespace feral::support
