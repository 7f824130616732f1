// Bias corrections, computed once a step and not once a parameter.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace feral::optim {

// 1 - beta1^t and 1 - beta2^t for the last t that was asked for, of each group: the parameters of a group have had
// the same number of steps nearly always.
class BiasCorrections {
 public:
  struct Pair {
    std::uint64_t count = 0;
    double beta1 = 0;
    double beta2 = 0;
    double first = 0;   // 1 - beta1^count
    double second = 0;  // 1 - beta2^count
  };

  // Throws std::bad_alloc at the first call with a new group; nothing afterwards.
  const Pair& get(std::size_t group, std::uint64_t count, double beta1, double beta2) {
    if (group >= pairs_.size()) pairs_.resize(group + 1);
    Pair& pair = pairs_[group];
    if (pair.count != count || pair.beta1 != beta1 || pair.beta2 != beta2) {
      const auto t = static_cast<double>(count);
      pair = {count, beta1, beta2, 1 - std::pow(beta1, t), 1 - std::pow(beta2, t)};
    }
    return pair;
  }

 private:
  std::vector<Pair> pairs_;
};

}  // namespace feral::optim
