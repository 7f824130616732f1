// Looking at the parameters of modules.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "nn/module.hpp"

namespace feral::support {

inline std::vector<std::string> names_of(const nn::Module& module) {
  std::vector<std::string> names;
  for (const nn::NamedTensor& parameter : module.named_parameters()) names.push_back(parameter.name);
  return names;
}

// The elements fill [-bound, bound] and nothing more.
inline void expect_uniform(const Tensor& tensor, double bound) {
  const auto values = tensor.to_vector<double>();
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  EXPECT_LE(largest, bound * (1 + 1e-7));
  EXPECT_GT(largest, bound * 0.9);
}

}  // namespace feral::support
