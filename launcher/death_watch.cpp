#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include "launcher/death_watch.hpp"

#include <algorithm>
#include <csignal>

#include "core/fail.hpp"
#include "launcher/process_state.hpp"
#include "shm/memory_budget.hpp"
#include "workers/watched.hpp"

namespace feral {
namespace {

// Of the innermost frames of a stack, for the eyes of people.
constexpr std::size_t frames_shown = 24;

double seconds_of(std::chrono::steady_clock::duration time) { return std::chrono::duration<double>(time).count(); }

std::string words_for(const Hang& hang) {
  return fmt::format("hung: no progress for {:.1f} s{}", seconds_of(hang.silence),
                     hang.starting ? " since it was started" : "");
}

// Whether it may be that this worker waits for another one that holds a stripe. Stripes are taken in ascending
// order: only who holds the last one that is held waits for nobody.
bool waits_for_stripe(const ChildIdentity& identity, JobArena& arena) {
  if (identity.role != Role::worker) return false;
  std::optional<shm::Owner> foremost;
  for (const shm::OwnerLock& stripe : arena.stripes()) {
    if (const std::optional<shm::Owner> holder = stripe.holder()) foremost = holder;
  }
  return foremost && *foremost != identity.owner;
}

ProcessBeats beats_of(const ChildProcess& child, JobArena* arena) {
  ProcessBeats beats{.pid = child.pid()};
  if (arena == nullptr) return beats;
  const ChildIdentity& identity = child.identity();
  const Heartbeat& heartbeat = watched(*arena, identity.role, identity.owner.index).heartbeat;
  beats.beats = heartbeat.beats.load(std::memory_order_relaxed);
  beats.waiting = heartbeat.waiting.load(std::memory_order_relaxed) != 0 || waits_for_stripe(identity, *arena);
  if (beats.waiting) beats.stopped = is_stopped(child.pid());
  return beats;
}

}  // namespace

DeathWatch::DeathWatch(std::chrono::duration<double> hang_timeout, std::function<void(const std::string&)> print)
    : hang_watch_(std::chrono::duration_cast<HangWatch::Clock::duration>(hang_timeout)),
      print_(std::move(print)),
      oom_kills_(shm::oom_kills()) {}

void DeathWatch::look(std::span<ChildProcess* const> children, JobArena* arena) {
  const Clock::time_point now = Clock::now();
  std::vector<ProcessBeats> beats;
  for (const ChildProcess* child : children) beats.push_back(beats_of(*child, arena));
  if (const std::optional<Hang> hang = hang_watch_.look(beats, now)) {
    begin_end_of(**std::ranges::find(children, hang->pid, &ChildProcess::pid), *hang, arena);
  }
  for (ChildProcess* child : children) {
    const auto known = evidence_.find(child->pid());
    if (known == evidence_.end() || !known->second.hang) continue;
    if (now - known->second.noticed >= time_to_answer) child->kill();
  }
}

void DeathWatch::begin_end_of(ChildProcess& child, const Hang& hang, JobArena* arena) {
  Evidence& evidence = evidence_[child.pid()];
  evidence.hang = hang;
  evidence.noticed = Clock::now();
  const ProcessState state = process_state(child.pid());
  Casualty casualty = describe(child, arena);
  casualty.how = words_for(hang);
  print_(fmt::format("{}; it is {}; ending it (--hang-timeout)", casualty.line(), state.to_string()));
  if (state.can_answer()) {
    child.ask_for_stack();
  } else {
    evidence.state = state.to_string();
    child.kill();
  }
}

void DeathWatch::on_stack(ChildProcess& child, const StackReport& report) {
  Evidence& evidence = evidence_[child.pid()];
  if (evidence.hang) child.kill();
  evidence.stack.clear();
  for (std::size_t i = 0; i < std::min(report.frames.size(), frames_shown); ++i) {
    evidence.stack.push_back(feral::describe(report.frames[i], i > 0));
    if (evidence.stack.back() == "main" || evidence.stack.back().starts_with("main (")) break;
  }
}

Casualty DeathWatch::describe(ChildProcess& child, JobArena* arena) const {
  Casualty casualty;
  casualty.who = child.description();
  casualty.pid = child.pid();
  casualty.seconds = seconds_of(Clock::now() - started_);
  if (arena == nullptr) return casualty;
  const ChildIdentity& identity = child.identity();
  const Watched seen = watched(*arena, identity.role, identity.owner.index);
  if (const std::uint64_t batch = seen.heartbeat.batch.load(std::memory_order_relaxed); batch != 0) {
    casualty.batch = fmt::format("{} {}", identity.role == Role::evaluator ? "test batch" : "batch", batch - 1);
  }
  casualty.last_op = seen.last_op.read();
  return casualty;
}

const Casualty& DeathWatch::examine(ChildProcess& child, const ExitStatus& status, JobArena* arena) {
  last_ = describe(child, arena);
  last_.how = status.to_string();
  if (const auto known = evidence_.find(child.pid()); known != evidence_.end()) {
    Evidence& evidence = known->second;
    if (evidence.hang && status.signal == SIGKILL) {
      last_.how = words_for(*evidence.hang);
      last_.seconds = seconds_of(evidence.noticed - started_);
    }
    last_.state = std::move(evidence.state);
    last_.stack = std::move(evidence.stack);
    evidence_.erase(known);
  }
  if (status.signal == SIGKILL) {
    const std::uint64_t count = shm::oom_kills();
    last_.oom_kills = count > oom_kills_ ? count - oom_kills_ : 0;
    oom_kills_ = count;
  }
  last_.output = child.last_lines();
  post_mortem_.add(last_);
  return last_;
}

}  // namespace feral
