// The functions of one operand that call the C library, or special_functions.hpp, element by element.
#include "tensor/cpu/unary_elements.hpp"

#include <cmath>

#include "tensor/cpu/element_rows.hpp"
#include "tensor/cpu/special_functions.hpp"

namespace feral::cpu {
namespace {

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
// log(1 + e^x), right at both ends: e^x below, x above.
FERAL_ELEMENT_FUNCTION(Softplus, std::fmax(x, T{0}) + std::log1p(std::exp(-std::fabs(x))) + (x != x ? x : T{0}))
// log(1 / (1 + e^-x)), -softplus(-x).
FERAL_ELEMENT_FUNCTION(Logsigmoid, -Softplus()(-x))
#undef FERAL_ELEMENT_FUNCTION

// Computed in float64, also for float32.
template <double (*function)(double)>
struct Special {
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(function(static_cast<double>(x)));
  }
};

template <class Function>
UnaryRow of_elements(DType dtype) {
  return dtype == DType::float64 ? unary_elements<Function, double, double>
                                 : unary_elements<Function, float, float>;
}

}  // namespace

UnaryRow unary_elements_of(UnaryKernel kernel, DType dtype) {
  switch (kernel) {
    case UnaryKernel::exp2:
      return of_elements<Exp2>(dtype);
    case UnaryKernel::expm1:
      return of_elements<Expm1>(dtype);
    case UnaryKernel::log2:
      return of_elements<Log2>(dtype);
    case UnaryKernel::log10:
      return of_elements<Log10>(dtype);
    case UnaryKernel::log1p:
      return of_elements<Log1p>(dtype);
    case UnaryKernel::sin:
      return of_elements<Sin>(dtype);
    case UnaryKernel::cos:
      return of_elements<Cos>(dtype);
    case UnaryKernel::tan:
      return of_elements<Tan>(dtype);
    case UnaryKernel::asin:
      return of_elements<Asin>(dtype);
    case UnaryKernel::acos:
      return of_elements<Acos>(dtype);
    case UnaryKernel::atan:
      return of_elements<Atan>(dtype);
    case UnaryKernel::sinh:
      return of_elements<Sinh>(dtype);
    case UnaryKernel::cosh:
      return of_elements<Cosh>(dtype);
    case UnaryKernel::tanh:
      return of_elements<Tanh>(dtype);
    case UnaryKernel::asinh:
      return of_elements<Asinh>(dtype);
    case UnaryKernel::acosh:
      return of_elements<Acosh>(dtype);
    case UnaryKernel::atanh:
      return of_elements<Atanh>(dtype);
    case UnaryKernel::erf:
      return of_elements<Erf>(dtype);
    case UnaryKernel::erfc:
      return of_elements<Erfc>(dtype);
    case UnaryKernel::softplus:
      return of_elements<Softplus>(dtype);
    case UnaryKernel::logsigmoid:
      return of_elements<Logsigmoid>(dtype);
    case UnaryKernel::erfinv:
      return of_elements<Special<erfinv>>(dtype);
    case UnaryKernel::lgamma:
      return of_elements<Special<cpu::lgamma>>(dtype);
    case UnaryKernel::digamma:
      return of_elements<Special<digamma>>(dtype);
    case UnaryKernel::logit:
      return of_elements<Special<logit>>(dtype);
    case UnaryKernel::sinc:
      return of_elements<Special<sinc>>(dtype);
    case UnaryKernel::gelu:
      return of_elements<Special<gelu>>(dtype);
    case UnaryKernel::gelu_slope:
      return of_elements<Special<gelu_slope>>(dtype);
    case UnaryKernel::gelu_tanh:
      return of_elements<Special<gelu_tanh>>(dtype);
    case UnaryKernel::gelu_tanh_slope:
      return of_elements<Special<gelu_tanh_slope>>(dtype);
    case UnaryKernel::silu:
      return of_elements<Special<silu>>(dtype);
    case UnaryKernel::silu_slope:
      return of_elements<Special<silu_slope>>(dtype);
    case UnaryKernel::mish:
      return of_elements<Special<mish>>(dtype);
    default:  // a vector
      return nullptr;
  }
}

}  // namespace feral::cpu
