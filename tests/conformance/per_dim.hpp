// A number for each spatial dimension, as a fixture lists them.
#pragma once

#include "tensor/per_dim.hpp"
#include "tests/conformance/suite.hpp"

namespace feral::conformance {

template <int dims>
PerDim<dims> per_dim(const Call& c, const char* name, const PerDim<dims>& otherwise) {
  if (!c.has(name)) return otherwise;
  PerDim<dims> result(0);
  const std::vector<std::int64_t> values = c.integers(name);
  for (int d = 0; d < dims; ++d) result[d] = values.at(static_cast<std::size_t>(d));
  return result;
}

}  // namespace feral::conformance
