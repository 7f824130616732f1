// Learning-rate schedules: functions of the job's global step, never of a worker's own count. What PyTorch calls
// step() on a scheduler is a number here, so a worker that dies, or a job that goes on from a checkpoint, has
// nothing to catch up on; asking for a step twice, or backwards, gives the same answer.
//
//   const optim::LRSchedule schedule = optim::WarmupLR{.steps = 500, .then = optim::CosineAnnealingLR{.T_max =
//   10'000}}; schedule.apply(optimizer, step);
//
// PyTorch (torch.optim.lr_scheduler)   here
//   ConstantLR, LinearLR, StepLR, MultiStepLR, ExponentialLR, PolynomialLR, CosineAnnealingLR,
//   CosineAnnealingWarmRestarts, OneCycleLR, LambdaLR, ChainedScheduler, SequentialLR     the same names and
//   options ReduceLROnPlateau                  optim/plateau.hpp: a function of all values measured so far
//   MultiplicativeLR                   LambdaLR with the product in closed form
//   CyclicLR                           LambdaLR; OneCycleLR for a single cycle
//   SWALR                              SequentialLR into a ConstantLR
//   (LinearLR, then another)           WarmupLR
// The formulas are PyTorch's closed forms, exact where its recursive ones gather rounding.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

// Any schedule. A schedule is a struct with
//   double lr(double base, std::uint64_t step) const   the rate of a group that began with `base`
//   void check() const                                 throws feral::Error for options out of range
// and, when it moves the momentum as well, std::optional<double> momentum(std::uint64_t step) const.
class LRSchedule {
 public:
  LRSchedule();  // the initial rates stay
  template <class S>
  requires requires(const S& s) {
    s.lr(1.0, std::uint64_t{});
    s.check();
  }
  LRSchedule(S schedule) {  // NOLINT: implicit by design
    schedule.check();
    self_ = std::make_shared<const Model<S>>(std::move(schedule));
  }

  double lr(double base, std::uint64_t step) const { return self_->lr(base, step); }
  std::optional<double> momentum(std::uint64_t step) const { return self_->momentum(step); }

  // Sets the rate of every group, from its own initial one, and the momentum where the schedule has one. Allocates
  // nothing.
  void apply(Optimizer& optimizer, std::uint64_t step) const;

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual double lr(double base, std::uint64_t step) const = 0;
    virtual std::optional<double> momentum(std::uint64_t step) const = 0;
  };
  template <class S>
  struct Model final : Interface {
    explicit Model(S s) : schedule(std::move(s)) {}
    double lr(double base, std::uint64_t step) const override { return schedule.lr(base, step); }
    std::optional<double> momentum(std::uint64_t step) const override {
      if constexpr (requires { schedule.momentum(step); }) {
        return schedule.momentum(step);
      } else {
        static_cast<void>(step);
        return std::nullopt;
      }
    }
    S schedule;
  };
  std::shared_ptr<const Interface> self_;
};

// base * factor in the first total_iters steps.
struct ConstantLR {
  double factor = 1.0 / 3;  // 0 to 1
  std::uint64_t total_iters = 5;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

// From base * start_factor evenly to base * end_factor over total_iters steps.
struct LinearLR {
  double start_factor = 1.0 / 3;  // above 0, to 1
  double end_factor = 1;          // 0 to 1
  std::uint64_t total_iters = 5;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

// Times gamma every step_size steps.
struct StepLR {
  std::uint64_t step_size = 1;
  double gamma = 0.1;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

// Times gamma at each milestone.
struct MultiStepLR {
  std::vector<std::uint64_t> milestones;  // ascending; one that stands twice counts twice
  double gamma = 0.1;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

// Times gamma every step.
struct ExponentialLR {
  double gamma = 0.1;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

// base * (1 - step / total_iters)^power, then 0.
struct PolynomialLR {
  std::uint64_t total_iters = 5;
  double power = 1;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

// From base along a cosine to eta_min at T_max (and back up after it, as in PyTorch).
struct CosineAnnealingLR {
  std::uint64_t T_max = 1;
  double eta_min = 0;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

// The same again and again, each time T_mult times as long (Loshchilov and Hutter, "SGDR", 2017).
struct CosineAnnealingWarmRestarts {
  std::uint64_t T_0 = 1;
  std::uint64_t T_mult = 1;
  double eta_min = 0;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

enum class Anneal : std::uint8_t { cos, linear };

// From max_lr / div_factor up to max_lr in the first pct_start of total_steps, then down to the first rate /
// final_div_factor, with the momentum the other way round (Smith and Topin, "Super-convergence", 2018). Past
// total_steps the last rate stays.
struct OneCycleLR {
  double max_lr = 0;  // 0: each group's own initial rate
  std::uint64_t total_steps = 1;
  double pct_start = 0.3;
  Anneal anneal_strategy = Anneal::cos;
  bool cycle_momentum = true;
  double base_momentum = 0.85;
  double max_momentum = 0.95;
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool three_phase = false;  // down to the first rate as fast as up, then to the last
  double lr(double base, std::uint64_t step) const;
  std::optional<double> momentum(std::uint64_t step) const;
  void check() const;
};

// base * lr_lambda(step).
struct LambdaLR {
  std::function<double(std::uint64_t step)> lr_lambda;
  double lr(double base, std::uint64_t step) const;
  void check() const;
};

// From base * start_factor evenly up to base over `steps` steps (Goyal et al., "Accurate, large minibatch SGD",
// 2017), then `then` from its own step 0 on.
struct WarmupLR {
  std::uint64_t steps = 1;
  double start_factor = 1.0 / 3;
  LRSchedule then = {};
  double lr(double base, std::uint64_t step) const;
  std::optional<double> momentum(std::uint64_t step) const;
  void check() const;
};

// One on the other: each schedule's base is the rate of the one before it, all at the same step.
struct ChainedScheduler {
  std::vector<LRSchedule> schedulers;
  double lr(double base, std::uint64_t step) const;
  std::optional<double> momentum(std::uint64_t step) const;  // the last one's that has one
  void check() const;
};

// One after the other: schedule i runs from milestone i - 1 on, counted from there.
struct SequentialLR {
  std::vector<LRSchedule> schedulers;
  std::vector<std::uint64_t> milestones;  // ascending, one less than schedulers
  double lr(double base, std::uint64_t step) const;
  std::optional<double> momentum(std::uint64_t step) const;
  void check() const;

 private:
  std::pair<std::size_t, std::uint64_t> at(std::uint64_t step) const;  // which one, and its own step
};

}  // namespace feral::optim
