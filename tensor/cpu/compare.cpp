// Comparisons and tests of elements: results are bool. Loops that the compiler vectorizes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/compare.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <cmath>
#include <type_traits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/row_types.hpp"
#include "tensor/cpu/rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

struct Equal {
  template <class T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct NotEqual {
  template <class T>
  bool operator()(T a, T b) const {
    return a != b;
  }
};
struct Less {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct LessEqual {
  template <class T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};

struct IsNan {
  template <class T>
  bool operator()(T x) const {
    return x != x;
  }
};
struct IsInf {
  template <class T>
  bool operator()(T x) const {
    return x == x && x - x != x - x;
  }
};
struct IsFinite {
  template <class T>
  bool operator()(T x) const {
    return x - x == 0;
  }
};
struct Signbit {
  template <class T>
  bool operator()(T x) const {
    return std::signbit(x);
  }
};
// What they are of integers.
template <bool value>
struct Always {
  template <class T>
  bool operator()(T) const {
    return value;
  }
};
struct Negative {
  template <class T>
  bool operator()(T x) const {
    return x < T{0};
  }
};

template <class Function>
BinaryRow comparison(DType dtype) {
  return visit_dtype(dtype, []<class T>() -> BinaryRow {
    if constexpr (std::is_arithmetic_v<T>) {
      return binary_scalar_row<Function, bool, T>;
    } else {
      return nullptr;  // 16-bit floats are compared as float32
    }
  });
}

BinaryRow pick_compare(CompareKernel kernel, DType dtype) {
  switch (kernel) {
    case CompareKernel::equal:
      return comparison<Equal>(dtype);
    case CompareKernel::not_equal:
      return comparison<NotEqual>(dtype);
    case CompareKernel::less:
      return comparison<Less>(dtype);
    case CompareKernel::less_equal:
      return comparison<LessEqual>(dtype);
  }
  __builtin_unreachable();
}

template <class Function, class OfIntegers>
UnaryRow testing(DType dtype) {
  return visit_dtype(dtype, []<class T>() -> UnaryRow {
    if constexpr (std::is_floating_point_v<T>) {
      return unary_scalar_row<Function, bool, T>;
    } else if constexpr (std::is_integral_v<T>) {
      return unary_scalar_row<OfIntegers, bool, T>;
    } else {
      return nullptr;  // 16-bit floats are tested as float32
    }
  });
}

UnaryRow pick_test(TestKernel kernel, DType dtype) {
  switch (kernel) {
    case TestKernel::isnan:
      return testing<IsNan, Always<false>>(dtype);
    case TestKernel::isinf:
      return testing<IsInf, Always<false>>(dtype);
    case TestKernel::isfinite:
      return testing<IsFinite, Always<true>>(dtype);
    case TestKernel::signbit:
      return testing<Signbit, Negative>(dtype);
  }
  __builtin_unreachable();
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_compare);
HWY_EXPORT(pick_test);

void compare(CompareKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b) {
  run_rows(HWY_DYNAMIC_DISPATCH(pick_compare)(kernel, a.dtype()), out, a, b);
}

void test(TestKernel kernel, const Tensor& out, const Tensor& x) {
  run_rows(HWY_DYNAMIC_DISPATCH(pick_test)(kernel, x.dtype()), out, x);
}

void isclose(const Tensor& out, const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  visit_dtype(a.dtype(), [&]<class T>() {
    const auto close = [&](T x, T y) {
      if (x == y) return true;
      if (x != x && y != y) return equal_nan;
      // Integers by their exact distance, which float64 rounds.
      double distance = 0;
      if constexpr (std::is_same_v<T, std::int64_t>) {
        const auto first = static_cast<std::uint64_t>(x);
        const auto second = static_cast<std::uint64_t>(y);
        distance = static_cast<double>(x > y ? first - second : second - first);
      } else {
        distance = std::fabs(static_cast<double>(x) - static_cast<double>(y));
      }
      return std::isfinite(distance) && distance <= atol + std::fabs(rtol * static_cast<double>(y));
    };
    StridedLoop<3>({&out, &a, &b}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      bool* to = reinterpret_cast<bool*>(out.raw_data()) + offsets[0];
      const T* from_a = reinterpret_cast<const T*>(a.raw_data()) + offsets[1];
      const T* from_b = reinterpret_cast<const T*>(b.raw_data()) + offsets[2];
      for (std::int64_t i = 0; i < n; ++i)
        to[i * strides[0]] = close(from_a[i * strides[1]], from_b[i * strides[2]]);
    });
  });
}

bool has_zero(const Tensor& x) {
  return visit_dtype(x.dtype(), [&]<class T>() {
    bool found = false;
    StridedLoop<1>({&x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      const T* from = reinterpret_cast<const T*>(x.raw_data()) + offsets[0];
      for (std::int64_t i = 0; i < n; ++i) found |= static_cast<float>(from[i * strides[0]]) == 0;
    });
    return found;
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
