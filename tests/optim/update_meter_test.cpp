// The metered update against updates that come in between its reading and its storing, exactly when the test wants.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include <numeric>
#include <vector>

#include "optim/update-inl.hpp"

namespace feral::optim {
namespace {

namespace target = HWY_NAMESPACE;

// The others: of all blocks that go through the rule they write every `period`-th, `burst` times, and each time
// add 1.
struct Others {
  std::vector<float>& values;
  std::uint64_t period = 0;
  std::uint64_t burst = 1;
  std::uint64_t block = 0;  // of all
  std::size_t at = 0;       // the block's first element
  std::uint64_t written = 0;
  std::atomic<std::uint64_t> finished{0};
  void interfere(std::size_t lanes) {
    if (period != 0 && ++block % period == 0) {
      for (std::size_t i = at; i < std::min(at + lanes, values.size()); ++i, written += burst) {
        values[i] += static_cast<float>(burst);
      }
      finished.fetch_add(burst);
    }
    at = at + lanes < values.size() ? at + lanes : 0;
  }
};

// Adds 1, while others are at work.
struct Interrupted {
  static constexpr std::size_t count = 1;
  Others* others;
  void operator()(target::Vector<float>& value, target::Vector<float>, target::Vector<float>*) const {
    value = target::hn::Add(value, target::broadcast<float>(1));
    others->interfere(target::hn::Lanes(target::hn::ScalableTag<float>()));
  }
};

struct Counts {
  double truth = 0;     // share of all updates made, of the others' too
  double measured = 0;  // in the same measure
  std::uint64_t metered = 0;
};

Counts run(std::uint64_t steps, std::uint64_t step_spacing, std::size_t spacing, std::uint64_t period,
           std::uint64_t burst, std::size_t row_width) {
  std::vector<float> values(1200, 0.0F);
  const std::vector<float> gradient(values.size(), 0.0F);
  std::vector<std::int64_t> rows(values.size() / row_width);
  std::iota(rows.begin(), rows.end(), 0);
  Others others{.values = values, .period = period, .burst = burst};
  UpdateMeter meter{.spacing = spacing, .finished = &others.finished};
  std::vector<float> state(values.size(), 0.0F);
  Operands operands;
  operands.states[0] = reinterpret_cast<std::byte*>(state.data());
  operands.parameter = reinterpret_cast<std::byte*>(values.data());
  operands.gradient = reinterpret_cast<const std::byte*>(gradient.data());
  operands.width = row_width;
  if (rows.size() > 1) operands.rows = rows.data();
  operands.row_count = operands.rows_of_table = rows.size();
  for (std::uint64_t step = 0; step < steps; ++step) {
    operands.meter = step % step_spacing == 0 ? &meter : nullptr;
    target::update_all<float>(Interrupted{&others}, operands);
  }
  const double made = static_cast<double>(steps * values.size());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {.truth = (made + static_cast<double>(others.written) - sum) / made,
          .measured = static_cast<double>(meter.lost) / static_cast<double>(meter.metered),
          .metered = meter.metered};
}

TEST(UpdateMeter, CountsWhatIsLostExactlyWhereEveryStoreIsMetered) {
  for (const std::size_t row_width : {1200, 100, 4}) {  // whole vectors: others know their blocks
    for (const std::uint64_t burst : {1, 2, 50}) {
      const Counts counts = run(200, 1, 1, 7, burst, row_width);
      EXPECT_NEAR(counts.truth, static_cast<double>(burst) / 7, 1e-3 * static_cast<double>(burst));
      EXPECT_NEAR(counts.measured, counts.truth, 1e-9) << "rows of " << row_width << ", " << burst << " at a time";
      EXPECT_EQ(counts.metered, 200U * 1200U);
    }
  }
}

TEST(UpdateMeter, SampledAsShippedComesCloseToTheTruth) {
  for (const std::uint64_t period : {5, 23}) {
    for (const std::uint64_t burst : {1, 30}) {
      const Counts counts = run(6000, 16, 61, period, burst, 1200);
      EXPECT_NEAR(counts.measured, counts.truth, 0.2 * counts.truth) << period << " " << burst;
      EXPECT_NEAR(static_cast<double>(counts.metered), 6000.0 * 1200 / 16 / 61, 2);
    }
  }
}

TEST(UpdateMeter, CountsNothingWhereNobodyInterferes) {
  EXPECT_EQ(run(100, 1, 1, 0, 1, 1200).measured, 0);
  EXPECT_EQ(run(100, 1, 1, 0, 1, 1200).truth, 0);
}

TEST(UpdateMeter, EveryElementHasItsTurn) {
  std::vector<float> values(130, 0.0F);
  Others nobody{.values = values};
  UpdateMeter meter{.spacing = 61};
  std::vector<float> state(values.size(), 0.0F);
  Operands operands;
  operands.states[0] = reinterpret_cast<std::byte*>(state.data());
  operands.parameter = reinterpret_cast<std::byte*>(values.data());
  operands.gradient = operands.parameter;
  operands.width = values.size();
  operands.meter = &meter;
  for (int step = 0; step < 61; ++step) target::update_all<float>(Interrupted{&nobody}, operands);
  EXPECT_EQ(meter.metered, 130U) << "each once in 61 steps";
  EXPECT_EQ(values, std::vector<float>(130, 61.0F));
}

}  // namespace
}  // namespace feral::optim
