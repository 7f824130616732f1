// The meter of lost updates against a counted truth: everybody adds 1 to every element, so what is missing at the
// end was lost.
#include "workers/lost_updates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <thread>

#include "optim/sgd.hpp"
#include "tensor/racy.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/shared_memory.hpp"

namespace feral {
namespace {

constexpr std::size_t tensor_only[] = {0};

// What one meter has measured beside what is true.
struct Outcome {
  double true_share = 0;
  double measured_share = 0;
  std::uint64_t measured = 0;  // element updates looked at
};

struct Hammering {
  std::int64_t elements = 0;
  std::int64_t updates = 0;  // of each worker
  LossSampling sampling = {};
  bool rows = false;  // as sparse gradients: all rows, of four elements each
  bool metered = true;
};

// What the processes share: a gate to start together, a record each, and the tensor.
struct Shared {
  static constexpr std::size_t workers = 2;
  std::atomic<std::size_t> ready{0};
  LostRecord records[workers]{};
  UpdateCounter counter{};
};

void hammer(Shared& shared, std::byte* memory, const Hammering& h, std::size_t worker) {
  const Shape shape = h.rows ? Shape{h.elements / 4, 4} : Shape{h.elements};
  const Tensor parameter = Tensor::borrow(memory, shape, DType::float32);
  optim::SGD sgd({parameter}, {.lr = 1});
  if (h.rows) {
    parameter.set_sparse_grad({Tensor::arange(h.elements / 4), Tensor::full(shape, -1)});
  } else {
    parameter.set_grad(Tensor::full(shape, -1));
  }
  LostUpdates meter({&shared.records[worker], 1}, tensor_only, shared.counter, h.sampling);
  shared.ready.fetch_add(1);
  while (shared.ready.load() < Shared::workers) {
  }
  for (std::int64_t i = 0; i < h.updates; ++i) {
    if (h.metered) meter.begin(sgd);
    sgd.step();
    shared.counter.updates.fetch_add(1, std::memory_order_relaxed);
    if (h.metered) meter.end(sgd);
  }
}

Outcome outcome(const Shared& shared, const std::byte* memory, const Hammering& h) {
  const auto* values = reinterpret_cast<const float*>(memory);
  const double sum = std::accumulate(values, values + h.elements, 0.0);
  const double made = static_cast<double>(Shared::workers) * static_cast<double>(h.updates * h.elements);
  LostSummary all;
  for (const LostRecord& record : shared.records) {
    all.updates += summary_of(record, h.sampling).updates;
    all.lost += summary_of(record, h.sampling).lost;
  }
  return {.true_share = 1 - sum / made, .measured_share = all.share(), .measured = all.updates};
}

Outcome hammered_by_threads(const Hammering& h) {
  Shared shared;
  const support::SharedMemory memory(static_cast<std::size_t>(h.elements) * sizeof(float));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < Shared::workers; ++i) {
    threads.emplace_back([&, i] { hammer(shared, memory.bytes().data(), h, i); });
  }
  for (std::thread& thread : threads) thread.join();
  return outcome(shared, memory.bytes().data(), h);
}

Outcome hammered_by_processes(const Hammering& h) {
  const support::SharedMemory memory(static_cast<std::size_t>(h.elements) * sizeof(float));
  const support::SharedMemory shared_memory(sizeof(Shared));
  auto* shared = new (shared_memory.bytes().data()) Shared;
  std::vector<support::Forked> processes;
  for (std::size_t i = 0; i < Shared::workers; ++i) {
    processes.emplace_back([&, i] {
      hammer(*shared, memory.bytes().data(), h, i);
      return 0;
    });
  }
  for (support::Forked& process : processes) EXPECT_EQ(process.wait(), 0);
  return outcome(*shared, memory.bytes().data(), h);
}

TEST(LostUpdates, OfThreadsAndProcessesAreCountedWhereEveryStepIsMetered) {
#ifdef FERAL_RACY_ATOMICS
  constexpr std::int64_t updates = 20;  // ThreadSanitizer is to see the threads; this is too few for the share
#else
  constexpr std::int64_t updates = 5000;
#endif
  for (const bool rows : {false, true}) {
    const Hammering hammering{.elements = 2048, .updates = updates, .sampling = {1, 1}, .rows = rows};
    const Outcome threads = hammered_by_threads(hammering);
    const Outcome processes = hammered_by_processes(hammering);
    for (const Outcome& o : {threads, processes}) {
      EXPECT_EQ(o.measured, Shared::workers * 2048 * static_cast<std::uint64_t>(updates));
#ifndef FERAL_RACY_ATOMICS
      EXPECT_NEAR(o.measured_share, o.true_share, 0.2 * o.true_share + 1e-5) << (rows ? "rows" : "dense");
#endif
    }
  }
}

// FERAL_LONG=N: the mean of N runs each. Losses under load are few and large, so few runs of the sampled form say
// little.
TEST(LostUpdates, LongForm) {
  const char* runs_wanted = std::getenv("FERAL_LONG");
  if (runs_wanted == nullptr) GTEST_SKIP() << "prints figures: FERAL_LONG=10";
  const int runs = std::max(std::atoi(runs_wanted), 1);
  for (const std::int64_t elements : {256, 4096, 65'536}) {
    for (const bool rows : {false, true}) {
      const std::int64_t updates = std::min<std::int64_t>(1'000'000, 300'000'000 / elements);
      const auto show = [&](const std::string& name, const Hammering& h) {
        Outcome sum;
        for (int run = 0; run < runs; ++run) {
          const Outcome o = hammered_by_processes(h);
          sum.true_share += o.true_share / runs;
          sum.measured_share += o.measured_share / runs;
        }
        std::cout << (rows ? "rows, " : "dense, ") << elements << " elements, " << name << ": true share "
                  << sum.true_share << ", measured " << sum.measured_share << std::endl;
      };
      show("not metered", {elements, updates, {}, rows, false});
      show("as shipped", {elements, updates, {}, rows});
      show("every step, one element in 61", {elements, updates, {1, 61}, rows});
      show("every store", {elements, updates, {1, 1}, rows});
    }
  }
}

}  // namespace
}  // namespace feral
