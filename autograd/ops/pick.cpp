#include "autograd/ops/pick.hpp"

#include "autograd/ops/check.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {
namespace {

void check_positions(std::string_view op, int dim, const Shape& shape, const Tensor& positions) {
  check_defined(op, positions);
  Shape expected = shape;
  if (positions.dims() == shape.dims()) expected[dim] = positions.shape()[dim];
  if (positions.dtype() != DType::int64 || !(positions.shape() == expected)) {
    fail("{}: positions {} in {} along dimension {}", op, positions.to_string(), shape.to_string(), dim);
  }
}

}  // namespace

Result Pick::infer(const Attributes& attributes, const Tensor& x, const Tensor& positions) {
  check_defined(name, x);
  check_positions(name, attributes.dim, x.shape(), positions);
  return {positions.shape(), x.dtype(), x.device()};
}

void Pick::run(const Attributes& attributes, const Tensor& out, Aux<Pick>&, const Tensor& x,
               const Tensor& positions) {
  kernels(out.device()).pick(out, x, positions, attributes.dim);
}

Gradients<2> Pick::gradient(const Saved<Pick>& saved, const Tensor& gradient) {
  Gradients<2> result;
  result[0] =
      apply<PickBackward>({.dim = saved.attributes().dim, .shape = saved.input_shape(0)}, gradient, saved.input(1));
  return result;
}

Result PickBackward::infer(const Attributes& attributes, const Tensor& x, const Tensor& positions) {
  check_floating(name, x);
  check_positions(name, attributes.dim, attributes.shape, positions);
  if (!(x.shape() == positions.shape())) {
    fail("{}: {} elements at {} positions", name, x.shape().to_string(), positions.shape().to_string());
  }
  return {attributes.shape, x.dtype(), x.device()};
}

void PickBackward::run(const Attributes& attributes, const Tensor& out, Aux<PickBackward>&, const Tensor& x,
                       const Tensor& positions) {
  kernels(out.device()).pick_backward(out, x, positions, attributes.dim);
}

Gradients<2> PickBackward::gradient(const Saved<PickBackward>& saved, const Tensor& gradient) {
  Gradients<2> result;
  result[0] = pick(gradient, saved.attributes().dim, saved.input(1));
  return result;
}

}  // namespace feral::ops
