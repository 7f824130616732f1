// Running kernels on one instruction set after another.
#pragma once

#include <hwy/targets.h>

#include <cstdint>
#include <vector>

namespace feral::testing_support {

// Lets the kernels run on one target, and on the best again at the end of the scope.
class OnTarget {
 public:
  explicit OnTarget(std::int64_t target) { choose(target); }
  OnTarget(const OnTarget&) = delete;
  OnTarget& operator=(const OnTarget&) = delete;
  ~OnTarget() { choose(0); }

 private:
  static void choose(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);  // 0: all that there are
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

// Those that this machine has and the build holds.
inline std::vector<std::int64_t> targets() {
  std::vector<std::int64_t> found;
  const auto usable = static_cast<std::uint64_t>(hwy::SupportedTargets()) & static_cast<std::uint64_t>(HWY_TARGETS);
  for (std::uint64_t rest = usable; rest != 0; rest &= rest - 1) {
    found.push_back(static_cast<std::int64_t>(rest & ~(rest - 1)));
  }
  return found;
}

}  // namespace feral::testing_support
