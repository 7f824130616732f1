// Optimizers: rules, groups, schedules, clipping, averages, sparse gradients, LBFGS, saving, sharing. Shown in
// docs/optim.md, with what it prints.
#include <feral/feral.hpp>
#include <iostream>
#include <map>
#include <string>

namespace nn = feral::nn;
namespace optim = feral::optim;
using feral::DType;
using feral::Tensor;

namespace {

// Points on a line with a bend: something to learn.
const Tensor inputs = Tensor::linspace(-1, 1, 64).reshape({64, 1});
const Tensor targets = inputs.relu() * 2 - 1;

struct Net : nn::Module {
  nn::Linear hidden{1, 8}, output{8, 1};
  Net() {
    register_module("hidden", hidden);
    register_module("output", output);
  }
  Tensor forward(const Tensor& x) override { return output(hidden(x).tanh()); }
};

Tensor loss_of(Net& net) { return (net(inputs) - targets).square().mean(); }

std::string yes(bool value) { return value ? "yes" : "no"; }

}  // namespace

int main() {
  feral::manual_seed(1);

  // A step: drop the old gradients, compute new ones, update.
  Net net;
  optim::Adam adam(net.parameters(), {.lr = 0.02});
  const double first = loss_of(net).item();
  for (int step = 0; step < 300; ++step) {
    adam.zero_grad();
    loss_of(net).backward();
    adam.step();
  }
  std::cout << "learned: " << yes(loss_of(net).item() < first / 50) << ", steps: " << adam.step_count() << "\n";

  // Groups have options of their own; a factor multiplies each group's own first rate.
  Net grouped;
  optim::SGD sgd({optim::SGD::Group{grouped.hidden.parameters(), {.lr = 0.1, .momentum = 0.9}},
                  optim::SGD::Group{grouped.output.parameters(), {.lr = 0.01, .weight_decay = 1e-4}}});
  sgd.set_lr_factor(0.5);
  std::cout << "rates: " << sgd.lr(0) << " " << sgd.lr(1) << "\n";

  // A schedule is a function of the step; asking it for any step, in any order, is allowed.
  const optim::LRSchedule schedule =
      optim::WarmupLR{.steps = 10, .start_factor = 0.1, .then = optim::CosineAnnealingLR{.T_max = 90}};
  for (const std::uint64_t step : {0, 5, 10, 55, 100}) {
    schedule.apply(sgd, step);
    std::cout << "step " << step << ": " << sgd.lr(0) << " " << sgd.lr(1) << "\n";
  }

  // The schedule that goes by measurements takes all of them.
  const optim::ReduceLROnPlateau plateau{.factor = 0.5, .patience = 1};
  const double measured[] = {1.0, 0.8, 0.81, 0.82, 0.7};
  for (const std::size_t count : {2, 3, 4, 5}) {
    std::cout << "after " << count << ": " << plateau.lr(0.1, std::span(measured, count)) << "\n";
  }

  // Clipping, between backward and step.
  sgd.zero_grad();
  (loss_of(grouped) * 1000).backward();
  const double norm = optim::clip_grad_norm_(sgd.parameters(), 1.0);
  optim::clip_grad_value_(sgd.parameters(), 0.5);
  std::cout << "clipped: " << yes(norm > 1)
            << ", norm now at most 1: " << yes(optim::total_grad_norm(sgd.parameters()) <= 1) << "\n";

  // An average of the weights, for evaluation.
  optim::EMA average(net.parameters(), {.decay = 0.9});
  for (int step = 0; step < 20; ++step) {
    adam.zero_grad();
    loss_of(net).backward();
    adam.step();
    average.update();
  }
  const double live = loss_of(net).item();
  average.swap();  // the model computes with the averages …
  const double averaged = loss_of(net).item();
  average.swap();  // … and trains on where it was
  std::cout << "back: " << yes(loss_of(net).item() == live && averaged != live) << "\n";

  // Sparse gradients: a step costs what the rows cost.
  const Tensor table = Tensor::zeros({100'000, 16}).set_requires_grad(true);
  optim::SparseAdam sparse({table});
  const Tensor words = Tensor::from_vector<std::int64_t>({7, 42, 7}, {3});
  (feral::embedding(table, words, {.sparse = true}) - 1).square().sum().backward();
  std::cout << "rows: " << table.sparse_grad().rows << "\n";
  sparse.step();
  std::cout << "moved: " << table.ne(0).any(1).sum().item<std::int64_t>() << "\n";

  // LBFGS evaluates the loss several times a step: it takes a closure.
  Net small;
  optim::LBFGS lbfgs(small.parameters(), {.line_search_fn = optim::LineSearch::strong_wolfe});
  for (int step = 0; step < 5; ++step) {
    lbfgs.step([&] {
      lbfgs.zero_grad();
      const Tensor loss = loss_of(small);
      loss.backward();
      return loss;
    });
  }
  std::cout << "below 0.001: " << yes(loss_of(small).item() < 1e-3) << "\n";

  // State by name: saved and loaded bit for bit.
  std::map<std::string, Tensor> saved;
  for (const optim::NamedState& state : adam.named_state()) saved[state.name] = state.tensor.clone();
  optim::Adam resumed(net.parameters(), {.lr = 0.02});
  resumed.load_state(saved);
  std::cout << "resumed at step " << resumed.step_count() << " with " << saved.size() << " tensors, such as "
            << adam.named_state()[1].name << "\n";

  // State in memory of one's own: here a buffer, in a job the arena, where all workers share it.
  optim::AdamW shared(net.parameters());
  alignas(64) static std::byte memory[4096] = {};
  const std::span<std::byte> region(memory, shared.state_bytes());
  shared.initialize_state(region);  // once, by whoever made the memory
  shared.bind_state(region);        // by each worker
  std::cout << "bytes of state: " << shared.state_bytes() << "\n";
}
