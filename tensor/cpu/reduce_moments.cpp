// Variances, norms and log-sum-exp: sums of functions of the elements, in float64.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/reduce_moments.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/cpu/fold_kernels.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/math-inl.hpp"
#include "tensor/cpu/scalar_fold.hpp"
#include "tensor/cpu/sum_fold-inl.hpp"
#include "tensor/cpu/totals.hpp"
#include "tensor/cpu/workspace.hpp"

#ifndef FERAL_TENSOR_CPU_REDUCE_MOMENTS_ONCE
#define FERAL_TENSOR_CPU_REDUCE_MOMENTS_ONCE
namespace feral::cpu {

// What is made of a sum: result(sum, number, parameter).
template <class Result, class Out>
void finish_sum(std::byte* out, const std::byte* accumulators, std::int64_t n, std::int64_t stride,
                const FoldArguments& arguments) {
  for (std::int64_t j = 0; j < n; ++j) {
    const double parameter =
        arguments.parameters == nullptr ? 0 : arguments.parameters[j * arguments.parameter_stride];
    const double sum = total_of(accumulators, j);
    reinterpret_cast<Out*>(out)[j * stride] = static_cast<Out>(Result()(sum, arguments.number, parameter));
  }
}
struct Quotient {
  double operator()(double sum, double number, double) const { return sum / number; }
};
struct RootOfQuotient {
  double operator()(double sum, double number, double) const { return std::sqrt(sum / number); }
};
struct ShiftedLogarithm {
  double operator()(double sum, double, double shift) const { return std::log(sum) + shift; }
};

enum class MomentSum : std::uint8_t {
  mean,
  deviations,
  root_of_deviations,
  absolutes,
  root_of_squares,
  exponentials
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

struct Absolute {
  static constexpr bool parametrized = false;
  template <class D, class V>
  HWY_ATTR V operator()(D, V x, V) const {
    return hn::Abs(x);
  }
};
struct Squared {
  static constexpr bool parametrized = false;
  template <class D, class V>
  HWY_ATTR V operator()(D, V x, V) const {
    return hn::Mul(x, x);
  }
};
struct SquaredDeviation {
  static constexpr bool parametrized = true;
  template <class D, class V>
  HWY_ATTR V operator()(D, V x, V mean) const {
    const auto deviation = hn::Sub(x, mean);
    return hn::Mul(deviation, deviation);
  }
};
struct ShiftedExponential {
  static constexpr bool parametrized = true;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x, V shift) const {
    return Exp()(d, hn::Sub(x, shift));
  }
};

template <class T>
Fold moment_fold(MomentSum sum) {
  switch (sum) {
    case MomentSum::mean:
      return sum_fold<Identity, double, T>(finish_sum<Quotient, double>);
    case MomentSum::deviations:
      return sum_fold<SquaredDeviation, double, T>(finish_sum<Quotient, T>);
    case MomentSum::root_of_deviations:
      return sum_fold<SquaredDeviation, double, T>(finish_sum<RootOfQuotient, T>);
    case MomentSum::absolutes:
      return sum_fold<Absolute, double, T>(finish_sum<Quotient, T>);
    case MomentSum::root_of_squares:
      return sum_fold<Squared, double, T>(finish_sum<RootOfQuotient, T>);
    case MomentSum::exponentials:
      return sum_fold<ShiftedExponential, T, T>(finish_sum<ShiftedLogarithm, T>);
  }
  __builtin_unreachable();
}

Fold pick_moment(MomentSum sum, DType dtype) {
  return dtype == DType::float64 ? moment_fold<double>(sum) : moment_fold<float>(sum);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_moment);

namespace {

void run_moment(MomentSum sum, const Tensor& out, const Tensor& x, DimSet dims, const FoldArguments& arguments) {
  run_fold(HWY_DYNAMIC_DISPATCH(pick_moment)(sum, x.dtype()), out, x, dims, arguments);
}

struct AbsolutePower {
  using Accumulator = double;
  static Accumulator neutral() { return 0; }
  template <class T>
  static Accumulator fold(Accumulator sum, T x, const FoldArguments& arguments) {
    return sum + std::pow(std::fabs(static_cast<double>(x)), arguments.number);
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return a + b; }
  static double result(Accumulator sum, const FoldArguments& arguments) {
    return std::pow(sum, 1 / arguments.number);
  }
};

struct Nonzeros : AbsolutePower {
  template <class T>
  static Accumulator fold(Accumulator count, T x, const FoldArguments&) {
    return x != 0 ? count + 1 : count;
  }
  static double result(Accumulator count, const FoldArguments&) { return count; }
};

struct LargestAbsolute {
  using Accumulator = double;
  static Accumulator neutral() { return 0; }
  template <class T>
  static Accumulator fold(Accumulator best, T x, const FoldArguments&) {
    return combine(best, std::fabs(static_cast<double>(x)));
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return a >= b || std::isnan(a) ? a : b; }
  static double result(Accumulator best, const FoldArguments&) { return best; }
};

struct SmallestAbsolute {
  using Accumulator = double;
  static Accumulator neutral() { return std::numeric_limits<double>::infinity(); }
  template <class T>
  static Accumulator fold(Accumulator best, T x, const FoldArguments&) {
    return combine(best, std::fabs(static_cast<double>(x)));
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return a <= b || std::isnan(a) ? a : b; }
  static double result(Accumulator best, const FoldArguments&) { return best; }
};

}  // namespace

void norm(const Tensor& out, const Tensor& x, DimSet dims, double p) {
  if (p == 1) return run_moment(MomentSum::absolutes, out, x, dims, {.number = 1});
  if (p == 2) return run_moment(MomentSum::root_of_squares, out, x, dims, {.number = 1});
  visit_floating(x.dtype(), [&]<class T>() {
    const Fold fold = p == 0           ? scalar_fold<Nonzeros, T, T>
                      : !std::isinf(p) ? scalar_fold<AbsolutePower, T, T>
                      : p > 0          ? scalar_fold<LargestAbsolute, T, T>
                                       : scalar_fold<SmallestAbsolute, T, T>;
    run_fold(fold, out, x, dims, {.number = p});
  });
}

void var(const Tensor& out, const Tensor& x, DimSet dims, double correction, bool root) {
  // Two passes, the second around the mean: no cancellation.
  const Tensor mean = Tensor::empty(out.shape(), DType::float64);
  const auto count = static_cast<double>(reduced_count(x.shape(), dims));
  run_moment(MomentSum::mean, mean, x, dims, {.number = count});
  run_moment(root ? MomentSum::root_of_deviations : MomentSum::deviations, out, x, dims,
             {.number = std::max(0.0, count - correction), .parameters = mean.data<double>()});
}

void logsumexp(const Tensor& out, const Tensor& x, DimSet dims) {
  const Tensor shift = Tensor::empty(out.shape(), DType::float64);
  double* shifts = shift.data<double>();
  if (x.numel() == 0) {
    fill(shift, 0);
  } else {
    const Tensor largest = Tensor::empty(out.shape(), x.dtype());
    reduce_extreme(largest, x, dims, true);
    copy(shift, largest);
    // Infinite elements are not shifted: inf - inf would be a NaN.
    for (std::int64_t i = 0; i < shift.numel(); ++i) shifts[i] = std::isinf(shifts[i]) ? 0 : shifts[i];
  }
  run_moment(MomentSum::exponentials, out, x, dims, {.parameters = shifts});
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
