// x with elements scattered into it and reduced; gradients as PyTorch's (derivatives of scatter_reduce).
#include <array>
#include <utility>

#include "autograd/ops/check.hpp"
#include "autograd/ops/choice.hpp"
#include "autograd/ops/gather.hpp"
#include "autograd/ops/index_check.hpp"

namespace feral::ops {
namespace {

constexpr std::array<std::pair<std::string_view, ScatterReduction>, 5> reductions = {{
    {"sum", ScatterReduction::sum},
    {"prod", ScatterReduction::prod},
    {"mean", ScatterReduction::mean},
    {"amax", ScatterReduction::amax},
    {"amin", ScatterReduction::amin},
}};

ScatterReduction reduction_named(std::string_view reduce) {
  for (const auto& [name, reduction] : reductions) {
    if (name == reduce) return reduction;
  }
  fail("scatter_reduce: '{}' is none of \"sum\", \"prod\", \"mean\", \"amax\" and \"amin\"", reduce);
}

// What one node of the tape needs for its gradients.
struct Scattered {
  const ScatterReduce::Attributes& attributes;
  const Tensor& x;
  const Tensor& index;
  const Tensor& source;
  Tensor result;

  Tensor picked(const Tensor& whole) const { return whole.gather(attributes.dim, index); }
  Tensor reduced(const Tensor& onto, const Tensor& values) const {
    return apply<ScatterReduce>(attributes, onto, index, values);
  }
  // x's own part of the gradient: none where something else took its place.
  Tensor own(const Tensor& gradient) const {
    return attributes.include_self ? gradient : gradient.scatter(attributes.dim, index, 0);
  }
};

Gradients<3> mean_gradient(const Scattered& s, const Tensor& gradient) {
  const Tensor before = s.attributes.include_self ? Tensor::ones(gradient.shape(), gradient.dtype())
                                                  : Tensor::zeros(gradient.shape(), gradient.dtype());
  const Tensor counts =
      before.scatter_add(s.attributes.dim, s.index, Tensor::ones(s.index.shape(), gradient.dtype()));
  const Tensor share = gradient.div(counts.masked_fill(counts.eq(0), 1));
  return {s.own(share), Tensor(), s.picked(share)};
}

// Of amax and amin: evenly to all that equal the result.
Gradients<3> extremum_gradient(const Scattered& s, const Tensor& gradient) {
  const DType dtype = gradient.dtype();
  const Tensor result = s.result.detach();
  const Tensor x_is = s.own(s.x.detach().eq(result).to(dtype));
  const Tensor source_is = s.source.detach().eq(s.picked(result)).to(dtype);
  const Tensor equals = x_is.scatter_add(s.attributes.dim, s.index, source_is);
  const Tensor share = gradient.div(equals);  // by 0 where the result is a NaN: so is the gradient then
  return {share.mul(x_is), Tensor(), s.picked(share).mul(source_is)};
}

// The product of the others, for every factor; one factor of 0 at a place is left out of the division.
Gradients<3> product_gradient(const Scattered& s, const Tensor& gradient) {
  const Tensor x_nonzero = s.x.masked_fill(s.x.eq(0), 1);
  const Tensor x_others = s.reduced(x_nonzero, s.source).div(x_nonzero);
  const Tensor zero = s.source.eq(0);
  const Tensor zeros_there = s.picked(Tensor::zeros(s.x.shape(), gradient.dtype())
                                          .scatter_add(s.attributes.dim, s.index, zero.to(gradient.dtype())));
  const Tensor only_zero = zero.mul(zeros_there.eq(1));
  const Tensor others = s.reduced(s.x, s.source.masked_fill(only_zero, 1));
  const Tensor divided = s.picked(gradient.mul(s.result)).div(s.source.masked_fill(zero, 1));
  return {s.own(gradient.mul(x_others)), Tensor(), where(only_zero, s.picked(gradient.mul(others)), divided)};
}

}  // namespace

Result ScatterReduce::infer(const Attributes& attributes, const Tensor& x, const Tensor& index,
                            const Tensor& source) {
  check_defined(name, x);
  if (x.dtype() == DType::boolean && attributes.reduction == ScatterReduction::mean) {
    fail("{}: bool has no mean; convert with to()", name);
  }
  check_scatter(name, x.shape(), x.dtype(), attributes.dim, index, &source);
  return {x.shape(), x.dtype(), x.device()};
}

void ScatterReduce::run(const Attributes& attributes, const Tensor& out, Aux<ScatterReduce>&, const Tensor& x,
                        const Tensor& index, const Tensor& source) {
  const Kernels& device = kernels(out.device());
  device.copy(out, x);
  device.scatter_reduce(attributes.reduction, attributes.include_self, out, index, source, attributes.dim);
}

Gradients<3> ScatterReduce::gradient(const Saved<ScatterReduce>& saved, const Tensor& gradient) {
  const Scattered s{saved.attributes(), saved.input(0), saved.input(1), saved.input(2), saved.output()};
  Gradients<3> result;
  switch (saved.attributes().reduction) {
    case ScatterReduction::sum:
      result = {s.own(gradient), Tensor(), s.picked(gradient)};
      break;
    case ScatterReduction::mean:
      result = mean_gradient(s, gradient);
      break;
    case ScatterReduction::prod:
      result = product_gradient(s, gradient);
      break;
    case ScatterReduction::amax:
    case ScatterReduction::amin:
      result = extremum_gradient(s, gradient);
      break;
  }
  for (const int i : {0, 2}) {
    if (!saved.needs(i)) result[static_cast<std::size_t>(i)] = {};
  }
  return result;
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::scatter_reduce(std::int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                              bool include_self) const {
  const ScatterReduction reduction = ops::reduction_named(reduce);
  const ops::GatherOperands o = ops::gather_operands("scatter_reduce", *this, dim, index, &source);
  return apply<ops::ScatterReduce>({.dim = o.dim, .reduction = reduction, .include_self = include_self}, o.x,
                                   o.index, o.source)
      .reshape(shape());
}

}  // namespace feral
