// How stale updates are: how many updates of other workers came between a worker's reading of the parameters and
// its writing of them (docs/hogwild-meters.md).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/sizes.hpp"

namespace feral {

// Of the whole job: how many updates are in. Every worker adds to it, relaxed: it orders nothing.
struct alignas(control_line_bytes) UpdateCounter {
  std::atomic<std::uint64_t> updates;
};

// How often each staleness was met by one worker. Lives in shared memory; all-zero bytes are an empty one. Written
// by that worker alone, relaxed; read by the launcher at any time.
struct StalenessHistogram {
  // Up to here a bucket is one value; from here on they hold [32, 64), [64, 128), …, the last one all that is more.
  static constexpr std::size_t exact = 32;
  static constexpr std::size_t bucket_count = 64;
  static std::size_t bucket_of(std::uint64_t staleness) noexcept;
  // The smallest value that goes into the bucket.
  static std::uint64_t lowest_of(std::size_t bucket) noexcept;

  void add(std::uint64_t staleness) noexcept;

  std::atomic<std::uint64_t> counts[bucket_count];
  std::atomic<std::uint64_t> sum;
  std::atomic<std::uint64_t> max;
};

// A worker's own view: some nanoseconds a call, no allocation. For whoever reads parameters and publishes updates,
// several batches at once or one by one.
class Staleness {
 public:
  Staleness(UpdateCounter& job, StalenessHistogram& own) noexcept : job_(job), own_(own) { read(); }

  // Begins to read parameters for the next update.
  void read() noexcept { read_ = job_.updates.load(std::memory_order_relaxed); }
  // Updates that came in since; the staleness that an update written now would have.
  std::uint64_t now() const noexcept { return job_.updates.load(std::memory_order_relaxed) - read_; }
  // The update is in. What is written next without another read() counts from here.
  void written() noexcept {
    const std::uint64_t before = job_.updates.fetch_add(1, std::memory_order_relaxed);
    own_.add(before - read_);
    read_ = before + 1;
  }

 private:
  UpdateCounter& job_;
  StalenessHistogram& own_;
  std::uint64_t read_ = 0;
};

// What histograms say.
struct StalenessSummary {
  std::uint64_t updates = 0;
  double mean = 0;
  std::uint64_t p50 = 0;  // half of all updates were at most that stale; from 32 on the lower end of a bucket
  std::uint64_t p99 = 0;
  std::uint64_t max = 0;
};

// The sum of histograms as they are at this moment.
class StalenessTotals {
 public:
  void add(const StalenessHistogram& histogram) noexcept;
  StalenessSummary summary() const noexcept;

 private:
  std::uint64_t percentile(double share) const noexcept;

  std::array<std::uint64_t, StalenessHistogram::bucket_count> counts_{};
  std::uint64_t updates_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace feral
