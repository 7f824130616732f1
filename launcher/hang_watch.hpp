// Who has stopped making progress: decided from the heartbeats alone.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

namespace feral {

// A process as the launcher sees it at one look.
struct ProcessBeats {
  pid_t pid = -1;
  std::uint64_t beats = 0;  // 0 while it starts up
  // It waits for others, and would beat again soon even if it waits on; silent for long it counts as hung only
  // when it is `stopped`.
  bool waiting = false;
  bool stopped = false;
};

struct Hang {
  pid_t pid = -1;
  std::chrono::steady_clock::duration silence{};
  bool starting = false;  // it has not beaten once
};

// A process hangs when it has not beaten for `timeout`; while it starts up, which takes as long as its model and
// data take to build, for start_factor times as long.
//
// They are told one at a time, the longest silent first: the others may only be waiting for that one, so when it is
// gone they have a part of the timeout to show that they live. Time in which the launcher did not look (it was
// stopped, or everything was frozen) does not count.
class HangWatch {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr int start_factor = 5;
  static constexpr std::chrono::seconds longest_gap{1};  // between two looks, that counts as silence

  // A timeout of 0: nobody ever hangs.
  explicit HangWatch(Clock::duration timeout) noexcept : timeout_(timeout) {}

  // All processes that are to be watched now; others are forgotten. Answers one that hangs, which is not told
  // again.
  std::optional<Hang> look(std::span<const ProcessBeats> processes, Clock::time_point now);

 private:
  struct Record {
    std::uint64_t beats = 0;
    Clock::duration silence{};
    bool told = false;
  };
  Clock::duration limit_of(const Record& record) const noexcept {
    return record.beats == 0 ? start_factor * timeout_ : timeout_;
  }
  void forget_those_gone(std::span<const ProcessBeats> processes);

  Clock::duration timeout_;
  std::optional<Clock::time_point> last_look_;
  std::map<pid_t, Record> records_;
};

}  // namespace feral
