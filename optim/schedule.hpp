// Schedules by name, as a command line chooses them: functions of the job's global step (optim/schedules.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "optim/schedules.hpp"

namespace feral::optim {

enum class Schedule : std::uint32_t {
  constant,         // the rate stays
  linear,           // evenly to 0 over the whole job
  cosine,           // along half a cosine to 0 over the whole job
  step,             // times gamma every period
  exponential,      // times gamma every epoch, in even steps
  polynomial,       // (1 - done)^power
  cosine_restarts,  // along half a cosine to 0 every period
  one_cycle,        // up to the rate and down again, with the momentum the other way round
  plateau,          // times gamma when the test loss has not improved for `period` measured epochs
};

inline constexpr int schedule_count = 9;

std::string_view name_of(Schedule schedule) noexcept;  // "constant", "cosine-restarts"
std::string list_of_schedules();                       // all names, separated by commas

struct ScheduleOptions {
  Schedule schedule = Schedule::linear;
  double gamma = 0;          // 0: 0.1 (step, plateau) or 0.95 (exponential)
  double power = 2;          // of polynomial
  std::uint64_t period = 0;  // epochs; 0: a third of the job, or 3 (plateau)
  std::uint64_t warmup = 0;  // steps, before all of the above: evenly from rate / (warmup + 1) up to it
};

// How long a job is, in global steps: batches, whoever trains on them.
struct JobLength {
  std::uint64_t steps = 1;
  std::uint64_t steps_per_epoch = 1;
};

// Throws feral::Error for options out of range. For `plateau` what is not measured: the constant rate.
LRSchedule make_schedule(const ScheduleOptions& options, const JobLength& length);

// The gamma that is in force.
double gamma_of(const ScheduleOptions& options) noexcept;

}  // namespace feral::optim
