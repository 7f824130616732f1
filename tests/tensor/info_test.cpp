#include "tensor/cpu/info.hpp"

#include <gtest/gtest.h>

namespace feral::cpu {
namespace {

TEST(KernelInfo, DescribesWhatItsPartsSay) {
  EXPECT_FALSE(blas_core().empty());
  EXPECT_GE(blas_threads(), 1);
  EXPECT_NE(simd_target(), "none");
  const std::string line = describe_kernels();
  for (const std::string& part : {blas_core(), std::to_string(blas_threads()), simd_target()}) {
    EXPECT_NE(line.find(part), std::string::npos) << line;
  }
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace feral::cpu
