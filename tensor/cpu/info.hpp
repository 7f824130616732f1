// Which kernels this process runs on.
#pragma once

#include <string>

namespace feral::cpu {

// OpenBLAS's name for the kernels it picked: "Cooperlake", "Haswell".
std::string blas_core();
// Threads that OpenBLAS uses in this process.
int blas_threads();
// Highway's target: "AVX3", "AVX2".
std::string simd_target();
// One line for people: "OpenBLAS Cooperlake (1 thread), Highway AVX3".
std::string describe_kernels();

}  // namespace feral::cpu
