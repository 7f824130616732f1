// Elementwise functions of one operand, float32 and float64. Those that matter for speed are vectors; the others
// call the C library element by element.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/unary.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <cmath>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/math-inl.hpp"
#include "tensor/cpu/row_types.hpp"
#include "tensor/cpu/rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Functions of one element.
#define FERAL_ELEMENT_FUNCTION(Name, expression) \
  struct Name {                                  \
    template <class T>                           \
    T operator()(T x) const {                    \
      return expression;                         \
    }                                            \
  };
FERAL_ELEMENT_FUNCTION(Exp2, std::exp2(x))
FERAL_ELEMENT_FUNCTION(Expm1, std::expm1(x))
FERAL_ELEMENT_FUNCTION(Log2, std::log2(x))
FERAL_ELEMENT_FUNCTION(Log10, std::log10(x))
FERAL_ELEMENT_FUNCTION(Log1p, std::log1p(x))
FERAL_ELEMENT_FUNCTION(Sin, std::sin(x))
FERAL_ELEMENT_FUNCTION(Cos, std::cos(x))
FERAL_ELEMENT_FUNCTION(Tan, std::tan(x))
FERAL_ELEMENT_FUNCTION(Asin, std::asin(x))
FERAL_ELEMENT_FUNCTION(Acos, std::acos(x))
FERAL_ELEMENT_FUNCTION(Atan, std::atan(x))
FERAL_ELEMENT_FUNCTION(Sinh, std::sinh(x))
FERAL_ELEMENT_FUNCTION(Cosh, std::cosh(x))
FERAL_ELEMENT_FUNCTION(Tanh, std::tanh(x))
FERAL_ELEMENT_FUNCTION(Asinh, std::asinh(x))
FERAL_ELEMENT_FUNCTION(Acosh, std::acosh(x))
FERAL_ELEMENT_FUNCTION(Atanh, std::atanh(x))
FERAL_ELEMENT_FUNCTION(Erf, std::erf(x))
FERAL_ELEMENT_FUNCTION(Erfc, std::erfc(x))
FERAL_ELEMENT_FUNCTION(Floor, std::floor(x))
FERAL_ELEMENT_FUNCTION(Ceil, std::ceil(x))
FERAL_ELEMENT_FUNCTION(Trunc, std::trunc(x))
FERAL_ELEMENT_FUNCTION(Round, std::nearbyint(x))  // ties to even, as NumPy and PyTorch round
FERAL_ELEMENT_FUNCTION(Sign, x > 0 ? T{1} : x < 0 ? T{-1} : x == 0 ? T{0} : x)
// log(1 + e^x), right at both ends: e^x below, x above.
FERAL_ELEMENT_FUNCTION(Softplus, std::fmax(x, T{0}) + std::log1p(std::exp(-std::fabs(x))) + (x != x ? x : T{0}))
#undef FERAL_ELEMENT_FUNCTION

template <class Op>
UnaryRow vectors(DType dtype) {
  return dtype == DType::float64 ? unary_row<Op, double> : unary_row<Op, float>;
}

template <class Function>
UnaryRow elements(DType dtype) {
  return dtype == DType::float64 ? unary_scalar_row<Function, double, double>
                                 : unary_scalar_row<Function, float, float>;
}

UnaryRow pick_unary(UnaryKernel kernel, DType dtype) {
  switch (kernel) {
    case UnaryKernel::exp:
      return vectors<Exp>(dtype);
    case UnaryKernel::log:
      return vectors<Log>(dtype);
    case UnaryKernel::relu:
      return vectors<Relu>(dtype);
    case UnaryKernel::sqrt:
      return vectors<Sqrt>(dtype);
    case UnaryKernel::rsqrt:
      return vectors<Rsqrt>(dtype);
    case UnaryKernel::reciprocal:
      return vectors<Reciprocal>(dtype);
    case UnaryKernel::abs:
      return vectors<Abs>(dtype);
    case UnaryKernel::square:
      return vectors<Square>(dtype);
    case UnaryKernel::sigmoid:
      return vectors<Sigmoid>(dtype);
    case UnaryKernel::exp2:
      return elements<Exp2>(dtype);
    case UnaryKernel::expm1:
      return elements<Expm1>(dtype);
    case UnaryKernel::log2:
      return elements<Log2>(dtype);
    case UnaryKernel::log10:
      return elements<Log10>(dtype);
    case UnaryKernel::log1p:
      return elements<Log1p>(dtype);
    case UnaryKernel::sin:
      return elements<Sin>(dtype);
    case UnaryKernel::cos:
      return elements<Cos>(dtype);
    case UnaryKernel::tan:
      return elements<Tan>(dtype);
    case UnaryKernel::asin:
      return elements<Asin>(dtype);
    case UnaryKernel::acos:
      return elements<Acos>(dtype);
    case UnaryKernel::atan:
      return elements<Atan>(dtype);
    case UnaryKernel::sinh:
      return elements<Sinh>(dtype);
    case UnaryKernel::cosh:
      return elements<Cosh>(dtype);
    case UnaryKernel::tanh:
      return elements<Tanh>(dtype);
    case UnaryKernel::asinh:
      return elements<Asinh>(dtype);
    case UnaryKernel::acosh:
      return elements<Acosh>(dtype);
    case UnaryKernel::atanh:
      return elements<Atanh>(dtype);
    case UnaryKernel::erf:
      return elements<Erf>(dtype);
    case UnaryKernel::erfc:
      return elements<Erfc>(dtype);
    case UnaryKernel::floor:
      return elements<Floor>(dtype);
    case UnaryKernel::ceil:
      return elements<Ceil>(dtype);
    case UnaryKernel::trunc:
      return elements<Trunc>(dtype);
    case UnaryKernel::round:
      return elements<Round>(dtype);
    case UnaryKernel::sign:
      return elements<Sign>(dtype);
    case UnaryKernel::softplus:
      return elements<Softplus>(dtype);
  }
  __builtin_unreachable();
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_unary);

void unary(UnaryKernel kernel, const Tensor& out, const Tensor& x) {
  run_rows(HWY_DYNAMIC_DISPATCH(pick_unary)(kernel, out.dtype()), out, x);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
