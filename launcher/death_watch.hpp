// Watches over the running children: finds those that hang, has their stacks told and kills them, and gathers what
// is known of every child that died.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "launcher/child_process.hpp"
#include "launcher/hang_watch.hpp"
#include "launcher/post_mortem.hpp"
#include "workers/job_arena.hpp"

namespace feral {

class DeathWatch {
 public:
  using Clock = std::chrono::steady_clock;
  // How long one that hangs has to tell its stack before it is killed.
  static constexpr std::chrono::milliseconds time_to_answer{1000};

  // `print` shows a line to people.
  DeathWatch(std::chrono::duration<double> hang_timeout, std::function<void(const std::string&)> print);

  // To be called about ten times a second with all living children but the reserver; there is no arena while the
  // evaluator builds.
  void look(std::span<ChildProcess* const> children, JobArena* arena);

  // A child has told where it stands.
  void on_stack(ChildProcess& child, const StackReport& report);

  // A child died that should not have, or was killed because it hung: keeps what there is to know. Before its slots
  // and heartbeat are taken away.
  const Casualty& examine(ChildProcess& child, const ExitStatus& status, JobArena* arena);

  std::string post_mortem() const { return post_mortem_.text(); }

 private:
  // What is known of a child before it is dead.
  struct Evidence {
    std::optional<Hang> hang;
    Clock::time_point noticed;
    std::string state;
    std::vector<std::string> stack;
  };
  void begin_end_of(ChildProcess& child, const Hang& hang, JobArena* arena);
  Casualty describe(ChildProcess& child, JobArena* arena) const;

  HangWatch hang_watch_;
  std::function<void(const std::string&)> print_;
  Clock::time_point started_ = Clock::now();
  std::uint64_t oom_kills_;
  std::map<pid_t, Evidence> evidence_;
  Casualty last_;
  PostMortem post_mortem_;
};

}  // namespace feral
