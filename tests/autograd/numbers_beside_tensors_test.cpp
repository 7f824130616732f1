// Plain numbers beside tensors: nothing of them is lost, and none wraps around.
#include <gtest/gtest.h>

#include "autograd/ops/check.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::contains;
using testing_support::error_of;

constexpr std::int64_t beyond_double = (std::int64_t{1} << 53) + 1;

TEST(NumbersBesideTensors, KeepAllDigitsOfAnInteger) {
  const Tensor x = Tensor::full({2}, beyond_double, DType::int64);
  EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{beyond_double, beyond_double}));
  EXPECT_EQ(x.narrow(0, 0, 1).item<std::int64_t>(), beyond_double);
  EXPECT_EQ((x + 2).narrow(0, 1, 1).item<std::int64_t>(), beyond_double + 2);
  x.fill_(-beyond_double);
  EXPECT_EQ(x.narrow(0, 0, 1).item<std::int64_t>(), -beyond_double);
  EXPECT_TRUE(contains(error_of([&] { (void)x.item<std::int64_t>(); }), "2 elements"));
}

TEST(NumbersBesideTensors, ArangeOfIntegersRoundsNothing) {
  EXPECT_EQ(Tensor::arange(beyond_double, beyond_double + 3).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{beyond_double, beyond_double + 1, beyond_double + 2}));
  EXPECT_EQ(Tensor::arange(beyond_double, beyond_double - 5, -2).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{beyond_double, beyond_double - 2, beyond_double - 4}));
  EXPECT_EQ(Tensor::arange(INT64_MIN, INT64_MAX, INT64_MAX).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{INT64_MIN, -1, INT64_MAX - 1}));
  EXPECT_EQ(Tensor::arange(3, 3).numel(), 0);
  EXPECT_EQ(Tensor::arange(0, 5, 2, DType::int8).to_vector<int>(), (std::vector<int>{0, 2, 4}));
  EXPECT_TRUE(contains(error_of([] { (void)Tensor::arange(0, 3, 0); }), "arange: "));
  EXPECT_TRUE(contains(error_of([] { (void)Tensor::arange(0, 3, -1); }), "do not lead"));
  EXPECT_TRUE(contains(error_of([] { (void)Tensor::arange(INT64_MIN, INT64_MAX); }), "too many"));
}

TEST(NumbersBesideTensors, BoundsOfIntegersDoNotWrapAround) {
  const Tensor bytes = Tensor::from_vector<std::uint8_t>({0, 5, 200}, {3});
  EXPECT_EQ(bytes.clamp(-1, 10).to_vector<int>(), (std::vector<int>{0, 5, 10}));
  EXPECT_EQ(bytes.clamp_max(300).to_vector<int>(), (std::vector<int>{0, 5, 200}));
  EXPECT_EQ(bytes.clamp_min(-7).to_vector<int>(), (std::vector<int>{0, 5, 200}));
  EXPECT_EQ(bytes.clone().clamp_(-1, 10).to_vector<int>(), (std::vector<int>{0, 5, 10}));
  const Tensor whole = Tensor::from_vector<std::int32_t>({-7, 0, 7}, {3});
  EXPECT_EQ(whole.hardtanh(-1e300, 1e300).to_vector<int>(), (std::vector<int>{-7, 0, 7}));
  EXPECT_EQ(whole.hardtanh(-2, 1e300).to_vector<int>(), (std::vector<int>{-2, 0, 7}));
}

TEST(NumbersBesideTensors, ABoolBesideBoolStaysBool) {
  const Tensor flags = Tensor::from_vector<bool>({false, true}, {2});
  EXPECT_EQ(flags.add(true).dtype(), DType::boolean);
  EXPECT_EQ(flags.mul(false).dtype(), DType::boolean);
  EXPECT_EQ(flags.add(1).dtype(), DType::int64);
  EXPECT_EQ(error_of([&] { (void)flags.neg(); }).rfind("neg: bool", 0), 0U);
}

TEST(NumbersBesideTensors, VarianceTakesADimensionFirst) {
  const Tensor x = Tensor::from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(x.var(0).to_vector<float>(), (std::vector<float>{4.5F, 4.5F, 4.5F}));
  EXPECT_EQ(x.var(0, 0).to_vector<float>(), (std::vector<float>{2.25F, 2.25F, 2.25F}));
  EXPECT_FLOAT_EQ(static_cast<float>(x.var().item()), 3.5F);
}

TEST(NumbersBesideTensors, SixteenBitUniformNumbersStayBelowTheUpperEnd) {
  for (const DType half : {DType::float16, DType::bfloat16}) {
    for (const auto& [low, high] : {std::pair{0.0, 1.0}, {0.0, 3.0}, {-2.0, -1.0}, {-1.0, 0.0}}) {
      for (const float value : Tensor::empty({20'000}, half).uniform_(low, high).to_vector<float>()) {
        ASSERT_GE(value, static_cast<float>(low));
        ASSERT_LT(value, static_cast<float>(high));
      }
    }
  }
}

TEST(NumbersBesideTensors, ANinthDimensionIsRefusedByName) {
  const Tensor x = Tensor::zeros({1, 1, 1, 1, 1, 1, 1, 2});
  const std::string message = error_of([&] { (void)x.unsqueeze(0); });
  EXPECT_TRUE(contains(message, "unsqueeze: ") && contains(message, "[1, 1, 1, 1, 1, 1, 1, 2]")) << message;
}

}  // namespace
}  // namespace feral
