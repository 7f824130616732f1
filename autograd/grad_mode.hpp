// Whether ops are recorded. A property of the thread.
#pragma once

namespace feral {

class GradMode {
 public:
  static bool enabled() noexcept { return enabled_; }
  static void set_enabled(bool enabled) noexcept { enabled_ = enabled; }

 private:
  static inline thread_local bool enabled_ = true;
};

// Sets the mode for the length of a scope.
class GradModeGuard {
 public:
  explicit GradModeGuard(bool enabled) noexcept : before_(GradMode::enabled()) { GradMode::set_enabled(enabled); }
  GradModeGuard(const GradModeGuard&) = delete;
  GradModeGuard& operator=(const GradModeGuard&) = delete;
  ~GradModeGuard() { GradMode::set_enabled(before_); }

 private:
  bool before_;
};

// No recording within the scope: evaluation, initialization.
class NoGradGuard : public GradModeGuard {
 public:
  NoGradGuard() noexcept : GradModeGuard(false) {}
};

}  // namespace feral
