#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include "launcher/supervisor.hpp"

#include <algorithm>
#include <csignal>

#include "core/fail.hpp"
#include "core/log.hpp"
#include "launcher/limits.hpp"
#include "shm/memfd.hpp"
#include "shm/memory_budget.hpp"
#include "shm/numa.hpp"
#include "workers/parameter_access.hpp"
#include "workers/watched.hpp"

namespace feral {
namespace {

constexpr std::chrono::milliseconds tick_interval{100};
constexpr std::chrono::milliseconds restart_delay_step{100};
constexpr std::chrono::milliseconds longest_restart_delay{1000};
// A process that lived this long before it died is replaced at once.
constexpr std::chrono::seconds settled{5};

// Whether the signal was ignored when this process began, as nohup and background jobs of scripts have it.
bool is_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Each node's replica in that node's memory. Where the kernel refuses, it lies where the reservation puts it.
void place_replicas(int memfd, const JobBlock& block, const shm::ArenaPlan& plan) {
  const std::vector<shm::NumaNode> nodes = shm::numa_nodes();
  const auto region = std::ranges::find(plan.regions(), "replicas", &shm::Region::name);
  for (std::uint32_t node = 0; node < block.nodes; ++node) {
    const Replicas::Range range =
        Replicas::range_of(node, region->offset_bytes, block.nodes, block.parameter_bytes);
    shm::bind_to_node(memfd, range.offset_bytes, range.size_bytes, nodes[node].number);
  }
}

}  // namespace

Supervisor::Supervisor(std::string model_name, std::string data_name, TrainOptions options,
                       std::vector<std::string> arguments)
    : signals_(context_),
      tick_(context_),
      watch_tick_(context_),
      kill_timer_(context_),
      model_name_(std::move(model_name)),
      data_name_(std::move(data_name)),
      options_(std::move(options)),
      arguments_(std::move(arguments)),
      environment_(child_environment(options_.keep_blas_env)),
      budget_(core_budget()),
      started_ns_(monotonic_ns()),
      death_watch_(std::chrono::duration<double>(options_.hang_timeout),
                   [this](const std::string& line) { progress_.print(line); }) {
  if (options_.replicas && options_.nodes == 0) budget_.cores = by_node_in_turn(budget_.cores, shm::numa_nodes());
}

int Supervisor::run() {
  std::signal(SIGPIPE, SIG_IGN);  // `feral train | head` trains on: nobody reading is no reason to lose a run
  std::signal(SIGCHLD, SIG_DFL);  // an inherited SIG_IGN would hide how children end
  check_options(options_);
  check_report_path(options_.report);
  checkpoints_.emplace(options_);
  if (!options_.name.empty()) check_job_name(options_.name);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(number)) signals_.add(number);
  }
  counts_ = {static_cast<int>(options_.workers), static_cast<int>(options_.loaders)};
  const ProcessLimits most = process_limits(options_, budget_.count());
  allow_descriptors(descriptors_needed(most.workers, most.loaders));
  check_address_space(process_bytes);
  if (!options_.dry_run) open_control();
  memfd_ = shm::create_memfd("feral-arena");
  signals_.async_wait([this](boost::system::error_code error, int number) {
    if (!error) on_signal(number);
  });
  spawn(Role::evaluator, 0, 0);
  watch_children();
  context_.run();
  progress_.clear();
  look_at_meters();

  if (signal_ != 0) {
    progress_.print(stop_summary());
    return 128 + signal_;
  }
  if (error_) {
    if (exit_code_ == 1) std::fputs(death_watch_.post_mortem().c_str(), stderr);
    log::error("{}", *error_);
    return exit_code_;
  }
  if (options_.dry_run) return 0;
  const Report report = make_report();
  show_evaluations();
  print_summary(report);
  if (!options_.report.empty()) {
    write_report(report, options_.report);
    progress_.print(fmt::format("report written to {}", options_.report));
  }
  return 0;
}

void Supervisor::spawn(Role role, int index, int generation) {
  const ChildIdentity identity{.role = role,
                               .owner = {static_cast<std::uint16_t>(index), static_cast<std::uint16_t>(generation)},
                               .core = core_for(role, index, counts_, budget_)};
  auto process = std::make_shared<ChildProcess>(
      context_, identity, spawn_child(identity, memfd_.get(), arguments_, environment_),
      ChildProcess::Handlers{
          .message = [this](ChildProcess& child, ChildMessage message) { on_message(child, std::move(message)); },
          .line =
              [this](ChildProcess& child, const std::string& line) {
                progress_.print(fmt::format("[{}] {}", child.description(), line));
              },
          .ended = [this](ChildProcess& child, const ExitStatus& status) { on_ended(child, status); }});
  if (arena_ && role != Role::reserver) watched(*arena_, role, identity.owner.index).heartbeat.clear();
  Member& member = members_[{role, index}];
  member.process = process;
  member.generation = generation;
  process->start();
}

void Supervisor::on_message(ChildProcess& child, ChildMessage message) {
  if (const auto* failed = std::get_if<Failed>(&message)) {
    const bool speaks_for_user =
        child.identity().role == Role::evaluator || child.identity().role == Role::reserver;
    abandon(2, speaks_for_user ? failed->message : fmt::format("{}: {}", child.description(), failed->message));
    return;
  }
  if (const auto* stack = std::get_if<StackReport>(&message)) {
    death_watch_.on_stack(child, *stack);
    return;
  }
  if (stopping_ || child.identity().role != Role::evaluator) return;
  if (arena_) {
    child.send(go_message);  // a replacement: the arena is there
    return;
  }
  if (block_) return;
  try {
    plan(std::get<Described>(message).description);
  } catch (const Error& error) {
    abandon(2, error.what());
  }
}

void Supervisor::plan(const JobDescription& description) {
  block_ = plan_job(options_, description, budget_.count());
  checkpoints_->check(*block_, model_name_);
  has_test_data_ = description.test_samples > 0;
  needs_closure_ = description.needs_closure || options_.optimizer == optim::Rule::lbfgs;
  const data::BatchLayout layout(description.fields, options_.batch);
  const shm::ArenaPlan arena_plan = plan_arena(*block_, slot_bytes(layout));
  memory_ = memory_plan(options_, description, layout);
  if (options_.dry_run) {
    print_plan(description, arena_plan.total_bytes());
    print_whole_plan(arena_plan);
  }
  shm::check_memory_budget(shm::memory_budget(), arena_plan.total_bytes(), memory_.whole(counts_));
  check_address_space(arena_plan.total_bytes() + std::max(memory_.worker_bytes, memory_.loader_bytes));
  if (options_.dry_run) {
    stop_children();
    return;
  }
  print_plan(description, arena_plan.total_bytes());
  for (const std::string& line : checkpoints_->lines(*block_)) progress_.print(line);
  shm::set_size_and_seal(memfd_.get(), arena_plan.total_bytes());
  if (block_->nodes != 0 && options_.nodes == 0) place_replicas(memfd_.get(), *block_, arena_plan);
  spawn(Role::reserver, 0, 0);
}

void Supervisor::on_reserver_ended(const ExitStatus& status) {
  if (stopping_) return;
  if (!status.clean()) {
    // Once may have been anything; twice is the kernel, short of memory.
    if (++members_.at({Role::reserver, 0}).deaths == 1) {
      members_.at({Role::reserver, 0}).finished = false;
      spawn(Role::reserver, 0, 1);
      return;
    }
    abandon(2, fmt::format(
                   "arena: reserving {} of shared memory failed, {}: probably a memory limit is too low for this "
                   "job; lower --batch or raise the limit",
                   human_bytes(shm::sealed_size(memfd_.get())), status.to_string()));
    return;
  }
  arena_.emplace(JobArena::create(memfd_.get(), *block_));
  batches_redone_ += checkpoints_->restore(*arena_);
  evaluations_shown_ = checkpoints_->epochs_evaluated();
  start_members();
}

void Supervisor::start_members() {
  const Member& evaluator = members_.at({Role::evaluator, 0});
  if (evaluator.process) evaluator.process->send(go_message);
  for (int i = 0; i < options_.loaders; ++i) spawn(Role::loader, i, 0);
  for (int i = 0; i < options_.workers; ++i) spawn(Role::worker, i, 0);
  schedule_tick();
}

bool Supervisor::may_finish(const ChildIdentity& identity) {
  if (!arena_) return false;
  if (identity.role == Role::evaluator) {
    return has_test_data_ ? arena_->evaluations()[block_->epochs].done.load(std::memory_order_acquire) != 0
                          : arena_->control().published.load() != 0;
  }
  return arena_->ring().all_done() || arena_->stopping();
}

void Supervisor::on_ended(ChildProcess& child, const ExitStatus& status) {
  const ChildIdentity identity = child.identity();
  Member& member = members_.at({identity.role, identity.owner.index});
  const std::shared_ptr<ChildProcess> keep = std::move(member.process);  // `child` lives until the end of this call
  member.process = nullptr;
  look_at_meters();
  if (identity.role == Role::worker) {
    peak_worker_rss_ = std::max(peak_worker_rss_, static_cast<std::uint64_t>(status.resources.ru_maxrss) * 1024);
  }
  if (identity.role == Role::reserver) {
    member.finished = true;
    try {
      on_reserver_ended(status);
    } catch (const Error& error) {
      abandon(2, error.what());
    }
  } else if (status.clean() && may_finish(identity)) {
    member.finished = true;
  } else if (stopping_) {
    // For those who are still to leave.
    if (arena_ && identity.role == Role::worker) arena_->free_stripes_of_dead(identity.owner);
    member.finished = true;
  } else if (!ended_by_scaling(identity, status)) {
    const Casualty& casualty = death_watch_.examine(child, status, arena_ ? &*arena_ : nullptr);
    give_slots_back(identity);
    replace(child, casualty);
  }
  check_finished();
}

void Supervisor::give_slots_back(const ChildIdentity& identity) {
  if (!arena_) return;
  if (identity.role == Role::worker) {
    arena_->free_stripes_of_dead(identity.owner);
    batches_redone_ += arena_->ring().reclaim_worker(identity.owner).size();
  }
  if (identity.role == Role::loader) arena_->ring().reclaim_loader(identity.owner);
  arena_->notify_all();
}

void Supervisor::replace(ChildProcess& child, const Casualty& casualty) {
  const ChildIdentity identity = child.identity();
  Member& member = members_.at({identity.role, identity.owner.index});
  if (!block_ && identity.role == Role::evaluator) {
    abandon(1, fmt::format("the evaluator {} while it built the model and the data; nothing was trained",
                           casualty.how));
    return;
  }
  const std::uint64_t restarts = worker_restarts_ + loader_restarts_ + evaluator_restarts_;
  if (restarts >= static_cast<std::uint64_t>(options_.max_restarts)) {
    abandon(1, fmt::format("gave up: {} after {} restarts (--max-restarts {})", casualty.line(), restarts,
                           options_.max_restarts));
    return;
  }
  if (identity.role == Role::worker) ++worker_restarts_;
  if (identity.role == Role::loader) ++loader_restarts_;
  if (identity.role == Role::evaluator) ++evaluator_restarts_;
  progress_.print(fmt::format("{}; replacing it", casualty.line()));

  const bool early = Clock::now() - child.started() < settled;
  member.deaths = early ? member.deaths + 1 : 1;
  const auto delay = std::min(longest_restart_delay, restart_delay_step * (member.deaths - 1));
  member.restart = std::make_unique<boost::asio::steady_timer>(context_, delay);
  member.restart->async_wait([this, identity](boost::system::error_code error) {
    if (error || stopping_) return;
    try {
      spawn(identity.role, identity.owner.index, identity.owner.generation + 1);
    } catch (const Error& spawn_error) {
      abandon(1, spawn_error.what());
    }
  });
}

void Supervisor::check_finished() {
  bool workers_done = arena_.has_value();
  bool anybody = false;
  bool all_done = arena_.has_value();
  for (const auto& [key, member] : members_) {
    anybody = anybody || member.process != nullptr;
    all_done = all_done && member.finished;
    if (key.first == Role::worker) workers_done = workers_done && member.finished;
  }
  if (workers_done && arena_->control().training_over.exchange(1) == 0) arena_->notify_all();
  if ((stopping_ && !anybody) || all_done) context_.stop();
}

void Supervisor::on_signal(int number) {
  if (signal_ != 0) {
    kill_children();  // asked twice: now
  } else {
    signal_ = number;
    stop_children();
  }
  signals_.async_wait([this](boost::system::error_code error, int next) {
    if (!error) on_signal(next);
  });
}

void Supervisor::abandon(int exit_code, std::string message) {
  if (error_ || signal_ != 0) return;
  error_ = std::move(message);
  exit_code_ = exit_code;
  stop_children();
}

void Supervisor::schedule_tick() {
  tick_.expires_after(tick_interval);
  tick_.async_wait([this](boost::system::error_code error) {
    if (error || stopping_) return;
    look_at_meters();
    show_evaluations();
    show_progress();
    schedule_tick();
  });
}

}  // namespace feral
