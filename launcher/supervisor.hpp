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
#include "launcher/death_watch.hpp"
#include "launcher/job_checkpoints.hpp"
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
    bool finished = false;
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

  void print_plan(const JobDescription& description, std::uint64_t arena_bytes);
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
  std::vector<int> cores_;
  std::uint64_t started_ns_;

  shm::Fd memfd_;
  std::optional<JobCheckpoints> checkpoints_;  // since run() began
  std::optional<JobBlock> block_;
  bool has_test_data_ = false;
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
