// Products, questions of truth, and the way to the other reductions.
#include "tensor/cpu/fold_kernels.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/scalar_fold.hpp"

namespace feral::cpu {
namespace {

// Of floats, in float64: a product may leave float32's range on the way and come back.
struct FloatProduct {
  using Accumulator = double;
  static Accumulator neutral() { return 1; }
  template <class T>
  static Accumulator fold(Accumulator product, T x, const FoldArguments&) {
    return product * static_cast<double>(x);
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return a * b; }
  static double result(Accumulator product, const FoldArguments&) { return product; }
};

struct IntegerProduct {
  using Accumulator = std::uint64_t;  // wraps around
  static Accumulator neutral() { return 1; }
  static Accumulator fold(Accumulator product, std::int64_t x, const FoldArguments&) {
    return product * static_cast<std::uint64_t>(x);
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return a * b; }
  static std::int64_t result(Accumulator product, const FoldArguments&) {
    return static_cast<std::int64_t>(product);
  }
};

struct Any {
  using Accumulator = std::uint8_t;
  static Accumulator neutral() { return 0; }
  template <class T>
  static Accumulator fold(Accumulator any, T x, const FoldArguments&) {
    return static_cast<Accumulator>(any | static_cast<Accumulator>(x != T{0}));
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return static_cast<Accumulator>(a | b); }
  static bool result(Accumulator any, const FoldArguments&) { return any != 0; }
};

struct All {
  using Accumulator = std::uint8_t;
  static Accumulator neutral() { return 1; }
  template <class T>
  static Accumulator fold(Accumulator all, T x, const FoldArguments&) {
    return static_cast<Accumulator>(all & static_cast<Accumulator>(x != T{0}));
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return static_cast<Accumulator>(a & b); }
  static bool result(Accumulator all, const FoldArguments&) { return all != 0; }
};

struct CountNonzero {
  using Accumulator = std::int64_t;
  static Accumulator neutral() { return 0; }
  template <class T>
  static Accumulator fold(Accumulator count, T x, const FoldArguments&) {
    return count + static_cast<Accumulator>(x != T{0});
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return a + b; }
  static std::int64_t result(Accumulator count, const FoldArguments&) { return count; }
};

template <class T>
Fold product_fold() {
  if constexpr (is_half(dtype_of<T>)) {
    // Through float32: a double has no conversion to 16 bits.
    struct HalfProduct : FloatProduct {
      static float result(double product, const FoldArguments&) { return static_cast<float>(product); }
    };
    return scalar_fold<HalfProduct, T, T>;
  } else if constexpr (is_floating(dtype_of<T>)) {
    return scalar_fold<FloatProduct, T, T>;
  } else {
    return scalar_fold<IntegerProduct, T, std::int64_t>;
  }
}

}  // namespace

void reduce(ReduceKernel kernel, const Tensor& out, const Tensor& x, DimSet dims) {
  if (kernel == ReduceKernel::sum) return reduce_sum(out, x, dims, 1);
  if (kernel == ReduceKernel::mean) {
    return reduce_sum(out, x, dims, static_cast<double>(reduced_count(x.shape(), dims)));
  }
  if (kernel == ReduceKernel::amax) return reduce_extreme(out, x, dims, true);
  if (kernel == ReduceKernel::amin) return reduce_extreme(out, x, dims, false);
  visit_dtype(x.dtype(), [&]<class T>() {
    const Fold fold = kernel == ReduceKernel::prod  ? product_fold<T>()
                      : kernel == ReduceKernel::any ? scalar_fold<Any, T, bool>
                      : kernel == ReduceKernel::all ? scalar_fold<All, T, bool>
                                                    : scalar_fold<CountNonzero, T, std::int64_t>;
    run_fold(fold, out, x, dims);
  });
}

}  // namespace feral::cpu
