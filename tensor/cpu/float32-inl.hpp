// Functions of float32 vectors with approximations of their own, right at NaN, infinities, zeros and denormals.
// Included as tensor/cpu/math-inl.hpp is. Has Highway's toggle instead of a plain include guard.
#if defined(FERAL_TENSOR_CPU_FLOAT32_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_FLOAT32_INL
#undef FERAL_TENSOR_CPU_FLOAT32_INL
#else
#define FERAL_TENSOR_CPU_FLOAT32_INL
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>

#include "tensor/cpu/math-inl.hpp"
#include "tensor/cpu/normal_table.hpp"
#include "tensor/cpu/special_functions.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// y with the lanes that are not `good` computed one by one: arguments that are rare.
template <class D, class V, class M, class Function>
HWY_ATTR V with_rest(D d, V x, V y, M good, Function function) {
  if (HWY_LIKELY(hn::AllTrue(d, good))) return y;
  using T = hn::TFromD<D>;
  HWY_ALIGN T from[hn::MaxLanes(D())];
  HWY_ALIGN T to[hn::MaxLanes(D())];
  HWY_ALIGN T done[hn::MaxLanes(D())];
  hn::Store(x, d, from);
  hn::Store(y, d, to);
  hn::Store(hn::IfThenElseZero(good, hn::Set(d, T{1})), d, done);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) {
    if (done[i] == 0) to[i] = static_cast<T>(function(from[i]));
  }
  return hn::Load(d, to);
}

struct Tanh {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto magnitude = hn::Abs(x);
    const auto square = hn::Mul(x, x);
    const auto p = horner(d, square, hn::Set(d, 2.141082892e-03F), -8.175288327e-03F, 2.169983089e-02F,
                          -5.394660309e-02F, 1.333320439e-01F, -3.333333135e-01F);
    const auto small = hn::MulAdd(hn::Mul(magnitude, square), p, magnitude);
    // 1 - 2 / (e^2x + 1)
    const auto twice = hn::Add(magnitude, magnitude);
    const auto e = SplitExp<D>(d, hn::Min(twice, hn::Set(d, 20.0F)), hn::Zero(d)).normal(d);
    const auto one = hn::Set(d, 1.0F);
    const auto large = hn::Sub(one, hn::Div(hn::Set(d, 2.0F), hn::Add(e, one)));
    const auto y = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0.625F)), small, large);
    return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(y, x));
  }
};

// e^(-scale x²) without the error of the rounded square.
template <class D, class V>
HWY_ATTR SplitExp<D> bell(D d, V magnitude, float scale) {
  const auto factor = hn::Set(d, -scale);
#if HWY_NATIVE_FMA
  const auto square = hn::Mul(magnitude, magnitude);
  const auto low = hn::MulSub(magnitude, magnitude, square);
  return SplitExp<D>(d, hn::Mul(square, factor), hn::Mul(low, factor));
#else  // the leading half of x has an exact square
  const hn::RebindToUnsigned<D> du;
  const auto high = hn::BitCast(d, hn::And(hn::BitCast(du, magnitude), hn::Set(du, 0xfffff000U)));
  const auto low = hn::Mul(hn::Sub(magnitude, high), hn::Add(magnitude, high));
  return SplitExp<D>(d, hn::Mul(hn::Mul(high, high), factor), hn::Mul(low, factor));
#endif
}

// e^(z²) erfc(z), times `factor`, for 0.6 <= z <= 9.3 given as 0.6 z: a polynomial in
// 1 / (1 + 0.6 z).
template <class D, class V>
HWY_ATTR V scaled_erfc(D d, V z, float factor) {
  const auto one = hn::Set(d, 1.0F);
  const auto u = hn::Div(one, hn::Add(one, z));
  return horner(d, u, hn::Set(d, factor * -1.150585040e-01F), factor * 4.994797409e-01F, factor * -7.835478187e-01F,
                factor * 4.035532773e-01F, factor * 1.259223185e-02F, factor * 3.101503849e-01F,
                factor * 3.339439631e-01F, factor * 3.388740420e-01F, factor * -1.218354009e-05F);
}

// erf(z) / z, or factor times it, for |z| < 0.65 given as z².
template <class D, class V>
HWY_ATTR V erf_quotient(D d, V square, float factor) {
  return horner(d, square, hn::Set(d, factor * -7.154511986e-04F), factor * 5.159473512e-03F,
                factor * -2.685215697e-02F, factor * 1.128365248e-01F, factor * -3.761263490e-01F,
                factor * 1.128379226e+00F);
}

struct Erf {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto magnitude = hn::Min(hn::Abs(x), hn::Set(d, 4.5F));
    const auto square = hn::Mul(magnitude, magnitude);
    const auto small = hn::Mul(magnitude, erf_quotient(d, square, 1));
    const auto tail = hn::Mul(SplitExp<D>(d, hn::Neg(square), hn::Zero(d)).normal(d),
                              scaled_erfc(d, hn::Mul(magnitude, hn::Set(d, 0.6F)), 1));
    const auto y = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0.65F)), small, hn::Sub(hn::Set(d, 1.0F), tail));
    return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(y, x));
  }
};

struct Erfc {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto limit = hn::Set(d, 9.3F);
    const auto magnitude = hn::Min(hn::Abs(x), limit);
    const auto tail =
        hn::Mul(bell(d, magnitude, 1).normal(d), scaled_erfc(d, hn::Mul(magnitude, hn::Set(d, 0.6F)), 1));
    const auto far = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(hn::Set(d, 2.0F), tail), tail);
    const auto near = hn::NegMulAdd(x, erf_quotient(d, hn::Mul(x, x), 1), hn::Set(d, 1.0F));
    const auto y = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0.65F)), near, far);
    return with_rest(d, x, y, hn::Lt(x, limit), [](float v) { return std::erfc(v); });
  }
};

// The density of the normal distribution at x, and the distribution at -|x|, for |x| <= 12.5.
template <class D>
struct Normal {
  using V = hn::Vec<D>;
  V density;
  V tail;

  HWY_ATTR Normal(D d, V magnitude) {
    const auto value = bell(d, magnitude, 0.5F).normal(d);
    density = hn::Mul(value, hn::Set(d, 0.398942280F));  // 1 / √(2π)
    // 0.6 / √2
    const auto far = hn::Mul(value, scaled_erfc(d, hn::Mul(magnitude, hn::Set(d, 0.424264069F)), 0.5F));
    // 1/2 - erf(x/√2) / 2
    const auto half_square = hn::Mul(hn::Mul(magnitude, magnitude), hn::Set(d, 0.5F));
    const auto near = hn::NegMulAdd(magnitude, erf_quotient(d, half_square, 0.353553391F), hn::Set(d, 0.5F));
    tail = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0.9F)), near, far);
  }
};

#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
// Φ(-magnitude) for magnitude < 3.9: one register holds half a row of the table.
template <class D, class V>
HWY_ATTR V normal_tail_in_pieces(D d, V magnitude) {
  const auto magic = hn::Set(d, 0x1.8p20F);
  const auto shifted = hn::Add(magnitude, magic);  // rounds to eighths; its low bits count them
  const auto t = hn::Sub(magnitude, hn::Sub(shifted, magic));
  const auto coefficient = [&](int k) HWY_ATTR {
    return V{_mm512_permutex2var_ps(_mm512_load_ps(normal_tail[k]), _mm512_castps_si512(shifted.raw),
                                    _mm512_load_ps(normal_tail[k] + 16))};
  };
  auto sum = hn::MulAdd(coefficient(5), t, coefficient(4));
  sum = hn::MulAdd(sum, t, coefficient(3));
  sum = hn::MulAdd(sum, t, coefficient(2));
  sum = hn::MulAdd(sum, t, coefficient(1));
  return hn::MulAdd(sum, t, coefficient(0));
}
#endif

// x Φ(x) = max(x, 0) - |x| Φ(-|x|), with the sign of x: of a zero, too.
struct Gelu {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto magnitude = hn::Abs(x);
    const auto positive = hn::Max(x, hn::Zero(d));
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
    if (HWY_LIKELY(hn::AllTrue(d, hn::Lt(magnitude, hn::Set(d, 3.9F))))) {
      return hn::CopySign(hn::NegMulAdd(magnitude, normal_tail_in_pieces(d, magnitude), positive), x);
    }
#endif
    const Normal<D> normal(d, hn::Min(magnitude, hn::Set(d, 12.5F)));
    const auto far = hn::IfThenElse(hn::Gt(x, hn::Set(d, 12.5F)), x,
                                    hn::CopySign(hn::NegMulAdd(magnitude, normal.tail, positive), x));
    return with_rest(d, x, far, hn::Gt(x, hn::Set(d, -12.5F)), [](float v) { return cpu::gelu(double{v}); });
  }
};
struct GeluSlope {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const Normal<D> normal(d, hn::Min(hn::Abs(x), hn::Set(d, 12.5F)));
    const auto below = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), normal.tail, hn::Sub(hn::Set(d, 1.0F), normal.tail));
    const auto y = hn::MulAdd(x, normal.density, below);
    return with_rest(d, x, y, hn::Lt(hn::Abs(x), hn::Set(d, 12.5F)),
                     [](float v) { return cpu::gelu_slope(double{v}); });
  }
};

// x / (1 + e^-x)
struct Silu {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto bounded = hn::Min(x, hn::Set(d, 80.0F));
    const auto e = SplitExp<D>(d, hn::Neg(bounded), hn::Zero(d)).normal(d);
    const auto y = hn::Div(x, hn::Add(hn::Set(d, 1.0F), e));
    return with_rest(d, x, y, hn::Gt(x, hn::Set(d, -80.0F)), [](float v) { return cpu::silu(double{v}); });
  }
};
struct SiluSlope {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const auto one = hn::Set(d, 1.0F);
    const auto sigmoid = Sigmoid()(d, x);
    const auto y = hn::Mul(sigmoid, hn::MulAdd(x, hn::Sub(one, sigmoid), one));
    return with_rest(d, x, y, hn::Lt(hn::Abs(x), hn::Set(d, 80.0F)),
                     [](float v) { return cpu::silu_slope(double{v}); });
  }
};

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
