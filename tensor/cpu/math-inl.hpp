// Elementary functions on vectors of float32 and float64, compiled once an instruction set: include after
// hwy/foreach_target.h, in a file that is compiled for every target. Each is a struct called as Function()(d, x)
// with Highway's tag d and vector x; right at NaN, infinities, zeros and denormals. Has Highway's toggle instead of
// a plain include guard.
#if defined(FERAL_TENSOR_CPU_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_MATH_INL
#undef FERAL_TENSOR_CPU_MATH_INL
#else
#define FERAL_TENSOR_CPU_MATH_INL
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The least-squares polynomials of this header were fitted for it, to relative errors far below float32's last
// place.

template <class D, class V>
HWY_ATTR V horner(D, V, V sum) {
  return sum;
}
// (((sum x + c) x + ...) x + last.
template <class D, class V, class... Rest>
HWY_ATTR V horner(D d, V x, V sum, float c, Rest... rest) {
  return horner(d, x, hn::MulAdd(sum, x, hn::Set(d, c)), rest...);
}

// e^(x + low) in float32 as a number near 1 and a power of two, |x| < 2^20, |low| < 0.05.
template <class D>
struct SplitExp {
  using V = hn::Vec<D>;
  V mantissa;
  V shifted;  // the exponent, in the low bits of 1.5 * 2^23 + exponent

  HWY_ATTR SplitExp(D d, V x, V low) {
    const auto magic = hn::Set(d, 0x1.8p23F);
    shifted = hn::MulAdd(x, hn::Set(d, 1.44269504F), magic);  // rounds x / log 2
    const auto exponent = hn::Sub(shifted, magic);
    // log 2 in two parts; the first has few enough bits that the product is exact.
    auto rest = hn::MulAdd(exponent, hn::Set(d, -0.693145751953125F), x);
    rest = hn::Add(hn::MulAdd(exponent, hn::Set(d, -1.428606765330187045e-6F), rest), low);
    const auto p = horner(d, rest, hn::Set(d, 1.370953280e-03F), 8.380664513e-03F, 4.167166352e-02F,
                          1.666640490e-01F, 4.999997318e-01F);
    mantissa = hn::Add(hn::MulAdd(hn::Mul(rest, rest), p, rest), hn::Set(d, 1.0F));
  }
  // Where the result is a normal number: -87 < x < 87.
  HWY_ATTR V normal(D d) const {
    const hn::RebindToSigned<D> di;
    return hn::BitCast(d, hn::Add(hn::BitCast(di, mantissa), hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
  }
  // For -104 <= x <= 104, denormals and infinity included.
  HWY_ATTR V any(D d) const {
    const hn::RebindToSigned<D> di;
    const auto exponent = hn::Sub(hn::BitCast(di, shifted), hn::Set(di, 0x4b400000));
    const auto half = hn::ShiftRight<1>(exponent);
    const auto power = [&](auto e)
                           HWY_ATTR { return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(e, hn::Set(di, 127)))); };
    return hn::Mul(hn::Mul(mantissa, power(half)), power(hn::Sub(exponent, half)));
  }
};

struct Exp {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    if constexpr (sizeof(hn::TFromD<D>) == 4) {
      if (hn::AllTrue(d, hn::Lt(hn::Abs(x), hn::Set(d, 87.0F)))) return SplitExp<D>(d, x, hn::Zero(d)).normal(d);
      const auto within = hn::Max(hn::Min(x, hn::Set(d, 104.0F)), hn::Set(d, -104.0F));
      return hn::IfThenElse(hn::IsNaN(x), x, SplitExp<D>(d, within, hn::Zero(d)).any(d));
    } else {
      // Highway's exponent wraps around far above where the result is infinite, and a NaN comes out as 0.
      return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, hn::Min(x, hn::Set(d, 1000.0))));
    }
  }
};
struct Log {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    // Highway's holds for finite numbers above 0 alone.
    const auto zero = hn::Zero(d);
    const auto infinity = hn::Set(d, std::numeric_limits<T>::infinity());
    const auto nan = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
    const auto positive = hn::Gt(x, zero);
    const auto beyond = hn::IfThenElse(positive, x, hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), nan));
    return hn::IfThenElse(hn::And(positive, hn::Lt(x, infinity)), hn::Log(d, x), beyond);
  }
};
struct Relu {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    // A NaN stays one, as PyTorch has it: it is not below zero.
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
  }
};
struct Sqrt {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Sqrt(x);
  }
};
struct Rsqrt {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Div(hn::Set(d, hn::TFromD<D>{1}), hn::Sqrt(x));
  }
};
struct Reciprocal {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Div(hn::Set(d, hn::TFromD<D>{1}), x);
  }
};
struct Abs {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Abs(x);
  }
};
struct Square {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Mul(x, x);
  }
};
struct Floor {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Floor(x);
  }
};
struct Ceil {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Ceil(x);
  }
};
struct Trunc {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Trunc(x);
  }
};
struct Round {  // ties to even, as NumPy and PyTorch round
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Round(x);
  }
};
struct Frac {
  template <class D, class V>
  HWY_ATTR V operator()(D, V x) const {
    return hn::Sub(x, hn::Trunc(x));
  }
};
struct Sign {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto zero = hn::Zero(d);
    const auto one = hn::Set(d, hn::TFromD<D>{1});
    // Adding 0 takes the sign of a zero and leaves a NaN.
    return hn::IfThenElse(hn::Gt(x, zero), one, hn::IfThenElse(hn::Lt(x, zero), hn::Neg(one), hn::Add(x, zero)));
  }
};
struct Sigmoid {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    // With e^-|x|, which never overflows: small results keep all their digits.
    const auto one = hn::Set(d, hn::TFromD<D>{1});
    if constexpr (sizeof(hn::TFromD<D>) == 4) {
      if (hn::AllTrue(d, hn::Lt(hn::Abs(x), hn::Set(d, 87.0F)))) {
        return hn::Div(one, hn::Add(one, SplitExp<D>(d, hn::Neg(x), hn::Zero(d)).normal(d)));
      }
    }
    const auto e = Exp()(d, hn::Neg(hn::Abs(x)));
    const auto numerator = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one);
    return hn::Div(numerator, hn::Add(one, e));
  }
};

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
