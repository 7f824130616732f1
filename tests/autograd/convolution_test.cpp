// Gradient checks and wrong calls of convolutions.
#include <gtest/gtest.h>

#include "autograd/ops/convolution.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using testing_support::f32;
using testing_support::f64;
using testing_support::i32;
using testing_support::Inputs;
using testing_support::leaf;
using testing_support::OpCase;
using testing_support::two_to_40;
using testing_support::WrongCall;

void add_three_ops(std::vector<OpCase>& cases, const std::string& detail, const Shape& x_shape,
                   const Shape& weight_shape, const ConvGeometry& geometry) {
  const NoGradGuard no_grad;
  const Shape out_shape =
      apply<ops::Convolution>(geometry, Tensor::zeros(x_shape), Tensor::zeros(weight_shape), Tensor()).shape();
  cases.push_back({"convolution",
                   detail,
                   [=](const Inputs& x) { return apply<ops::Convolution>(geometry, x[0], x[1], x[2]); },
                   {leaf(x_shape), leaf(weight_shape), leaf({weight_shape[0]})}});
  cases.push_back({"convolution_input_gradient",
                   detail,
                   [=](const Inputs& x) {
                     return apply<ops::ConvolutionInputGradient>({.geometry = geometry, .x_shape = x_shape}, x[0],
                                                                 x[1]);
                   },
                   {leaf(out_shape), leaf(weight_shape)}});
  cases.push_back({"convolution_weight_gradient",
                   detail,
                   [=](const Inputs& x) {
                     return apply<ops::ConvolutionWeightGradient>(
                         {.geometry = geometry, .weight_shape = weight_shape}, x[0], x[1]);
                   },
                   {leaf(x_shape), leaf(out_shape)}});
}

void add_cases(std::vector<OpCase>& cases) {
  add_three_ops(cases, "2-D", {2, 2, 5, 6}, {3, 2, 3, 2}, {});
  add_three_ops(cases, "2-D, stride 2", {2, 2, 5, 6}, {3, 2, 3, 2}, {.stride = 2, .padding = 1});
  add_three_ops(cases, "2-D, stride 3", {2, 2, 5, 6}, {3, 2, 3, 2}, {.stride = 3, .padding = 2});
  add_three_ops(cases, "2-D, groups", {1, 4, 4, 3}, {2, 2, 2, 2}, {.padding = {1, 0, 0}, .groups = 2});
  add_three_ops(cases, "2-D, depthwise", {1, 2, 4, 4}, {4, 1, 2, 3},
                {.stride = {1, 2, 1}, .padding = 1, .groups = 2});
  add_three_ops(cases, "2-D, pointwise", {2, 2, 2, 3}, {3, 2, 1, 1}, {});
  add_three_ops(cases, "1-D, dilation", {2, 2, 7}, {2, 2, 3}, {.padding = 1, .dilation = 2});
  add_three_ops(cases, "3-D", {1, 2, 3, 2, 3}, {2, 2, 2, 1, 2}, {.stride = {2, 1, 1}, .padding = {1, 0, 1}});
  cases.push_back({"convolution",
                   "views, no bias",
                   [](const Inputs& x) { return conv2d(x[0].transpose(2, 3), x[1].transpose(0, 1)); },
                   {leaf({1, 2, 4, 3}), leaf({2, 2, 2, 2})}});
  cases.push_back({"convolution_input_gradient",
                   "conv_transpose2d",
                   [](const Inputs& x) {
                     return conv_transpose2d(x[0].transpose(2, 3), x[1], x[2],
                                             {.stride = 2, .output_padding = {1, 0}, .groups = 2});
                   },
                   {leaf({1, 2, 3, 2}), leaf({2, 2, 2, 2}), leaf({4})}});
  cases.push_back({"convolution_input_gradient",
                   "conv_transpose1d",
                   [](const Inputs& x) { return conv_transpose1d(x[0], x[1], x[2], {.padding = 1}); },
                   {leaf({2, 2, 4}), leaf({2, 1, 3}), leaf({1})}});
}
const testing_support::FamilyOfOpCases family(add_cases);

void add_wrong_calls(std::vector<WrongCall>& calls) {
  const Tensor x = f32({1, 2, 5, 5});
  const Tensor w = f32({3, 2, 3, 3});
  const auto wrong = [&](const std::string& op, const std::function<void()>& call,
                         const std::vector<std::string>& parts) {
    calls.push_back({op, call, parts});
  };
  wrong("conv2d", [=] { conv2d(x, f32({3, 4, 3, 3})); }, {"[1, 2, 5, 5]", "[3, 4, 3, 3]"});
  wrong("conv2d", [=] { conv2d(x, f32({3, 2, 6, 3})); }, {"[1, 2, 5, 5]", "[3, 2, 6, 3]"});
  wrong("conv2d", [=] { conv2d(x, f32({3, 2, 0, 3})); }, {"[1, 2, 5, 5]", "[3, 2, 0, 3]"});
  wrong("conv2d", [] { conv2d(f32({1, 0, 5, 5}), f32({3, 0, 3, 3})); }, {"[1, 0, 5, 5]", "[3, 0, 3, 3]"});
  wrong("conv2d", [=] { conv2d(f32({2, 5, 5}), w); }, {"4 dimensions", "[2, 5, 5]"});
  wrong("conv2d", [=] { conv2d(x, f32({3, 2, 3})); }, {"4 dimensions", "[3, 2, 3]"});
  wrong("conv2d", [=] { conv2d(x, w, f32({2})); }, {"[2]", "[3, 2, 3, 3]"});
  wrong("conv2d", [=] { conv2d(x, w, f64({3})); }, {"float32", "float64"});
  wrong("conv2d", [=] { conv2d(x, f64({3, 2, 3, 3})); }, {"float32", "float64"});
  wrong("conv2d", [=] { conv2d(i32({1, 2, 5, 5}), i32({3, 2, 3, 3})); }, {"int32"});
  wrong("conv2d", [=] { conv2d(x.to(DType::float16), w); }, {"float16", "float32"});
  wrong("conv2d", [=] { conv2d(x, w, {}, {.stride = 0}); }, {"stride 0"});
  wrong("conv2d", [=] { conv2d(x, w, {}, {.stride = {1, -1}}); }, {"stride -1"});
  wrong("conv2d", [=] { conv2d(x, w, {}, {.padding = -1}); }, {"padding -1"});
  wrong("conv2d", [=] { conv2d(x, w, {}, {.padding = INT64_MAX}); }, {"padding 9223372036854775807"});
  wrong("conv2d", [=] { conv2d(x, w, {}, {.dilation = 0}); }, {"dilation 0"});
  wrong("conv2d", [=] { conv2d(x, w, {}, {.dilation = 3}); }, {"[3, 2, 3, 3]", "[1, 2, 5, 5]"});
  wrong("conv2d", [=] { conv2d(x, w, {}, {.groups = 0}); }, {"groups 0"});
  wrong("conv2d", [=] { conv2d(x, f32({3, 1, 3, 3}), {}, {.groups = 2}); }, {"3 filters", "2 groups"});
  wrong("conv2d", [=] { conv2d(x, w, {}, {.groups = 2}); }, {"2 groups", "[1, 2, 5, 5]"});
  wrong("conv2d", [=] { conv2d(Tensor(), w); }, {"undefined"});
  wrong("conv2d", [=] { conv2d(x, Tensor()); }, {"undefined"});
  wrong("conv1d", [=] { conv1d(x, w); }, {"3 dimensions", "[1, 2, 5, 5]"});
  wrong("conv1d", [] { conv1d(f32({1, 1, 2}), f32({1, 1, 3})); }, {"[1, 1, 2]", "[1, 1, 3]"});
  wrong("conv3d", [=] { conv3d(x, w); }, {"5 dimensions", "[1, 2, 5, 5]"});
  wrong("convolution", [=] { apply<ops::Convolution>({}, f32({2, 2}), f32({2, 2}), Tensor()); }, {"[2, 2]"});
  wrong("convolution", [=] { apply<ops::Convolution>({.stride = 0}, x, w, Tensor()); }, {"stride 0"});

  const Tensor t = f32({2, 3, 3, 3});
  wrong("conv_transpose2d", [=] { conv_transpose2d(x, w); }, {"[1, 2, 5, 5]", "[3, 2, 3, 3]"});
  wrong("conv_transpose2d", [=] { conv_transpose2d(f32({2, 5, 5}), t); }, {"4 dimensions", "[2, 5, 5]"});
  wrong("conv_transpose2d", [=] { conv_transpose2d(x, t, f32({2})); }, {"[2]", "[2, 3, 3, 3]"});
  wrong("conv_transpose2d", [=] { conv_transpose2d(x, t, {}, {.stride = 2, .output_padding = 2}); },
        {"output_padding 2", "stride 2"});
  wrong("conv_transpose2d", [=] { conv_transpose2d(x, t, {}, {.padding = 7}); }, {"padding 7", "[1, 2, 5, 5]"});
  wrong("conv_transpose2d", [=] { conv_transpose2d(x, t, {}, {.groups = 3}); }, {"3 groups", "[1, 2, 5, 5]"});
  wrong("conv_transpose2d", [=] { conv_transpose2d(x, t, {}, {.groups = 0}); }, {"groups 0"});
  wrong("conv_transpose2d", [=] { conv_transpose2d(x, f64({2, 3, 3, 3})); }, {"float32", "float64"});
  wrong("conv_transpose2d", [=] { conv_transpose2d(x, Tensor()); }, {"undefined"});
  wrong("conv_transpose1d", [=] { conv_transpose1d(x, t); }, {"3 dimensions", "[1, 2, 5, 5]"});
  wrong("conv_transpose1d",
        [] {
          conv_transpose1d(f32({1, 1, 1}).expand({1, 1, two_to_40}), f32({1, 1, 1}));
        },
        {"[1, 1, 1099511627776]"});
  wrong("conv_transpose3d", [=] { conv_transpose3d(x, t); }, {"5 dimensions", "[1, 2, 5, 5]"});

  const Tensor gradient = f32({1, 3, 4, 3});
  wrong("convolution_input_gradient",
        [=] {
          apply<ops::ConvolutionInputGradient>({.geometry = {}, .x_shape = {1, 2, 5, 5}}, gradient, w);
        },
        {"[1, 3, 4, 3]", "[1, 3, 3, 3]"});
  wrong("convolution_weight_gradient",
        [=] { apply<ops::ConvolutionWeightGradient>({.geometry = {}, .weight_shape = w.shape()}, x, gradient); },
        {"[1, 3, 4, 3]", "[1, 3, 3, 3]"});
}
const testing_support::FamilyOfWrongCalls wrong_family(add_wrong_calls);

}  // namespace
}  // namespace feral
