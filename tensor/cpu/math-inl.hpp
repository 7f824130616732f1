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

struct Exp {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    // Highway's exponent wraps around far above where the result is infinite, and a NaN comes out as 0.
    const auto y = hn::Exp(d, hn::Min(x, hn::Set(d, static_cast<T>(sizeof(T) == 4 ? 104 : 1000))));
    return hn::IfThenElse(hn::IsNaN(x), x, y);
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
    const auto e = Exp()(d, hn::Neg(hn::Abs(x)));
    const auto numerator = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one);
    return hn::Div(numerator, hn::Add(one, e));
  }
};

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
