#include "nn/dropout.hpp"

#include <fmt/format.h>

#include "core/fail.hpp"

namespace feral::nn::detail {

void check_drop_probability(double probability) {
  if (!(probability >= 0 && probability <= 1)) fail("dropout: probability {} is outside of [0, 1]", probability);
}

std::string dropout_repr(double probability) { return fmt::format("p={}", probability); }

}  // namespace feral::nn::detail
