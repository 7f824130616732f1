// The launcher: plans the arena, reserves it, spawns the children, watches them, reports. No math, no compute
// threads, no code of the user's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/child_process.hpp"
#include "launcher/control_socket.hpp"
#include "launcher/cores.hpp"
#include "launcher/death_watch.hpp"
#include "launcher/job_checkpoints.hpp"
#include "launcher/memory_plan.hpp"
#include "launcher/meter_watch.hpp"
#include "launcher/progress.hpp"
#include "launcher/report.hpp"
#include "workers/job_arena.hpp"

namespace feral {

class Supervisor {
 public:
  // `arguments` are those of this process; children are started with them.
  Supervisor(std::string model_name, std::string data_name, TrainOptions options,
             std::vector<std::string> arguments);

  // Runs the job to its end and returns the exit code: 0 done, 1 given up after too many deaths, 2 an error of the
  // user's, 128 + signal when interrupted. All children are gone by then.
  int run();

 private:
  using Clock = std::chrono::steady_clock;

  // One index of a role; its process is replaced when it dies.
  struct Member {
    std::shared_ptr<ChildProcess> process;
    std::unique_ptr<boost::asio::steady_timer> restart;
    int deaths = 0;
    int generation = -1;  // of the last process
    bool finished = false;
    bool asked_to_leave = false;  // the job went on with fewer
  };

  void spawn(Role role, int index, int generation);
  void on_message(ChildProcess& child, ChildMessage message);
  void on_ended(ChildProcess& child, const ExitStatus& status);
  void on_reserver_ended(const ExitStatus& status);
  void on_signal(int number);

  void plan(const JobDescription& description);
  void start_members();
  bool may_finish(const ChildIdentity& identity);
  void replace(ChildProcess& child, const Casualty& casualty);
  void give_slots_back(const ChildIdentity& identity);
  void check_finished();

  // Ends the job with an error of the user's (2) or after too many deaths (1); the first one counts.
  void abandon(int exit_code, std::string message);
  // Asks all children to leave and kills what is left after the grace.
  void stop_children();
  void kill_children();

  // supervisor_control.cpp: what is asked through the job's socket.
  void open_control();
  JobStatus status();
  ControlAnswer answer(const ControlRequest& request, pid_t asker);
  // Answer what was changed, in words; empty for nothing.
  std::string scale(const ControlRequest& request);
  std::string set(const ControlRequest& request);
  void steer_processes();
  void staff(Role role, int count);  // starts whoever of so many is missing
  void dismiss_surplus();
  bool is_surplus(Role role, int index) const noexcept;
  // Whether the process ended because the job goes on with fewer; it is accounted for then.
  bool ended_by_scaling(const ChildIdentity& identity, const ExitStatus& status);

  void print_plan(const JobDescription& description, std::uint64_t arena_bytes);
  // supervisor_plan.cpp: all of it, for --dry-run.
  void print_whole_plan(const shm::ArenaPlan& arena);
  void schedule_tick();
  void watch_children();
  void show_progress();
  void show_evaluations();
  // Says what the meters have found; ends the job when it cannot go on.
  void look_at_meters();
  Report make_report();
  void print_summary(const Report& report);
  std::string stop_summary();

  boost::asio::io_context context_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer tick_;
  boost::asio::steady_timer watch_tick_;
  boost::asio::steady_timer kill_timer_;

  std::string model_name_;
  std::string data_name_;
  TrainOptions options_;
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  CoreBudget budget_;
  ProcessCounts counts_;  // that are wanted now
  std::uint64_t started_ns_;

  std::string job_name_;
  std::optional<ControlSocket> control_;
  std::vector<Change> changes_;

  shm::Fd memfd_;
  std::optional<JobCheckpoints> checkpoints_;  // since run() began
  std::optional<JobBlock> block_;
  bool has_test_data_ = false;
  bool needs_closure_ = false;
  MemoryPlan memory_;
  std::optional<JobArena> arena_;
  std::map<std::pair<Role, int>, Member> members_;
  Progress progress_;
  MeterWatch meters_;
  DeathWatch death_watch_;

  std::uint64_t worker_restarts_ = 0;
  std::uint64_t loader_restarts_ = 0;
  std::uint64_t evaluator_restarts_ = 0;
  std::uint64_t batches_redone_ = 0;
  std::uint64_t peak_worker_rss_ = 0;
  std::uint64_t evaluations_shown_ = 0;
  double recent_rate_ = 0;  // samples per second, smoothed
  std::uint64_t rate_time_ns_ = 0;
  std::uint64_t rate_samples_ = 0;

  bool stopping_ = false;
  int exit_code_ = 0;
  int signal_ = 0;
  std::optional<std::string> error_;
};

}  // namespace feral
