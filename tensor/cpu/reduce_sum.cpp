// Sums and means.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/reduce_sum.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "tensor/cpu/fold_kernels.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/scalar_fold.hpp"
#include "tensor/cpu/sum_fold-inl.hpp"
#include "tensor/cpu/totals.hpp"

#ifndef FERAL_TENSOR_CPU_REDUCE_SUM_ONCE
#define FERAL_TENSOR_CPU_REDUCE_SUM_ONCE
namespace feral::cpu {

// The sum divided by arguments.number.
template <class Out>
void finish_quotient(std::byte* out, const std::byte* accumulators, std::int64_t n, std::int64_t stride,
                     const FoldArguments& arguments) {
  for (std::int64_t j = 0; j < n; ++j) {
    reinterpret_cast<Out*>(out)[j * stride] = static_cast<Out>(total_of(accumulators, j) / arguments.number);
  }
}

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

Fold pick_sum(DType dtype) {
  return dtype == DType::float64 ? sum_fold<Identity, double, double>(finish_quotient<double>)
                                 : sum_fold<Identity, float, float>(finish_quotient<float>);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_sum);

namespace {

struct IntegerSum {
  using Accumulator = std::uint64_t;  // wraps around
  static Accumulator neutral() { return 0; }
  static Accumulator fold(Accumulator sum, std::int64_t x, const FoldArguments&) {
    return sum + static_cast<std::uint64_t>(x);
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return a + b; }
  static std::int64_t result(Accumulator sum, const FoldArguments&) { return static_cast<std::int64_t>(sum); }
};

struct HalfSum {
  using Accumulator = double;
  static Accumulator neutral() { return 0; }
  static Accumulator fold(Accumulator sum, float x, const FoldArguments&) { return sum + static_cast<double>(x); }
  static Accumulator combine(Accumulator a, Accumulator b) { return a + b; }
  static float result(Accumulator sum, const FoldArguments& arguments) {
    return static_cast<float>(sum / arguments.number);
  }
};

}  // namespace

void reduce_sum(const Tensor& out, const Tensor& x, DimSet dims, double divisor) {
  const FoldArguments arguments{.number = divisor};
  if (has_gradient(x.dtype())) return run_fold(HWY_DYNAMIC_DISPATCH(pick_sum)(x.dtype()), out, x, dims, arguments);
  visit_dtype(x.dtype(), [&]<class T>() {
    if constexpr (is_half(dtype_of<T>)) {
      run_fold(scalar_fold<HalfSum, T, T>, out, x, dims, arguments);
    } else if constexpr (!is_floating(dtype_of<T>)) {
      run_fold(scalar_fold<IntegerSum, T, std::int64_t>, out, x, dims, arguments);
    }
  });
}

void sum_to(const Tensor& out, const Tensor& x) {
  DimSet dims;
  const int lead = x.dims() - out.dims();
  for (int dim = 0; dim < x.dims(); ++dim) {
    if (dim < lead || (out.shape()[dim - lead] == 1 && x.shape()[dim] != 1)) dims.insert(dim);
  }
  reduce_sum(out, x, dims, 1);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
