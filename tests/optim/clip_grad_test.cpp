#include "optim/clip_grad.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/messages.hpp"
#include "tests/tensor/operands.hpp"
#include "tests/tensor/targets.hpp"

namespace feral::optim {
namespace {

using support::error_of;
using support::has;
using testing_support::Numbers;

constexpr double infinity = std::numeric_limits<double>::infinity();

// Three parameters, the second without a gradient.
template <class T>
std::vector<Tensor> parameters(std::int64_t n) {
  Numbers numbers(static_cast<std::uint64_t>(n));
  std::vector<Tensor> result;
  for (const std::int64_t size : {n, std::int64_t{4}, std::int64_t{3}}) {
    result.push_back(Tensor::zeros({size}, dtype_of<T>));
    if (size != 4) result.back().set_grad(numbers.tensor<T>({size}));
  }
  return result;
}

double norm_of(const std::vector<Tensor>& all, double p) {
  double sum = 0;
  for (const Tensor& parameter : all) {
    if (!parameter.grad().defined()) continue;
    for (const double value : parameter.grad().to_vector<double>()) {
      sum = std::isinf(p) ? std::max(sum, std::abs(value)) : sum + std::pow(std::abs(value), p);
    }
  }
  return std::isinf(p) ? sum : std::pow(sum, 1 / p);
}

template <class T>
void expect_clipped(std::int64_t n, double p) {
  std::vector<Tensor> all = parameters<T>(n);
  const double before = norm_of(all, p);
  const std::vector<double> first = all[0].grad().to_vector<double>();
  const double tolerance = 8 * std::numeric_limits<T>::epsilon();
  EXPECT_NEAR(clip_grad_norm_(all, before * 2, {.norm_type = p}), before, before * tolerance);
  EXPECT_EQ(all[0].grad().to_vector<double>(), first) << "a small norm is left alone";
  EXPECT_NEAR(clip_grad_norm_(all, 0.25, {.norm_type = p}), before, before * tolerance);
  EXPECT_NEAR(norm_of(all, p), 0.25 * before / (before + 1e-6), tolerance);
  const double factor = 0.25 / (before + 1e-6);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_NEAR(all[0].grad().to_vector<double>()[i], first[i] * factor, tolerance);
  }
  EXPECT_FALSE(all[1].grad().defined());
}

TEST(ClipGradNorm, ScalesAllGradientsByTheirCommonNorm) {
  for (const std::int64_t n : {1, 15, 16, 65, 5000}) {
    for (const double p : {2.0, 1.0, 3.5, infinity}) {
      expect_clipped<float>(n, p);
      expect_clipped<double>(n, p);
    }
  }
}

TEST(ClipGradNorm, NamesANormThatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::int64_t target : testing_support::targets()) {
    const testing_support::OnTarget only(target);
    for (const double bad : {nan, infinity}) {
      for (const double p : {2.0, infinity, 1.0}) {
        for (const std::int64_t at : {0, 20, 39}) {
          std::vector<Tensor> all = parameters<float>(40);
          all[0].grad().data<float>()[at] = static_cast<float>(bad);
          const std::vector<float> last = all[2].grad().to_vector<float>();
          const double total = total_grad_norm(all, p);
          EXPECT_TRUE(std::isnan(bad) ? std::isnan(total) : std::isinf(total)) << bad << " " << p << " " << at;
          EXPECT_TRUE(has(error_of([&] { clip_grad_norm_(all, 1, {.norm_type = p, .error_if_nonfinite = true}); }),
                          {"clip_grad_norm_", "total norm"}));
          EXPECT_EQ(all[2].grad().to_vector<float>(), last) << "left alone";
          clip_grad_norm_(all, 1, {.norm_type = p});
          const float changed = all[2].grad().data<float>()[0];
          EXPECT_TRUE(std::isnan(bad) ? std::isnan(changed) : changed == 0) << "as in PyTorch";
        }
      }
    }
  }
}

TEST(ClipGradNorm, OfNoGradientsIsZero) {
  const std::vector<Tensor> none = {Tensor::zeros({3})};
  EXPECT_EQ(clip_grad_norm_(none, 1), 0);
  EXPECT_EQ(clip_grad_norm_({}, 1), 0);
  EXPECT_TRUE(has(error_of([&] { clip_grad_norm_(none, 1, {.norm_type = 0}); }), {"norm_type", "0"}));
}

TEST(ClipGradNorm, AViewIsReplacedByWhatItBecomes) {
  const std::vector<Tensor> all = {Tensor::zeros({2, 3})};
  const Tensor given = Tensor::full({1, 3}, 2);
  all[0].set_grad(given.expand({2, 3}));
  clip_grad_norm_(all, 1);
  EXPECT_NEAR(all[0].grad().to_vector<float>()[4], 1 / std::sqrt(6), 1e-6);
  EXPECT_EQ(given.to_vector<float>(), std::vector<float>(3, 2)) << "somebody else's memory";
}

TEST(ClipGradNorm, CountsAndScalesTheRowsOfSparseGradients) {
  const std::vector<Tensor> all = {Tensor::zeros({5, 2}), Tensor::zeros({3})};
  const Tensor values = Tensor::full({2, 2}, 2);
  all[0].set_sparse_grad({Tensor::from_vector<std::int64_t>({1, 4}, {2}), values});
  all[1].set_grad(Tensor::full({3}, 3));
  const double norm = std::sqrt(16 + 27);
  EXPECT_NEAR(clip_grad_norm_(all, norm / 2), norm, 1e-6);
  EXPECT_NEAR(all[0].sparse_grad().values.to_vector<float>()[3], 1, 1e-6);
  EXPECT_NEAR(all[1].grad().to_vector<float>()[0], 1.5, 1e-6);
  clip_grad_value_(all, 0.25);
  EXPECT_EQ(all[0].sparse_grad().values.to_vector<float>(), std::vector<float>(4, 0.25));
}

TEST(ClipGradValue, LimitsEachElementAndKeepsNaN) {
  const std::vector<Tensor> all = {Tensor::zeros({20}), Tensor::zeros({2})};
  const Tensor gradient = Tensor::linspace(-2, 2, 20);
  gradient.data<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  gradient.data<float>()[8] = -std::numeric_limits<float>::infinity();
  all[0].set_grad(gradient);
  const std::vector<float> before = gradient.to_vector<float>();
  clip_grad_value_(all, 0.5);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const float now = gradient.data<float>()[i];
    if (i == 7) {
      EXPECT_TRUE(std::isnan(now));
    } else {
      EXPECT_EQ(now, std::clamp(before[i], -0.5F, 0.5F));
    }
  }
  EXPECT_TRUE(has(error_of([&] { clip_grad_value_(all, -1); }), {"clip_grad_value_", "-1"}));
}

}  // namespace
}  // namespace feral::optim
