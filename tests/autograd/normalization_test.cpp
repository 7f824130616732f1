// Gradient checks and wrong calls of normalization, and its kernels beside a naive twin.
#include "autograd/ops/normalization.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using testing_support::f32;
using testing_support::f64;
using testing_support::i32;
using testing_support::Inputs;
using testing_support::leaf;
using testing_support::Numbers;
using testing_support::OpCase;
using testing_support::WrongCall;

void add_cases(std::vector<OpCase>& cases) {
  const auto layer = [](const Inputs& in) { return layer_norm(in[0], {5}, in[1], in[2], 1e-3); };
  cases.push_back({"layer_norm", "rows", layer, {leaf({3, 5}), leaf({5}), leaf({5})}});
  cases.push_back({"layer_norm",
                   "view",
                   [=](const Inputs& in) {
                     return layer({in[0].transpose(0, 1), in[1].narrow(0, 1, 5), in[2]});
                   },
                   {leaf({5, 4}), leaf({7}), leaf({5})}});
  cases.push_back({"layer_norm",
                   "broadcast",
                   [=](const Inputs& in) {
                     return layer({in[0].expand({3, 5}), in[1], in[1]});
                   },
                   {leaf({5}), leaf({5})}});
  cases.push_back({"layer_norm",
                   "two dimensions, no bias",
                   [](const Inputs& in) {
                     return layer_norm(in[0], {2, 3}, in[1]);
                   },
                   {leaf({2, 2, 3}), leaf({2, 3})}});
  cases.push_back({"layer_norm",
                   "neither weight nor bias, one row",
                   [](const Inputs& in) { return layer_norm(in[0], {4}); },
                   {leaf({4})}});
  cases.push_back({"layer_norm",
                   "empty",
                   [](const Inputs& in) { return layer_norm(in[0], {4}, in[1], in[2]); },
                   {leaf({0, 4}), leaf({4}), leaf({4})}});
  cases.push_back({"rms_norm",
                   "rows",
                   [](const Inputs& in) { return rms_norm(in[0], {5}, in[1], 1e-3); },
                   {leaf({3, 5}), leaf({5})}});
  cases.push_back({"rms_norm",
                   "no weight, view",
                   [](const Inputs& in) {
                     return rms_norm(in[0].transpose(0, 2), {3, 2});
                   },
                   {leaf({2, 3, 2})}});

  const auto group = [](const Inputs& in) { return group_norm(in[0], 2, in[1], in[2], 1e-3); };
  cases.push_back({"group_norm", "images", group, {leaf({2, 4, 2, 3}), leaf({4}), leaf({4})}});
  cases.push_back({"group_norm", "rows", group, {leaf({3, 6}), leaf({6}), leaf({6})}});
  cases.push_back({"group_norm",
                   "view, a group each, bias alone",
                   [](const Inputs& in) { return instance_norm(in[0].transpose(1, 2), {}, in[1]); },
                   {leaf({2, 4, 3}), leaf({3})}});

  const auto batch = [](const Inputs& in) { return batch_norm(in[0], batch_moments(in[0]), in[1], in[2], 1e-3); };
  cases.push_back({"batch_norm", "rows", batch, {leaf({5, 3}), leaf({3}), leaf({3})}});
  cases.push_back({"batch_norm", "images", batch, {leaf({2, 3, 2, 2}), leaf({3}), leaf({3})}});
  cases.push_back({"batch_norm",
                   "view, no parameters",
                   [=](const Inputs& in) {
                     return batch({in[0].transpose(0, 1), {}, {}});
                   },
                   {leaf({3, 4, 2})}});
  const Tensor moments = leaf({2, 3}, 0.5, 2).detach();
  cases.push_back({"batch_norm",
                   "constant moments",
                   [=](const Inputs& in) { return batch_norm_by(in[0], moments, in[1], in[2], 1e-3); },
                   {leaf({2, 3, 4}), leaf({3}), leaf({3})}});
  cases.push_back({"batch_norm",
                   "constant moments, rows, no weight",
                   [=](const Inputs& in) { return batch_norm_by(in[0], moments, {}, in[1], 1e-3); },
                   {leaf({4, 3}), leaf({3})}});
}

const testing_support::FamilyOfOpCases op_cases(add_cases);

void add_wrong(std::vector<WrongCall>& calls) {
  const auto add = [&](const char* op, const std::function<void()>& call, const std::vector<std::string>& parts) {
    calls.push_back({op, call, parts});
  };
  const std::string not_a_type = "float32 or float64";
  add("layer_norm", [] { layer_norm(f32({2, 3}), {4}); }, {"[2, 3]", "[4]"});
  add("layer_norm", [] { layer_norm(f32({3}), {2, 3}); }, {"[3]", "[2, 3]"});
  add("layer_norm", [] { layer_norm(f32({3}), {}); }, {"[3]", "[]"});
  add("layer_norm", [] { layer_norm(f32({2, 3}), {3}, f32({2})); }, {"a weight", "[2]", "[2, 3]", "[3]"});
  add("layer_norm", [] { layer_norm(f32({2, 3}), {3}, {}, f32({1, 3})); }, {"a bias", "[1, 3]", "[3]"});
  add("layer_norm", [] { layer_norm(f32({2, 3}), {3}, f64({3})); }, {"float32", "float64"});
  add("layer_norm", [=] { layer_norm(i32({2, 3}), {3}); }, {not_a_type, "int32"});
  add("layer_norm", [] { layer_norm(f32({2, 3}), {3}, {}, {}, -1); }, {"eps", "-1"});
  add("layer_norm", [] { layer_norm({}, {3}); }, {"undefined"});
  add("rms_norm", [] { rms_norm(f32({2, 3}), {2}); }, {"[2, 3]", "[2]"});
  add("rms_norm", [] { rms_norm(f32({2, 3}), {3}, f32({2})); }, {"a weight", "[2]", "[3]"});
  add("rms_norm", [] { rms_norm(f32({2, 3}), {3}, {}, -0.5); }, {"eps", "-0.5"});
  add("rms_norm", [] { rms_norm({}, {3}); }, {"undefined"});
  add("group_norm", [] { group_norm(f32({2, 4}), 3); }, {"4 channels", "[2, 4]", "3 groups"});
  add("group_norm", [] { group_norm(f32({2, 4}), 0); }, {"0 groups"});
  add("group_norm", [] { group_norm(f32({4}), 2); }, {"[4]"});
  add("group_norm", [] { group_norm(f32({2, 4}), 2, f32({2})); }, {"a weight", "[2]", "[4]"});
  add("group_norm", [=] { group_norm(i32({2, 4}), 2); }, {not_a_type, "int32"});
  add("group_norm", [] { group_norm({}, 2); }, {"undefined"});
  add("batch_moments", [] { batch_moments(f32({3})); }, {"[3]"});
  add("batch_moments", [] { batch_moments(f32({0, 3})); }, {"no elements", "[0, 3]"});
  add("batch_moments", [=] { batch_moments(i32({2, 3})); }, {not_a_type, "int32"});
  add("batch_moments", [] { batch_moments({}); }, {"undefined"});
  add("batch_norm", [] { batch_norm(f32({3}), f32({2, 3}), {}, {}); }, {"[3]"});
  add("batch_norm", [] { batch_norm(f32({2, 3}), f32({2, 2}), {}, {}); }, {"moments", "[2, 2]", "[2, 3]"});
  add("batch_norm", [] { batch_norm(f32({2, 3}), f64({2, 3}), {}, {}); }, {"float32", "float64"});
  add("batch_norm", [] { batch_norm(f32({2, 3}), {}, {}, {}); }, {"undefined"});
  add("batch_norm", [] { batch_norm_by(f32({2, 3}), f32({2, 3}), f32({4}), {}); }, {"a weight", "[4]", "[3]"});
  add("batch_norm", [] { batch_norm_by(f32({2, 3}), f32({2, 3}), {}, f32({4})); }, {"a bias", "[4]", "[3]"});
}

const testing_support::FamilyOfWrongCalls wrong_calls(add_wrong);

// --- the kernels of float32, in sizes around the vectors' lengths

double element(const Tensor& x, std::int64_t i) { return static_cast<double>(x.data<float>()[i]); }

// (x - mean) / sqrt(variance + eps) of `n` elements that begin at `first`, `step` apart, in stretches of `run` that
// are `stride` apart, in float64.
struct Stretch {
  std::vector<std::int64_t> places;
  double mean = 0;
  double variance = 0;

  Stretch(const Tensor& x, std::vector<std::int64_t> where) : places(std::move(where)) {
    for (const std::int64_t i : places) mean += element(x, i);
    mean /= static_cast<double>(places.size());
    for (const std::int64_t i : places) variance += (element(x, i) - mean) * (element(x, i) - mean);
    variance /= static_cast<double>(places.size());
  }
};

constexpr std::int64_t awkward[] = {1, 2, 7, 8, 15, 16, 17, 33, 65, 130};

TEST(LayerNorm, EqualsTheFormulaInEveryLength) {
  Numbers numbers(11);
  for (const std::int64_t n : awkward) {
    const std::int64_t rows = 70;
    const Tensor x = numbers.tensor<float>({rows, n}, -3, 5);
    const Tensor weight = numbers.tensor<float>({n});
    const Tensor bias = numbers.tensor<float>({n});
    const Tensor y = layer_norm(x, {n}, weight, bias, 0.01);
    for (std::int64_t r = 0; r < rows; ++r) {
      std::vector<std::int64_t> places;
      for (std::int64_t j = 0; j < n; ++j) places.push_back(r * n + j);
      const Stretch row(x, places);
      for (std::int64_t j = 0; j < n; ++j) {
        const double want =
            (element(x, r * n + j) - row.mean) / std::sqrt(row.variance + 0.01) * element(weight, j) +
            element(bias, j);
        ASSERT_NEAR(element(y, r * n + j), want, 1e-5) << n << " columns, row " << r << ", column " << j;
      }
    }
  }
}

TEST(LayerNorm, GradientsOfFloatsEqualThoseOfDoublesInEveryLength) {
  Numbers numbers(12);
  for (const std::int64_t n : awkward) {
    std::vector<Tensor> results[2];
    const Tensor x = numbers.tensor<float>({131, n}, -3, 5);
    const Tensor weight = numbers.tensor<float>({n});
    const Tensor bias = numbers.tensor<float>({n});
    const Tensor seed = numbers.tensor<float>({131, n});
    for (const DType type : {DType::float32, DType::float64}) {
      std::vector<Tensor> leaves;
      for (const Tensor& tensor : {x, weight, bias}) {
        leaves.push_back(tensor.to(type).clone());
        leaves.back().set_requires_grad(true);
      }
      layer_norm(leaves[0], {n}, leaves[1], leaves[2], 0.01).backward(seed.to(type));
      for (const Tensor& tensor : leaves)
        results[type == DType::float64].push_back(tensor.grad().to(DType::float64));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const double largest = results[1][i].abs().max().item();
      EXPECT_LT((results[0][i] - results[1][i]).abs().max().item(), 2e-6 * (1 + largest))
          << n << ", gradient " << i;
    }
  }
}

TEST(BatchNorm, MomentsEqualTheFormulaInEveryLength) {
  Numbers numbers(13);
  for (const std::int64_t channels : awkward) {
    for (const std::int64_t inner : {1, 3, 16, 37}) {
      const std::int64_t samples = 67;
      const Tensor x = numbers.tensor<float>({samples, channels, inner}, 99, 101);
      const Tensor moments = batch_moments(x);
      for (std::int64_t c = 0; c < channels; ++c) {
        std::vector<std::int64_t> places;
        for (std::int64_t s = 0; s < samples; ++s) {
          for (std::int64_t i = 0; i < inner; ++i) places.push_back((s * channels + c) * inner + i);
        }
        const Stretch channel(x, places);
        ASSERT_NEAR(element(moments, c), channel.mean, 1e-4) << channels << " × " << inner << ", " << c;
        ASSERT_NEAR(element(moments, channels + c), channel.variance, 1e-5) << channels << " × " << inner;
      }
    }
  }
}

TEST(BatchNorm, GradientsOfFloatsEqualThoseOfDoubles) {
  Numbers numbers(14);
  for (const Shape& shape : {Shape{133, 19}, Shape{66, 5, 18}, Shape{3, 33, 5, 7}}) {
    std::vector<Tensor> results[2];
    const Tensor x = numbers.tensor<float>(shape, -3, 5);
    const Tensor weight = numbers.tensor<float>({shape[1]});
    const Tensor seed = numbers.tensor<float>(shape);
    for (const DType type : {DType::float32, DType::float64}) {
      Tensor a = x.to(type).clone();
      Tensor w = weight.to(type).clone();
      a.set_requires_grad(true);
      w.set_requires_grad(true);
      const Tensor y = batch_norm(a, batch_moments(a), w, w, 0.01);
      y.backward(seed.to(type));
      for (const Tensor& tensor : {y.detach(), a.grad(), w.grad()}) {
        results[type == DType::float64].push_back(tensor.to(DType::float64));
      }
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const double largest = results[1][i].abs().max().item();
      EXPECT_LT((results[0][i] - results[1][i]).abs().max().item(), 3e-6 * (1 + largest)) << shape.to_string() << i;
    }
  }
}

TEST(Normalization, OfHalvesIsComputedInFloat32) {
  Numbers numbers(15);
  const Tensor x = numbers.tensor<float>({4, 8}).to(DType::bfloat16);
  const Tensor y = layer_norm(x, {8});
  EXPECT_EQ(y.dtype(), DType::bfloat16);
  EXPECT_TRUE(y.equal(layer_norm(x.to(DType::float32), {8}).to(DType::bfloat16)));
}

}  // namespace
}  // namespace feral
