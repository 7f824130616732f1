// What a running job is asked through its socket: its state, more or fewer processes, other settings.
#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include <fcntl.h>
#include <unistd.h>

#include "core/fail.hpp"
#include "core/log.hpp"
#include "launcher/supervisor.hpp"

namespace feral {

void Supervisor::open_control() {
  job_name_ = options_.name.empty() ? standard_job_name(model_name_, ::getpid()) : options_.name;
  control_.emplace(context_, job_name_, [this](const ControlRequest& request, pid_t asker) {
    ControlAnswer answer;
    try {
      answer = this->answer(request, asker);
    } catch (const Error& error) {
      answer.error = error.what();
    }
    answer.status = status();
    return answer;
  });
}

JobStatus Supervisor::status() {
  JobStatus status;
  status.name = job_name_;
  status.pid = ::getpid();
  status.model = model_name_;
  status.data = data_name_;
  status.workers = counts_.workers;
  status.loaders = counts_.loaders;
  if (!arena_) return status;
  status.epochs = block_->epochs;
  status.epoch = std::min(block_->plan.epoch_of(arena_->ring().low_water()) + 1, block_->epochs);
  status.steps = arena_->ring().done_count();
  status.total_steps = arena_->ring().item_count();
  status.samples_per_second = recent_rate_;
  status.paused = arena_->steering().paused.load(std::memory_order_relaxed) != 0;
  return status;
}

ControlAnswer Supervisor::answer(const ControlRequest& request, pid_t asker) {
  ControlAnswer answer;
  if (request.kind == ControlRequest::Kind::status) return answer;
  if (!arena_) fail("job {}: it has not begun to train; ask again in a moment", job_name_);
  if (request.kind == ControlRequest::Kind::attach) {
    if (arena_->control().published.load(std::memory_order_acquire) == 0) {
      fail("job {}: it has not begun to train; ask again in a moment", job_name_);
    }
    const std::string path = "/proc/self/fd/" + std::to_string(memfd_.get());
    answer.arena.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!answer.arena) fail_errno("job " + job_name_ + ": cannot open its arena to read");
    return answer;
  }
  if (stopping_ || arena_->stopping() || arena_->ring().all_done()) fail("job {}: it is ending", job_name_);
  answer.said = request.kind == ControlRequest::Kind::scale ? scale(request) : set(request);
  if (answer.said.empty()) {
    answer.said = "nothing changed";
  } else {
    progress_.print(fmt::format("control: {} (asked by pid {})", answer.said, asker));
    changes_.push_back({.seconds = static_cast<double>(monotonic_ns() - started_ns_) * 1e-9, .what = answer.said});
  }
  return answer;
}

std::string Supervisor::scale(const ControlRequest& request) {
  const auto checked = [this](const char* option, std::int64_t wanted, std::uint32_t most) {
    if (wanted < 1 || wanted > most) {
      fail("--{} {}: must be 1 to {}, which job {} was planned for (--max-{})", option, wanted, most, job_name_,
           option);
    }
    return static_cast<int>(wanted);
  };
  const ProcessCounts before = counts_;
  ProcessCounts wanted;
  wanted.workers = checked("workers", request.workers.value_or(before.workers), block_->max_workers);
  wanted.loaders = checked("loaders", request.loaders.value_or(before.loaders), block_->max_loaders);
  if (wanted.workers != before.workers && block_->deterministic != 0) {
    fail("--workers {}: job {} is --deterministic, which fixes its workers", wanted.workers, job_name_);
  }
  if (wanted.workers > 1 && needs_closure_) {
    fail("--workers {}: the line search of this job's optimizer cannot work while others move the parameters",
         wanted.workers);
  }
  check_room_for({.workers = std::max(wanted.workers - before.workers, 0),
                  .loaders = std::max(wanted.loaders - before.loaders, 0)},
                 memory_);
  counts_ = wanted;
  steer_processes();
  try {
    staff(Role::loader, wanted.loaders);
    staff(Role::worker, wanted.workers);
  } catch (const Error& error) {
    // As before, then; whoever was started leaves again, or stays where there were as many.
    counts_ = before;
    steer_processes();
    dismiss_surplus();
    fail("job {}: cannot grow: {}", job_name_, error.what());
  }
  dismiss_surplus();
  const auto change = [](const char* what, int from, int to) {
    return from == to ? std::string() : fmt::format("{} {} -> {}", what, from, to);
  };
  const std::string workers = change("workers", before.workers, wanted.workers);
  const std::string loaders = change("loaders", before.loaders, wanted.loaders);
  return workers + (workers.empty() || loaders.empty() ? "" : ", ") + loaders;
}

// Tells the processes how many are wanted, and gives those that are or stay their cores.
void Supervisor::steer_processes() {
  SteeringBlock& steering = arena_->steering();
  steering.workers_wanted.store(static_cast<std::uint32_t>(counts_.workers), std::memory_order_relaxed);
  steering.loaders_wanted.store(static_cast<std::uint32_t>(counts_.loaders), std::memory_order_relaxed);
  steering.spins.store(spins_of(counts_.workers, counts_.loaders, budget_.count()), std::memory_order_relaxed);
  arena_->notify_all();
  for (auto& [key, member] : members_) {
    const auto& [role, index] = key;
    if (is_surplus(role, index)) {
      member.asked_to_leave = true;
    } else if (member.process && (role == Role::worker || role == Role::loader)) {
      pin_process(member.process->pid(), core_for(role, index, counts_, budget_), budget_);
    }
  }
}

// Nobody waits for those who died, and whom nobody needs any more.
void Supervisor::dismiss_surplus() {
  for (auto& [key, member] : members_) {
    if (member.process || !is_surplus(key.first, key.second)) continue;
    member.restart.reset();
    member.finished = true;
  }
  check_finished();
}

void Supervisor::staff(Role role, int count) {
  for (int index = 0; index < count; ++index) {
    Member& member = members_[{role, index}];
    // One that is about to leave may yet stay; when it does leave, ended_by_scaling() sees that it is wanted.
    if (member.process || (member.restart && !member.finished)) continue;
    member.finished = false;
    member.asked_to_leave = false;
    spawn(role, index, member.generation + 1);
  }
}

bool Supervisor::is_surplus(Role role, int index) const noexcept {
  return (role == Role::worker && index >= counts_.workers) || (role == Role::loader && index >= counts_.loaders);
}

bool Supervisor::ended_by_scaling(const ChildIdentity& identity, const ExitStatus& status) {
  Member& member = members_.at({identity.role, identity.owner.index});
  if (is_surplus(identity.role, identity.owner.index)) {
    give_slots_back(identity);  // it may have been killed on its way out
    member.finished = true;
    return true;
  }
  if (!member.asked_to_leave || !status.clean()) return false;
  // It left as it was asked to, and is wanted again.
  give_slots_back(identity);
  member.asked_to_leave = false;
  try {
    spawn(identity.role, identity.owner.index, identity.owner.generation + 1);
  } catch (const Error& error) {
    abandon(1, error.what());
  }
  return true;
}

std::string Supervisor::set(const ControlRequest& request) {
  if (request.checkpoint && !checkpoints_->on()) {
    fail("checkpoint-now: job {} has no folder for checkpoints (--checkpoint DIR)", job_name_);
  }
  SteeringBlock& steering = arena_->steering();
  std::vector<std::string> changes;
  const auto set_number = [&](const char* what, std::optional<double> asked, std::atomic<double>& word,
                              const char* word_for_unset) {
    if (!asked || word.load(std::memory_order_relaxed) == *asked) return;
    word.store(*asked, std::memory_order_relaxed);
    changes.push_back(*asked == unset ? fmt::format("{} {}", what, word_for_unset)
                                      : fmt::format("{} {}", what, *asked));
  };
  set_number("lr", request.lr, steering.lr, "auto");
  set_number("clip", request.clip, steering.max_norm, "off");
  if (request.paused) {
    const std::uint32_t paused = *request.paused ? 1 : 0;
    if (steering.paused.exchange(paused, std::memory_order_relaxed) != paused) {
      changes.emplace_back(*request.paused ? "paused" : "resumed");
    }
  }
  if (request.checkpoint) {
    arena_->checkpoint().requests.fetch_add(1, std::memory_order_relaxed);
    changes.emplace_back("checkpoint asked for");
  }
  arena_->notify_all();
  return fmt::format("{}", fmt::join(changes, ", "));
}

}  // namespace feral
