// The functions of two operands that are computed element by element: the C library's, and those of integers.
#include "tensor/cpu/binary_elements.hpp"

#include <cmath>
#include <numbers>
#include <type_traits>

#include "tensor/cpu/element_rows.hpp"
#include "tensor/cpu/wrapping.hpp"

namespace feral::cpu {
namespace {

struct Pow {
  template <class T>
  T operator()(T a, T b) const {
    return std::pow(a, b);
  }
};
struct Atan2 {
  template <class T>
  T operator()(T a, T b) const {
    return std::atan2(a, b);
  }
};
struct Hypot {
  template <class T>
  T operator()(T a, T b) const {
    return std::hypot(a, b);
  }
};
// The remainder with the sign of the dividend.
struct Fmod {
  template <class T>
  T operator()(T a, T b) const {
    return std::fmod(a, b);
  }
};
// The remainder with the sign of the divisor, Python's %.
struct Remainder {
  template <class T>
  T operator()(T a, T b) const {
    const T rest = std::fmod(a, b);
    return rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest;
  }
};
// Python's //: the quotient rounded down, so that a = b * (a // b) + a % b.
struct FloorDivide {
  template <class T>
  T operator()(T a, T b) const {
    if (b == 0) return a / b;
    const T rest = std::fmod(a, b);
    T quotient = (a - rest) / b;
    if (rest != 0 && ((rest < 0) != (b < 0))) quotient -= 1;
    if (quotient == 0) return std::copysign(T{0}, a / b);
    // The division may have missed a whole number by little.
    const T whole = std::floor(quotient);
    return quotient - whole > T{0.5} ? whole + 1 : whole;
  }
};
// log(e^a + e^b) without overflow; float32 in float64, where the terms cancel without loss.
struct Logaddexp {
  template <class T>
  T operator()(T first, T second) const {
    const double a = first;
    const double b = second;
    if (a == b && std::isinf(a)) return first;
    const double larger = a > b ? a : b;
    return static_cast<T>(larger + std::log1p(std::exp(-std::fabs(a - b))));
  }
};
struct Logaddexp2 {
  template <class T>
  T operator()(T first, T second) const {
    const double a = first;
    const double b = second;
    if (a == b && std::isinf(a)) return first;
    const double larger = a > b ? a : b;
    return static_cast<T>(larger + std::log1p(std::exp2(-std::fabs(a - b))) * std::numbers::log2e);
  }
};
struct Xlogy {
  template <class T>
  T operator()(T a, T b) const {
    if (std::isnan(b)) return b;
    return a == 0 ? T{0} : a * std::log(b);
  }
};
struct Copysign {
  template <class T>
  T operator()(T a, T b) const {
    return std::copysign(a, b);
  }
};
struct Nextafter {
  template <class T>
  T operator()(T a, T b) const {
    return std::nextafter(a, b);
  }
};

// Of integers. No divisor is 0; the most negative number divided by -1 wraps around.

template <class T>
T negative(T a) {
  return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(a));
}
template <class T>
T magnitude(T a) {
  return a < 0 ? negative(a) : a;
}
// Of a negative exponent what is left when the fraction is cut off: 0, but ±1 for ±1.
struct IntegerPow {
  template <class T>
  T operator()(T base, T exponent) const {
    if (exponent < 0) {
      if (base == 1) return 1;
      if (base != T(-1)) return 0;
      return exponent % 2 == 0 ? T{1} : T(-1);
    }
    T result = 1;
    auto rest = static_cast<Wrapping<T>>(exponent);
    for (; rest != 0; rest = static_cast<Wrapping<T>>(rest >> 1U)) {
      if ((rest & 1U) != 0) result = wrapping_product(result, base);
      base = wrapping_product(base, base);
    }
    return result;
  }
};
struct IntegerFmod {
  template <class T>
  T operator()(T a, T b) const {
    return std::is_signed_v<T> && b == T(-1) ? T{0} : static_cast<T>(a % b);
  }
};
struct IntegerRemainder {
  template <class T>
  T operator()(T a, T b) const {
    const T rest = IntegerFmod()(a, b);
    return rest != 0 && ((rest < 0) != (b < 0)) ? static_cast<T>(rest + b) : rest;
  }
};
struct IntegerFloorDivide {
  template <class T>
  T operator()(T a, T b) const {
    if (std::is_signed_v<T> && b == T(-1)) return negative(a);
    const T quotient = static_cast<T>(a / b);
    return a % b != 0 && ((a < 0) != (b < 0)) ? static_cast<T>(quotient - 1) : quotient;
  }
};
struct BitwiseAnd {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};
struct BitwiseOr {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};
struct BitwiseXor {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};
// A shift by less than 0 or by the width or more leaves no bit, of a negative number shifted right the sign alone.
struct LeftShift {
  template <class T>
  T operator()(T a, T b) const {
    if (b < 0 || b >= static_cast<T>(8 * sizeof(T))) return 0;
    return static_cast<T>(static_cast<std::uint64_t>(a) << static_cast<unsigned>(b));
  }
};
struct RightShift {
  template <class T>
  T operator()(T a, T b) const {
    if (b < 0 || b >= static_cast<T>(8 * sizeof(T))) return a < 0 ? T(-1) : T{0};
    return static_cast<T>(a >> b);
  }
};
struct Gcd {
  template <class T>
  T operator()(T a, T b) const {
    while (b != 0) {
      const T rest = IntegerFmod()(a, b);
      a = b;
      b = rest;
    }
    return magnitude(a);
  }
};
struct Lcm {
  template <class T>
  T operator()(T a, T b) const {
    const T divisor = Gcd()(a, b);
    return divisor == 0 ? T{0} : magnitude(wrapping_product(static_cast<T>(a / divisor), b));
  }
};

template <class Function>
BinaryRow of_elements(DType dtype) {
  return dtype == DType::float64 ? binary_elements<Function, double, double>
                                 : binary_elements<Function, float, float>;
}

template <class Function, bool with_bool = false>
BinaryRow integers(DType dtype) {
  return visit_dtype(dtype, []<class T>() -> BinaryRow {
    if constexpr (std::is_integral_v<T> && (with_bool || !std::is_same_v<T, bool>)) {
      return binary_elements<Function, T, T>;
    } else {
      return nullptr;
    }
  });
}

template <class Function, class OfIntegers>
BinaryRow numbers(DType dtype) {
  return is_floating(dtype) ? of_elements<Function>(dtype) : integers<OfIntegers>(dtype);
}

}  // namespace

BinaryRow binary_elements_of(BinaryKernel kernel, DType dtype) {
  switch (kernel) {
    case BinaryKernel::pow:
      return numbers<Pow, IntegerPow>(dtype);
    case BinaryKernel::fmod:
      return numbers<Fmod, IntegerFmod>(dtype);
    case BinaryKernel::remainder:
      return numbers<Remainder, IntegerRemainder>(dtype);
    case BinaryKernel::floor_divide:
      return numbers<FloorDivide, IntegerFloorDivide>(dtype);
    case BinaryKernel::atan2:
      return of_elements<Atan2>(dtype);
    case BinaryKernel::hypot:
      return of_elements<Hypot>(dtype);
    case BinaryKernel::logaddexp:
      return of_elements<Logaddexp>(dtype);
    case BinaryKernel::logaddexp2:
      return of_elements<Logaddexp2>(dtype);
    case BinaryKernel::xlogy:
      return of_elements<Xlogy>(dtype);
    case BinaryKernel::copysign:
      return of_elements<Copysign>(dtype);
    case BinaryKernel::nextafter:
      return of_elements<Nextafter>(dtype);
    case BinaryKernel::bitwise_and:
      return integers<BitwiseAnd, true>(dtype);
    case BinaryKernel::bitwise_or:
      return integers<BitwiseOr, true>(dtype);
    case BinaryKernel::bitwise_xor:
      return integers<BitwiseXor, true>(dtype);
    case BinaryKernel::left_shift:
      return integers<LeftShift>(dtype);
    case BinaryKernel::right_shift:
      return integers<RightShift>(dtype);
    case BinaryKernel::gcd:
      return integers<Gcd>(dtype);
    case BinaryKernel::lcm:
      return integers<Lcm>(dtype);
    default:  // a vector
      return nullptr;
  }
}

}  // namespace feral::cpu
