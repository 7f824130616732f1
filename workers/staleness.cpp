#include "workers/staleness.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace feral {
namespace {

constexpr std::size_t exact_bits = 5;
static_assert(std::size_t{1} << exact_bits == StalenessHistogram::exact);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// By the only writer: no other addition can be lost.
void add_to(std::atomic<std::uint64_t>& word, std::uint64_t value) {
  word.store(word.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

}  // namespace

std::size_t StalenessHistogram::bucket_of(std::uint64_t staleness) noexcept {
  if (staleness < exact) return static_cast<std::size_t>(staleness);
  const auto power = static_cast<std::size_t>(std::bit_width(staleness)) - 1;
  return std::min(exact + power - exact_bits, bucket_count - 1);
}

std::uint64_t StalenessHistogram::lowest_of(std::size_t bucket) noexcept {
  return bucket < exact ? bucket : std::uint64_t{exact} << (bucket - exact);
}

void StalenessHistogram::add(std::uint64_t staleness) noexcept {
  add_to(counts[bucket_of(staleness)], 1);
  add_to(sum, staleness);
  if (staleness > max.load(std::memory_order_relaxed)) max.store(staleness, std::memory_order_relaxed);
}

void StalenessTotals::add(const StalenessHistogram& histogram) noexcept {
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    const std::uint64_t count = histogram.counts[bucket].load(std::memory_order_relaxed);
    counts_[bucket] += count;
    updates_ += count;
  }
  sum_ += histogram.sum.load(std::memory_order_relaxed);
  max_ = std::max(max_, histogram.max.load(std::memory_order_relaxed));
}

std::uint64_t StalenessTotals::percentile(double share) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(updates_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return StalenessHistogram::lowest_of(bucket);
  }
  return max_;
}

StalenessSummary StalenessTotals::summary() const noexcept {
  if (updates_ == 0) return {};
  return {.updates = updates_,
          .mean = static_cast<double>(sum_) / static_cast<double>(updates_),
          .p50 = percentile(0.5),
          .p99 = percentile(0.99),
          .max = max_};
}

}  // namespace feral
