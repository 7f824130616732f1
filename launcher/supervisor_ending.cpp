// How the launcher ends others: those that hang, and all of them when the job stops.
#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include "launcher/supervisor.hpp"

namespace feral {
namespace {

constexpr std::chrono::milliseconds look_interval{100};

}  // namespace

void Supervisor::watch_children() {
  watch_tick_.expires_after(look_interval);
  watch_tick_.async_wait([this](boost::system::error_code error) {
    if (error || stopping_) return;  // who does not leave within the grace is killed whatever it does
    std::vector<ChildProcess*> children;
    for (const auto& [key, member] : members_) {
      if (member.process && key.first != Role::reserver) children.push_back(member.process.get());
    }
    death_watch_.look(children, arena_ ? &*arena_ : nullptr);
    watch_children();
  });
}

// The order of a stop: workers and loaders leave after their batch and the evaluator after its own; once no worker
// is left, `training_over` says so. Whoever is there when the grace is over is killed.
void Supervisor::stop_children() {
  stopping_ = true;
  if (arena_) {
    arena_->request_stop(StopReason::requested);
    for (const auto& [key, member] : members_) {
      if (member.process) member.process->wake();
    }
    kill_timer_.expires_after(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(options_.grace)));
    kill_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) kill_children();
    });
  } else {
    kill_children();  // before training there is nothing to finish
  }
  check_finished();
}

void Supervisor::kill_children() {
  for (const auto& [key, member] : members_) {
    if (member.process) member.process->kill();
  }
}

}  // namespace feral
