// Elementwise functions of one operand, float32 and float64: those that are vectors. tensor/cpu/unary_elements.cpp
// has the others.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/unary.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "tensor/cpu/float32-inl.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/math-inl.hpp"
#include "tensor/cpu/row_types.hpp"
#include "tensor/cpu/rows-inl.hpp"
#include "tensor/cpu/through_float64-inl.hpp"
#include "tensor/cpu/unary_elements.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class Op>
UnaryRow vectors(DType dtype) {
  return dtype == DType::float64 ? unary_row<Op, double> : unary_row<Op, float>;
}

template <class Op>
UnaryRow vectors_of_float32(UnaryKernel kernel, DType dtype) {
  return dtype == DType::float64 ? unary_elements_of(kernel, dtype) : unary_row<Op, float>;
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
    case UnaryKernel::floor:
      return vectors<Floor>(dtype);
    case UnaryKernel::ceil:
      return vectors<Ceil>(dtype);
    case UnaryKernel::trunc:
      return vectors<Trunc>(dtype);
    case UnaryKernel::round:
      return vectors<Round>(dtype);
    case UnaryKernel::sign:
      return vectors<Sign>(dtype);
    case UnaryKernel::frac:
      return vectors<Frac>(dtype);
    case UnaryKernel::tanh:
      return vectors_of_float32<Tanh>(kernel, dtype);
    case UnaryKernel::erf:
      return vectors_of_float32<Erf>(kernel, dtype);
    case UnaryKernel::erfc:
      return vectors_of_float32<Erfc>(kernel, dtype);
    case UnaryKernel::gelu:
      return vectors_of_float32<Gelu>(kernel, dtype);
    case UnaryKernel::gelu_slope:
      return vectors_of_float32<GeluSlope>(kernel, dtype);
    case UnaryKernel::silu:
      return vectors_of_float32<Silu>(kernel, dtype);
    case UnaryKernel::silu_slope:
      return vectors_of_float32<SiluSlope>(kernel, dtype);
    case UnaryKernel::expm1:
      return vectors_of_float32<ThroughFloat64<WideExpm1>>(kernel, dtype);
    case UnaryKernel::log1p:
      return vectors_of_float32<ThroughFloat64<WideLog1p>>(kernel, dtype);
    case UnaryKernel::sin:
      return vectors_of_float32<Sin>(kernel, dtype);
    case UnaryKernel::cos:
      return vectors_of_float32<Cos>(kernel, dtype);
    case UnaryKernel::tan:
      return vectors_of_float32<ThroughFloat64<WideTan>>(kernel, dtype);
    case UnaryKernel::asin:
      return vectors_of_float32<ThroughFloat64<WideAsin>>(kernel, dtype);
    case UnaryKernel::acos:
      return vectors_of_float32<ThroughFloat64<WideAcos>>(kernel, dtype);
    case UnaryKernel::atan:
      return vectors_of_float32<ThroughFloat64<WideAtan>>(kernel, dtype);
    case UnaryKernel::sinh:
      return vectors_of_float32<ThroughFloat64<WideSinh>>(kernel, dtype);
    case UnaryKernel::cosh:
      return vectors_of_float32<ThroughFloat64<WideCosh>>(kernel, dtype);
    case UnaryKernel::asinh:
      return vectors_of_float32<ThroughFloat64<WideAsinh>>(kernel, dtype);
    case UnaryKernel::acosh:
      return vectors_of_float32<ThroughFloat64<WideAcosh>>(kernel, dtype);
    case UnaryKernel::atanh:
      return vectors_of_float32<ThroughFloat64<WideAtanh>>(kernel, dtype);
    case UnaryKernel::exp2:
      return vectors_of_float32<ThroughFloat64<WideExp2>>(kernel, dtype);
    case UnaryKernel::log2:
      return vectors_of_float32<ThroughFloat64<WideLog2>>(kernel, dtype);
    case UnaryKernel::log10:
      return vectors_of_float32<ThroughFloat64<WideLog10>>(kernel, dtype);
    case UnaryKernel::softplus:
      return vectors_of_float32<ThroughFloat64<WideSoftplus>>(kernel, dtype);
    case UnaryKernel::logsigmoid:
      return vectors_of_float32<ThroughFloat64<WideLogsigmoid>>(kernel, dtype);
    case UnaryKernel::gelu_tanh:
      return vectors_of_float32<ThroughFloat64<WideGeluTanh>>(kernel, dtype);
    case UnaryKernel::gelu_tanh_slope:
      return vectors_of_float32<ThroughFloat64<WideGeluTanhSlope>>(kernel, dtype);
    case UnaryKernel::mish:
      return vectors_of_float32<ThroughFloat64<WideMish>>(kernel, dtype);
    default:
      return unary_elements_of(kernel, dtype);
  }
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
