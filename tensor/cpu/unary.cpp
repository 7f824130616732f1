// Elementwise functions of one operand, float32 and float64: those that are vectors. tensor/cpu/unary_elements.cpp
// has the others.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/unary.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/math-inl.hpp"
#include "tensor/cpu/row_types.hpp"
#include "tensor/cpu/rows-inl.hpp"
#include "tensor/cpu/unary_elements.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class Op>
UnaryRow vectors(DType dtype) {
  return dtype == DType::float64 ? unary_row<Op, double> : unary_row<Op, float>;
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
