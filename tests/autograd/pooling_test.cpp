// Gradient checks and wrong calls of pooling and resizing.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/interpolate.hpp"
#include "autograd/ops/pooling.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using testing_support::f32;
using testing_support::i32;
using testing_support::Inputs;
using testing_support::labels;
using testing_support::leaf;
using testing_support::leaf_without_ties;
using testing_support::OpCase;
using testing_support::two_to_40;
using testing_support::u8;
using testing_support::WrongCall;

void add_square_pooling(std::vector<OpCase>& cases) {
  for (const Pool2dGeometry geometry : {Pool2dGeometry{2, 2}, Pool2dGeometry{3, 2}, Pool2dGeometry{2, 3}}) {
    const std::string detail =
        "kernel " + std::to_string(geometry.kernel) + " stride " + std::to_string(geometry.stride);
    const Shape x_shape = {1, 2, 5, 7};
    const Tensor x = leaf_without_ties(x_shape);
    const Tensor out = apply<ops::MaxPool2d>(geometry, x.detach());
    // Where the maxima stand; any valid position does.
    Tensor window = Tensor::empty(out.shape(), DType::uint8);
    for (std::int64_t i = 0; i < window.numel(); ++i) {
      window.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 5 % (geometry.kernel * geometry.kernel));
    }
    cases.push_back({"max_pool2d",
                     detail,
                     [=](const Inputs& in) {
                       return max_pool2d(in[0], {.kernel = geometry.kernel, .stride = geometry.stride});
                     },
                     {x}});
    cases.push_back({"max_pool2d_scatter",
                     detail,
                     [=](const Inputs& in) {
                       return apply<ops::MaxPool2dScatter>({.geometry = geometry, .x_shape = x_shape}, in[0],
                                                           window);
                     },
                     {leaf(out.shape())}});
    cases.push_back({"max_pool2d_gather",
                     detail,
                     [=](const Inputs& in) { return apply<ops::MaxPool2dGather>(geometry, in[0], window); },
                     {leaf(x_shape)}});
  }
  cases.push_back({"max_pool2d",
                   "view",
                   [](const Inputs& x) { return max_pool2d(x[0].transpose(2, 3)); },
                   {leaf_without_ties({1, 1, 5, 4})}});
}

void add_cases(std::vector<OpCase>& cases) {
  add_square_pooling(cases);
  const auto add = [&](const std::string& op, const std::string& detail, const auto& function, const Tensor& x) {
    cases.push_back({op, detail, [=](const Inputs& in) { return function(in[0]); }, {x}});
  };
  add(
      "pool_gather", "max_pool1d", [](const Tensor& x) { return max_pool1d(x, {.kernel = 3, .stride = 2}); },
      leaf_without_ties({2, 2, 8}));
  add(
      "pool_gather", "max_pool2d, padding, dilation, view",
      [](const Tensor& x) {
        return max_pool2d(x.transpose(2, 3), {.kernel = {2, 3}, .stride = 1, .padding = 1, .dilation = {1, 2}});
      },
      leaf_without_ties({1, 2, 6, 4}));
  add(
      "pool_gather", "max_pool3d",
      [](const Tensor& x) {
        return max_pool3d(x, {.kernel = 2, .stride = {1, 2, 2}, .ceil_mode = true});
      },
      leaf_without_ties({1, 1, 3, 3, 4}));
  add(
      "pool_gather", "adaptive_max_pool2d",
      [](const Tensor& x) {
        return adaptive_max_pool2d(x, {2, 3});
      },
      leaf_without_ties({1, 2, 5, 4}));
  const Tensor indices = Tensor::from_vector<std::int64_t>({3, 0, 3, 11}, {1, 2, 2});
  add(
      "pool_gather", "", [=](const Tensor& x) { return apply<ops::PoolGather>({}, x, indices); }, leaf({1, 2, 12}));
  add(
      "pool_scatter", "",
      [=](const Tensor& g) {
        return apply<ops::PoolScatter>({.x_shape = {1, 2, 12}}, g, indices);
      },
      leaf({1, 2, 2}));

  add(
      "avg_pool", "avg_pool1d", [](const Tensor& x) { return avg_pool1d(x, {.kernel = 3, .stride = 2}); },
      leaf({2, 2, 7}));
  add(
      "avg_pool", "avg_pool2d, view",
      [](const Tensor& x) {
        return avg_pool2d(x.transpose(2, 3), {.kernel = {3, 2}, .stride = 2, .padding = 1, .ceil_mode = true});
      },
      leaf({1, 2, 5, 4}));
  add(
      "avg_pool", "avg_pool3d, without the padding",
      [](const Tensor& x) { return avg_pool3d(x, {.kernel = 2, .padding = 1, .count_include_pad = false}); },
      leaf({1, 1, 3, 2, 4}));
  add(
      "avg_pool", "adaptive_avg_pool2d",
      [](const Tensor& x) {
        return adaptive_avg_pool2d(x, {2, 3});
      },
      leaf({1, 2, 5, 4}));
  const PoolGeometry geometry = {.kernel = 3, .stride = 2, .padding = 1, .divisor = 5};
  add(
      "avg_pool_backward", "divisor",
      [=](const Tensor& g) {
        return apply<ops::AvgPoolBackward>({.geometry = geometry, .x_shape = {1, 2, 5, 4}}, g);
      },
      leaf({1, 2, 3, 2}));

  for (const InterpolateMode mode : {InterpolateMode::nearest, InterpolateMode::linear}) {
    const std::string detail = mode == InterpolateMode::nearest ? "nearest" : "linear";
    add(
        "interpolate", detail + " 1-D",
        [=](const Tensor& x) { return interpolate(x, {.size = {5}, .mode = mode}); }, leaf({2, 2, 3}));
    add(
        "interpolate", detail + " 2-D, scale, view",
        [=](const Tensor& x) {
          return interpolate(x.transpose(2, 3), {.scale = {1.5, 0.7}, .mode = mode});
        },
        leaf({1, 2, 4, 3}));
    add(
        "interpolate", detail + " 3-D", [=](const Tensor& x) { return interpolate(x, {.scale = 2, .mode = mode}); },
        leaf({1, 1, 2, 1, 3}));
    const InterpolateGeometry back = {.mode = mode, .out = {4, 2, 1}};
    add(
        "interpolate_backward", detail,
        [=](const Tensor& g) {
          return apply<ops::InterpolateBackward>({.geometry = back, .x_shape = {1, 2, 3, 3}}, g);
        },
        leaf({1, 2, 4, 2}));
  }
  add(
      "interpolate", "corners",
      [](const Tensor& x) {
        return interpolate(x, {.size = {4, 5}, .mode = InterpolateMode::linear, .align_corners = true});
      },
      leaf({1, 1, 3, 2}));
}
const testing_support::FamilyOfOpCases family(add_cases);

void add_wrong_calls(std::vector<WrongCall>& calls) {
  const Tensor x = f32({1, 2, 5, 5});
  const auto wrong = [&](const std::string& op, const std::function<void()>& call,
                         const std::vector<std::string>& parts) {
    calls.push_back({op, call, parts});
  };
  wrong("max_pool2d", [=] { max_pool2d(x, {.kernel = 6}); }, {"kernel 6", "[1, 2, 5, 5]"});
  wrong("max_pool2d", [=] { max_pool2d(x, {.kernel = 0}); }, {"kernel 0"});
  wrong("max_pool2d", [=] { max_pool2d(x, {.kernel = 2, .stride = 0}); }, {"stride 0"});
  wrong("max_pool2d", [=] { max_pool2d(x, {.kernel = 2, .padding = 2}); }, {"padding 2", "kernel 2"});
  wrong("max_pool2d", [=] { max_pool2d(x, {.kernel = 2, .padding = -1}); }, {"padding -1"});
  wrong("max_pool2d", [=] { max_pool2d(x, {.kernel = 2, .dilation = 0}); }, {"dilation 0"});
  wrong("max_pool2d", [=] { max_pool2d(x, {.kernel = 3, .dilation = 3}); }, {"dilation 3", "[1, 2, 5, 5]"});
  wrong("max_pool2d",
        [] {
          max_pool2d(f32({1, 1, 1, 1}), {.kernel = 2, .padding = 2, .dilation = 3});
        },
        {"does not fit", "[1, 1, 1, 1]"});
  wrong("max_pool2d", [] { max_pool2d(f32({5, 5})); }, {"4 dimensions", "[5, 5]"});
  wrong("max_pool2d", [] { max_pool2d(i32({1, 1, 4, 4})); }, {"int32"});
  wrong("max_pool2d", [] { max_pool2d(Tensor()); }, {"undefined"});
  wrong("max_pool2d", [=] { apply<ops::MaxPool2d>({.kernel = 17}, x); }, {"kernel 17"});
  wrong("max_pool1d", [=] { max_pool1d(x); }, {"3 dimensions", "[1, 2, 5, 5]"});
  wrong("max_pool3d", [=] { max_pool3d(x); }, {"5 dimensions", "[1, 2, 5, 5]"});
  wrong("max_pool2d_with_indices", [=] { max_pool2d_with_indices(x, {.kernel = 6}); }, {"kernel 6"});
  for (const Tensor& window : {u8({1, 2, 3, 2}), f32({1, 2, 2, 2}), Tensor()}) {
    const std::string shown = window.to_string();
    wrong("max_pool2d_scatter",
          [=] {
            apply<ops::MaxPool2dScatter>({.geometry = {}, .x_shape = x.shape()}, f32({1, 2, 2, 2}), window);
          },
          {shown, "[1, 2, 2, 2]"});
    wrong("max_pool2d_gather", [=] { apply<ops::MaxPool2dGather>({}, x, window); }, {shown, "[1, 2, 2, 2]"});
  }
  wrong("max_pool2d_scatter",
        [=] {
          apply<ops::MaxPool2dScatter>({.geometry = {}, .x_shape = x.shape()}, f32({1, 2, 3, 2}), u8({1, 2, 2, 2}));
        },
        {"[1, 2, 3, 2]", "[1, 2, 2, 2]"});

  wrong("max_pool_indices", [=] { apply<ops::MaxPoolIndices>({.kernel = 6}, x); }, {"kernel 6", "[1, 2, 5, 5]"});
  wrong("max_pool_indices", [=] { apply<ops::MaxPoolIndices>({}, f32({2, 3})); }, {"[2, 3]"});
  const auto one_index = [](std::int64_t value) {
    return Tensor::from_vector<std::int64_t>({0, value}, {1, 2, 1, 1});
  };
  for (const std::int64_t outside : {std::int64_t{-1}, std::int64_t{25}, two_to_40}) {
    const std::string shown = "index " + std::to_string(outside) + " at position 1";
    wrong("pool_gather", [=] { apply<ops::PoolGather>({}, x, one_index(outside)); }, {shown, "[1, 2, 5, 5]"});
    wrong("pool_scatter",
          [=] {
            apply<ops::PoolScatter>({.x_shape = x.shape()}, f32({1, 2, 1, 1}), one_index(outside));
          },
          {shown, "[1, 2, 5, 5]"});
  }
  wrong("pool_gather", [=] { apply<ops::PoolGather>({}, x, labels({1})); }, {"int64 [1]", "[1, 2, 5, 5]"});
  wrong("pool_gather", [=] { apply<ops::PoolGather>({}, x, Tensor()); }, {"undefined"});
  wrong("pool_scatter",
        [=] {
          apply<ops::PoolScatter>({.x_shape = x.shape()}, f32({1, 2, 2, 1}), one_index(1));
        },
        {"[1, 2, 2, 1]", "[1, 2, 1, 1]"});

  wrong("avg_pool2d", [=] { avg_pool2d(x, {.kernel = 6}); }, {"kernel 6", "[1, 2, 5, 5]"});
  wrong("avg_pool2d", [=] { avg_pool2d(x, {.kernel = 3, .padding = 2}); }, {"padding 2", "kernel 3"});
  wrong("avg_pool2d", [] { avg_pool2d(i32({1, 1, 4, 4})); }, {"int32"});
  wrong("avg_pool1d", [=] { avg_pool1d(x); }, {"3 dimensions"});
  wrong("avg_pool3d", [=] { avg_pool3d(x); }, {"5 dimensions"});
  wrong("adaptive_avg_pool2d", [=] { adaptive_avg_pool2d(x, {2, -1}); }, {"size -1", "[1, 2, 5, 5]"});
  wrong("adaptive_avg_pool1d", [=] { adaptive_avg_pool1d(x, 2); }, {"3 dimensions"});
  wrong("adaptive_max_pool2d", [] { adaptive_max_pool2d(f32({1, 1, 0, 2}), 1); }, {"[1, 1, 0, 2]"});
  wrong("avg_pool", [=] { apply<ops::AvgPool>({.kernel = 0}, x); }, {"kernel 0"});
  wrong("avg_pool_backward",
        [=] {
          apply<ops::AvgPoolBackward>({.geometry = {.kernel = 2, .stride = 2}, .x_shape = {1, 2, 5, 5}}, x);
        },
        {"[1, 2, 5, 5]", "[1, 2, 2, 2]"});

  wrong("interpolate", [=] { interpolate(x, {.size = {2}}); }, {"1 numbers", "[1, 2, 5, 5]"});
  wrong("interpolate", [=] { interpolate(x, {.scale = {2, 2, 2}}); }, {"3 numbers", "[1, 2, 5, 5]"});
  wrong("interpolate", [=] { interpolate(x, {.scale = {2, 2, 2, 2}}); }, {"4 scale factors"});
  wrong("interpolate", [=] { interpolate(x, {.size = {2, 0}}); }, {"size 0", "[1, 2, 5, 5]"});
  wrong("interpolate", [=] { interpolate(x, {.scale = 0.1}); }, {"scale 0.1", "[1, 2, 5, 5]"});
  wrong("interpolate", [=] { interpolate(x, {.scale = std::nan("")}); }, {"scale nan"});
  wrong("interpolate", [=] { interpolate(x, {.scale = 1e300}); }, {"scale 1e+300"});
  wrong("interpolate", [=] { interpolate(x, {}); }, {"either a size or a scale"});
  wrong("interpolate", [=] { interpolate(x, {.size = {2, 2}, .scale = 2}); }, {"either a size or a scale"});
  wrong("interpolate", [=] { interpolate(x, {.size = {2, 2}, .align_corners = true}); }, {"align_corners"});
  wrong("interpolate", [] { interpolate(f32({2, 2}), {.scale = 2}); }, {"[2, 2]"});
  wrong("interpolate", [] { interpolate(i32({1, 1, 2}), {.scale = 2}); }, {"int32"});
  wrong("interpolate", [] { interpolate(Tensor(), {.scale = 2}); }, {"undefined"});
  wrong("interpolate_backward",
        [=] {
          apply<ops::InterpolateBackward>({.geometry = {.out = {2, 3, 1}}, .x_shape = {1, 2, 5, 5}}, x);
        },
        {"[1, 2, 5, 5]", "[1, 2, 2, 3]"});
}
const testing_support::FamilyOfWrongCalls wrong_family(add_wrong_calls);

}  // namespace
}  // namespace feral
