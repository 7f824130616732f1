#include "tensor/cpu/info.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <hwy/targets.h>

#include <bit>
#include <cstdint>

namespace feral::cpu {

std::string blas_core() { return ::openblas_get_corename(); }

int blas_threads() { return ::openblas_get_num_threads(); }

std::string simd_target() {
  // The best of the targets compiled in that this machine has: the lowest bit.
  const auto usable = static_cast<std::uint64_t>(hwy::SupportedTargets()) & static_cast<std::uint64_t>(HWY_TARGETS);
  if (usable == 0) return "none";
  return hwy::TargetName(static_cast<std::int64_t>(std::uint64_t{1} << std::countr_zero(usable)));
}

std::string describe_kernels() {
  const int threads = blas_threads();
  return fmt::format("OpenBLAS {} ({} thread{}), Highway {}", blas_core(), threads, threads == 1 ? "" : "s",
                     simd_target());
}

}  // namespace feral::cpu
