// Learning-rate schedules: functions of how much of the job is done, never of a worker's own count of steps.
#pragma once

#include <cstdint>
#include <string_view>

namespace feral::optim {

enum class Schedule : std::uint32_t { constant, linear, cosine };

inline constexpr int schedule_count = 3;

// "constant", "linear", "cosine"
std::string_view name_of(Schedule schedule) noexcept;

// The factor on the learning rate after `progress` of the job, 0 at its start to 1 at its end: 1; falling linearly
// to 0; falling to 0 along half a cosine (Loshchilov and Hutter, "SGDR", 2017, without restarts).
double schedule_factor(Schedule schedule, double progress) noexcept;

}  // namespace feral::optim
