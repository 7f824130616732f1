// Functions of float32 vectors that are computed in float64 and rounded once: exact to the last place, NaN,
// infinities, zeros and denormals included. Included as tensor/cpu/math-inl.hpp is. Has Highway's toggle instead of
// a plain include guard.
#if defined(FERAL_TENSOR_CPU_THROUGH_FLOAT64_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_THROUGH_FLOAT64_INL
#undef FERAL_TENSOR_CPU_THROUGH_FLOAT64_INL
#else
#define FERAL_TENSOR_CPU_THROUGH_FLOAT64_INL
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "tensor/cpu/float32-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Function, one of float64 vectors, on both halves.
template <class Function>
struct ThroughFloat64 {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
#if HWY_TARGET == HWY_SCALAR  // one lane has no halves
    const hn::Rebind<double, D> d64;
    return hn::DemoteTo(d, Function()(d64, hn::PromoteTo(d64, x)));
#else
    const hn::Half<D> half;
    const hn::Rebind<double, decltype(half)> d64;
    const Function function;
    const auto low = function(d64, hn::PromoteTo(d64, hn::LowerHalf(half, x)));
    const auto high = function(d64, hn::PromoteTo(d64, hn::UpperHalf(half, x)));
    return hn::Combine(d, hn::DemoteTo(half, high), hn::DemoteTo(half, low));
#endif
  }
};

// The same of two operands.
template <class Function>
struct ThroughFloat64Of2 {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V a, V b) const {
#if HWY_TARGET == HWY_SCALAR
    const hn::Rebind<double, D> d64;
    return hn::DemoteTo(d, Function()(d64, hn::PromoteTo(d64, a), hn::PromoteTo(d64, b)));
#else
    const hn::Half<D> half;
    const hn::Rebind<double, decltype(half)> d64;
    const Function function;
    const auto low =
        function(d64, hn::PromoteTo(d64, hn::LowerHalf(half, a)), hn::PromoteTo(d64, hn::LowerHalf(half, b)));
    const auto high =
        function(d64, hn::PromoteTo(d64, hn::UpperHalf(half, a)), hn::PromoteTo(d64, hn::UpperHalf(half, b)));
    return hn::Combine(d, hn::DemoteTo(half, high), hn::DemoteTo(half, low));
#endif
  }
};

// Highway's functions where they hold, the C library's elsewhere.
#define FERAL_WIDE_FUNCTION(Name, formula, where, library)                      \
  struct Name {                                                                 \
    template <class D, class V>                                                 \
    HWY_ATTR V operator()(D d, V x) const {                                     \
      return with_rest(d, x, formula, where, [](double v) { return library; }); \
    }                                                                           \
  };
#define FERAL_NUMBER(number) hn::Set(d, static_cast<double>(number))
// NaN elsewhere than `where`; every lane.
#define FERAL_WITHIN(where, y) hn::IfThenElse(where, y, FERAL_NUMBER(std::numeric_limits<double>::quiet_NaN()))
#define FERAL_ALL hn::Eq(hn::Zero(d), hn::Zero(d))
FERAL_WIDE_FUNCTION(WideExpm1, hn::CopySign(hn::Expm1(d, x), x), hn::Lt(hn::Abs(x), FERAL_NUMBER(700)),
                    std::expm1(v))
FERAL_WIDE_FUNCTION(WideLog1p, FERAL_WITHIN(hn::Gt(x, FERAL_NUMBER(-1)), hn::Log1p(d, x)),
                    hn::AndNot(hn::Eq(x, FERAL_NUMBER(-1)), hn::Not(hn::Ge(x, FERAL_NUMBER(1e300)))), std::log1p(v))
FERAL_WIDE_FUNCTION(WideTan, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, hn::Div(hn::Sin(d, x), hn::Cos(d, x))),
                    hn::Lt(hn::Abs(x), FERAL_NUMBER(30000)), std::tan(v))
FERAL_WIDE_FUNCTION(WideAsin, FERAL_WITHIN(hn::Le(hn::Abs(x), FERAL_NUMBER(1)), hn::Asin(d, x)), FERAL_ALL,
                    std::asin(v))
FERAL_WIDE_FUNCTION(WideAcos, FERAL_WITHIN(hn::Le(hn::Abs(x), FERAL_NUMBER(1)), hn::Acos(d, x)), FERAL_ALL,
                    std::acos(v))
FERAL_WIDE_FUNCTION(WideAtan, hn::Atan(d, x), hn::Lt(hn::Abs(x), FERAL_NUMBER(1e300)), std::atan(v))
FERAL_WIDE_FUNCTION(WideSinh, hn::Sinh(d, x), hn::Lt(hn::Abs(x), FERAL_NUMBER(700)), std::sinh(v))
FERAL_WIDE_FUNCTION(WideAsinh, hn::Asinh(d, x), hn::Lt(hn::Abs(x), FERAL_NUMBER(1e300)), std::asinh(v))
FERAL_WIDE_FUNCTION(WideAcosh, hn::Acosh(d, x), hn::And(hn::Ge(x, FERAL_NUMBER(1)), hn::Lt(x, FERAL_NUMBER(1e300))),
                    std::acosh(v))
FERAL_WIDE_FUNCTION(WideAtanh, hn::Atanh(d, x), hn::Lt(hn::Abs(x), FERAL_NUMBER(1)), std::atanh(v))
#undef FERAL_WIDE_FUNCTION
#undef FERAL_WITHIN
#undef FERAL_ALL

// What x, or x + π/2, is past the nearest multiple of π, negated for an odd one: its sine is that of x, or the
// cosine. (Cody and Waite's reduction, π in three parts, the products with the first two exact for |x| < 2^20.)
template <bool cosine>
struct ReduceToSine {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto magic = FERAL_NUMBER(0x1.8p52);
    const auto turns = hn::MulAdd(x, FERAL_NUMBER(std::numbers::inv_pi), FERAL_NUMBER(cosine ? 0.5 : 0));
    const auto shifted = hn::Add(turns, magic);
    auto multiple = hn::Sub(shifted, magic);
    if constexpr (cosine) multiple = hn::Sub(multiple, FERAL_NUMBER(0.5));
    auto rest = hn::MulAdd(multiple, FERAL_NUMBER(-0x1.921fb544p+1), x);
    rest = hn::MulAdd(multiple, FERAL_NUMBER(-0x1.0b4611a6p-33), rest);
    rest = hn::MulAdd(multiple, FERAL_NUMBER(-0x1.3198a2e037073p-68), rest);
    const hn::RebindToUnsigned<D> du;
    return hn::Xor(rest, hn::BitCast(d, hn::ShiftLeft<63>(hn::BitCast(du, shifted))));
  }
};
template <bool cosine>
struct Sine {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto rest = ThroughFloat64<ReduceToSine<cosine>>()(d, x);
    const auto square = hn::Mul(rest, rest);
    const auto p = horner(d, square, hn::Set(d, -2.388533282e-08F), 2.752516366e-06F, -1.984086412e-04F,
                          8.333330974e-03F, -1.666666716e-01F);
    const auto y = hn::CopySign(hn::MulAdd(hn::Mul(rest, square), p, rest), rest);
    return with_rest(d, x, y, hn::Lt(hn::Abs(x), hn::Set(d, 1e6F)),
                     [](float v) { return cosine ? std::cos(v) : std::sin(v); });
  }
};
using Sin = Sine<false>;
using Cos = Sine<true>;
struct WideCosh {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto half = hn::Mul(Exp()(d, hn::Abs(x)), FERAL_NUMBER(0.5));
    return hn::Add(half, hn::Div(FERAL_NUMBER(0.25), half));
  }
};
struct WideExp2 {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return Exp()(d, hn::Mul(x, FERAL_NUMBER(std::numbers::ln2)));
  }
};
struct WideLog2 {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Mul(Log()(d, x), FERAL_NUMBER(std::numbers::log2e));
  }
};
struct WideLog10 {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Mul(Log()(d, x), FERAL_NUMBER(std::numbers::log10e));
  }
};
// log(1 + e^x)
struct WideSoftplus {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto e = Exp()(d, hn::Neg(hn::Abs(x)));
    const auto larger = hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);  // a NaN stays one
    return hn::Add(larger, hn::Log1p(d, e));
  }
};
struct WideLogsigmoid {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Neg(WideSoftplus()(d, hn::Neg(x)));
  }
};
// x (1 + tanh u) / 2 = x / (1 + e^-2u), u = √(2/π) (x + 0.044715 x³)
struct WideGeluTanh {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto cubic = hn::MulAdd(hn::Mul(x, x), FERAL_NUMBER(0.044715), FERAL_NUMBER(1));
    const auto twice = hn::Mul(hn::Mul(x, cubic), FERAL_NUMBER(-1.5957691216057307117597842397375275));
    return hn::Div(x, hn::Add(FERAL_NUMBER(1), Exp()(d, twice)));
  }
};
struct WideGeluTanhSlope {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto one = FERAL_NUMBER(1);
    const auto c = FERAL_NUMBER(1.5957691216057307117597842397375275);
    const auto square = hn::Mul(x, x);
    const auto twice = hn::Mul(hn::Mul(x, hn::MulAdd(square, FERAL_NUMBER(0.044715), one)), c);
    const auto slope = hn::Mul(hn::MulAdd(square, FERAL_NUMBER(3 * 0.044715), one), c);
    const auto sigmoid = hn::Div(one, hn::Add(one, Exp()(d, hn::Neg(twice))));
    const auto y = hn::Mul(sigmoid, hn::MulAdd(hn::Mul(x, slope), hn::Sub(one, sigmoid), one));
    return with_rest(d, x, y, hn::Lt(hn::Abs(x), FERAL_NUMBER(10)), [](double v) { return gelu_tanh_slope(v); });
  }
};
// x tanh(log(1 + n)) = x n (n + 2) / (n (n + 2) + 2), n = e^x
struct WideMish {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto two = FERAL_NUMBER(2);
    const auto n = Exp()(d, hn::Min(x, FERAL_NUMBER(100)));
    const auto product = hn::Mul(n, hn::Add(n, two));
    return with_rest(d, x, hn::Mul(x, hn::Div(product, hn::Add(product, two))), hn::Gt(x, FERAL_NUMBER(-700)),
                     [](double v) { return mish(v); });
  }
};
// a^b = ±e^(b log |a|) where a is not 0 and both are finite; the sign is a's when b is odd, and of a negative a
// there is no other than a whole power.
struct WidePow {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V a, V b) const {
    const auto magnitude = hn::Abs(a);
    const auto good = hn::And(hn::And(hn::Gt(magnitude, hn::Zero(d)), hn::Lt(magnitude, FERAL_NUMBER(1e300))),
                              hn::Lt(hn::Abs(b), FERAL_NUMBER(1e300)));
    const auto power = Exp()(d, hn::Mul(b, hn::Log(d, magnitude)));
    const auto half = hn::Mul(b, FERAL_NUMBER(0.5));
    const auto even = hn::Eq(hn::Round(half), half);
    const auto whole = hn::Eq(hn::Round(b), b);
    const auto of_negative = hn::IfThenElse(
        even, power, hn::IfThenElse(whole, hn::Neg(power), FERAL_NUMBER(std::numeric_limits<double>::quiet_NaN())));
    const auto y = hn::IfThenElse(hn::Lt(a, hn::Zero(d)), of_negative, power);
    if (HWY_LIKELY(hn::AllTrue(d, good))) return y;
    HWY_ALIGN double from_a[hn::MaxLanes(D())];
    HWY_ALIGN double from_b[hn::MaxLanes(D())];
    HWY_ALIGN double to[hn::MaxLanes(D())];
    hn::Store(a, d, from_a);
    hn::Store(b, d, from_b);
    hn::Store(y, d, to);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) {
      const bool ordinary = from_a[i] != 0 && std::fabs(from_a[i]) < 1e300 && std::fabs(from_b[i]) < 1e300;
      if (!ordinary) to[i] = std::pow(from_a[i], from_b[i]);
    }
    return hn::Load(d, to);
  }
};
#undef FERAL_NUMBER

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
