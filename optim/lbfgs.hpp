// Limited-memory BFGS.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

enum class LineSearch : std::uint8_t { none, strong_wolfe };

struct LBFGSOptions {
  double lr = 1;
  int max_iter = 20;                 // of one step
  std::optional<int> max_eval = {};  // of the closure in one step; max_iter * 5 / 4 when empty
  double tolerance_grad = 1e-7;      // a step ends when no gradient is larger,
  double tolerance_change = 1e-9;    // or when weights or loss change by no more
  int history_size = 100;
  LineSearch line_search_fn = LineSearch::none;
  bool maximize = false;
};

// Quasi-Newton steps from the last `history_size` changes of weights and gradients (Liu and Nocedal, "On the
// limited memory BFGS method for large scale optimization", 1989), with a line search by cubic interpolation for
// the strong Wolfe conditions (Nocedal and Wright, "Numerical optimization", 2006, algorithms 3.5 and 3.6, in
// PyTorch's form). One group; all parameters of one type; the loss must come from the whole data, or the same batch
// each time. Only for one worker: between two evaluations of its closure nobody else may move the parameters.
// State: d, prev_flat_grad [N], old_dirs, old_stps [history_size, N], ro [history_size], numbers.
class LBFGS : public Optimizer {
 public:
  // Throws feral::Error for options out of range, or parameters of two types.
  explicit LBFGS(const std::vector<Tensor>& parameters, LBFGSOptions options = {});

  // Throws feral::Error: a closure is needed.
  void step() override;
  // Up to max_iter iterations. Returns the loss before them.
  Tensor step(const std::function<Tensor()>& closure) override;
  bool needs_closure() const noexcept override { return true; }

  std::uint64_t evaluations() const;  // of the closure, in all steps

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;

 private:
  template <class T>
  class Solver;

  LBFGSOptions options_;
  std::int64_t elements_ = 0;
  Tensor work_;  // vectors of a step, made at the first one
};

}  // namespace feral::optim
