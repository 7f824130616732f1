// Anomaly mode names the op whose gradient went wrong, and where it was called.
#include "autograd/anomaly.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tensor/tensor.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

Tensor leaf(double value) { return Tensor::full({2}, value, DType::float64).set_requires_grad(true); }

__attribute__((noinline)) Tensor where_it_goes_wrong(const Tensor& x) { return (x * 0.0).sqrt(); }

TEST(Anomaly, NamesTheOpTheInputAndThePlace) {
  const autograd::AnomalyGuard anomaly;
  const Tensor x = leaf(1);
  const Tensor y = where_it_goes_wrong(x);
  const std::string message = error_of([&] { y.sum().backward(); });
  EXPECT_TRUE(has(message, {"backward: the gradient of input 0 of 'sqrt' has an infinity", "recorded in"}))
      << message;
#ifndef __SANITIZE_THREAD__
  EXPECT_TRUE(has(message, {"where_it_goes_wrong"})) << message;
#endif
}

TEST(Anomaly, FindsTheFirstNan) {
  const autograd::AnomalyGuard anomaly;
  const Tensor x = leaf(0);
  const Tensor y = (x.log() * x).sum() * std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(has(error_of([&] { y.backward(); }), {"has a NaN", "'"}));
}

TEST(Anomaly, SaysThatItWasOffWhileRecording) {
  const Tensor y = leaf(0).sqrt().sum();
  const autograd::AnomalyGuard anomaly;
  EXPECT_TRUE(has(error_of([&] { y.backward(); }), {"'sqrt'", "switch it on before the forward pass"}));
}

TEST(Anomaly, LetsFiniteGradientsAloneAndEndsWithItsGuard) {
  const Tensor x = leaf(0);
  {
    const autograd::AnomalyGuard anomaly;
    EXPECT_TRUE(AnomalyMode::enabled());
    (x * 3).sum().backward();
  }
  EXPECT_FALSE(AnomalyMode::enabled());
  EXPECT_EQ(x.grad()[0].item(), 3);
  x.sqrt().sum().backward();  // infinite, and nobody looks
}

}  // namespace
}  // namespace feral
