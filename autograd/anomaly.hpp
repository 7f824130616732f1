// Finding the op whose gradient is NaN or infinite.
//
//   const autograd::AnomalyGuard anomaly;      // around forward and backward
//   loss(model(x), y).backward();              // throws: "backward: the gradient of input 0 of 'log' …, recorded
//   at …"
//
// Slow: every op keeps where it was called, every gradient is looked through.
#pragma once

namespace feral {

// A property of the thread.
class AnomalyMode {
 public:
  static bool enabled() noexcept { return enabled_; }
  static void set_enabled(bool enabled) noexcept { enabled_ = enabled; }

 private:
  static inline thread_local bool enabled_ = false;
};

namespace autograd {

class AnomalyGuard {
 public:
  explicit AnomalyGuard(bool enabled = true) noexcept : before_(AnomalyMode::enabled()) {
    AnomalyMode::set_enabled(enabled);
  }
  AnomalyGuard(const AnomalyGuard&) = delete;
  AnomalyGuard& operator=(const AnomalyGuard&) = delete;
  ~AnomalyGuard() { AnomalyMode::set_enabled(before_); }

 private:
  bool before_;
};

}  // namespace autograd
}  // namespace feral
