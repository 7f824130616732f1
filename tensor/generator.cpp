#include "tensor/generator.hpp"

namespace feral {

Generator& default_generator() noexcept {
  static thread_local Generator generator;
  return generator;
}

void manual_seed(std::uint64_t seed) noexcept { default_generator().seek(seed, 0); }

}  // namespace feral
