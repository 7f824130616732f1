#include "launcher/hang_watch.hpp"

#include <algorithm>

namespace feral {
namespace {

// Of the timeout, that others have when one that hung is gone.
constexpr int second_chance = 4;

}  // namespace

std::optional<Hang> HangWatch::look(std::span<const ProcessBeats> processes, Clock::time_point now) {
  if (timeout_ == Clock::duration::zero()) return std::nullopt;
  const Clock::duration passed =
      last_look_ ? std::min<Clock::duration>(now - *last_look_, longest_gap) : Clock::duration::zero();
  last_look_ = now;
  forget_those_gone(processes);
  const bool one_is_told = std::ranges::any_of(records_, [](const auto& entry) { return entry.second.told; });

  std::optional<Hang> longest;
  for (const ProcessBeats& process : processes) {
    const auto [at, is_new] =
        records_.try_emplace(process.pid, Record{.beats = process.beats, .silence = {}, .told = false});
    Record& record = at->second;
    if (is_new) continue;
    if (process.beats != record.beats) {
      record = {.beats = process.beats, .silence = {}, .told = record.told};
      continue;
    }
    record.silence += passed;
    if (record.silence < limit_of(record) || (process.waiting && !process.stopped)) continue;
    if (!longest || record.silence > longest->silence) longest = {process.pid, record.silence, record.beats == 0};
  }
  if (!longest || one_is_told) return std::nullopt;
  records_.at(longest->pid).told = true;
  return longest;
}

void HangWatch::forget_those_gone(std::span<const ProcessBeats> processes) {
  bool told_is_gone = false;
  std::erase_if(records_, [&](const auto& entry) {
    const bool gone = std::ranges::find(processes, entry.first, &ProcessBeats::pid) == processes.end();
    told_is_gone = told_is_gone || (gone && entry.second.told);
    return gone;
  });
  if (!told_is_gone) return;
  for (auto& [pid, record] : records_) {
    record.silence = std::min(record.silence, limit_of(record) - timeout_ / second_chance);
  }
}

}  // namespace feral
