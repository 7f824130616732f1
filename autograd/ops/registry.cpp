#include "autograd/ops/registry.hpp"

#include "autograd/ops/classification.hpp"
#include "autograd/ops/convolution.hpp"
#include "autograd/ops/dropout.hpp"
#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/pooling.hpp"
#include "autograd/ops/product.hpp"
#include "autograd/ops/reduction.hpp"
#include "autograd/ops/view.hpp"

namespace feral {
namespace {

template <class... Ops>
constexpr std::array<const OpInfo*, sizeof...(Ops)> list() {
  return {&op_info<Ops>...};
}

constexpr auto ops_list = list<                                                          //
    ops::Add, ops::Sub, ops::Mul, ops::Div, ops::Affine, ops::Exp, ops::Log, ops::Relu,  //
    ops::ReluBackward, ops::Clone, ops::Convert,                                         //
    ops::SumTo, ops::Argmax,                                                             //
    ops::View, ops::Transpose, ops::Expand, ops::Narrow, ops::NarrowBackward,            //
    ops::Matmul, ops::Linear,                                                            //
    ops::Conv2d, ops::Conv2dInputGradient, ops::Conv2dWeightGradient,                    //
    ops::MaxPool2d, ops::MaxPool2dScatter, ops::MaxPool2dGather,                         //
    ops::LogSoftmax, ops::NllLoss, ops::NllLossScatter,                                  //
    ops::Dropout>();

}  // namespace

std::span<const OpInfo* const> all_ops() noexcept { return ops_list; }

}  // namespace feral
