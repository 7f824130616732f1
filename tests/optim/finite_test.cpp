#include "optim/finite.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace feral::optim {
namespace {

template <class T>
class Finite : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(Finite, Floats);

constexpr DType type_of(float) { return DType::float32; }
constexpr DType type_of(double) { return DType::float64; }

TYPED_TEST(Finite, FindsOneBadElementWhereverItStands) {
  using Limits = std::numeric_limits<TypeParam>;
  for (const std::int64_t count : {1, 2, 3, 7, 15, 16, 17, 63, 64, 65, 200}) {
    Tensor values = Tensor::full({count}, Limits::max(), type_of(TypeParam{}));
    values.data<TypeParam>()[count / 2] = Limits::denorm_min();
    EXPECT_TRUE(all_finite(values)) << "large, small and many numbers are numbers";
    for (std::int64_t i = 0; i < count; ++i) {
      for (const TypeParam bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
        const TypeParam before = values.data<TypeParam>()[i];
        values.data<TypeParam>()[i] = bad;
        EXPECT_FALSE(all_finite(values)) << bad << " at " << i << " of " << count;
        values.data<TypeParam>()[i] = before;
      }
    }
    EXPECT_TRUE(all_finite(values));
  }
}

TYPED_TEST(Finite, LooksAtWhatAViewShowsAndNothingElse) {
  Tensor values = Tensor::zeros({4, 6}, type_of(TypeParam{}));
  values.data<TypeParam>()[1] = std::numeric_limits<TypeParam>::infinity();
  EXPECT_TRUE(all_finite(values.narrow(1, 2, 3)));
  EXPECT_TRUE(all_finite(values.select(1, 0)));
  EXPECT_FALSE(all_finite(values.transpose(0, 1)));
  EXPECT_FALSE(all_finite(values.select(1, 1)));
}

TEST(FiniteGradients, NamesTheFirstParameterWhoseGradientHasOne) {
  std::vector<Tensor> parameters;
  for (int i = 0; i < 4; ++i) parameters.push_back(Tensor::zeros({5, 3}));
  EXPECT_EQ(first_nonfinite_gradient(parameters), 4U) << "no gradients at all";
  Tensor bad = Tensor::zeros({5, 3});
  bad.data<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  parameters[0].set_grad(Tensor::ones({5, 3}));
  parameters[3].set_grad(bad);
  EXPECT_EQ(first_nonfinite_gradient(parameters), 3U);
  const Tensor rows = Tensor::arange(2);
  parameters[1].set_sparse_grad({rows, Tensor::full({2, 3}, -std::numeric_limits<double>::infinity())});
  parameters[2].set_sparse_grad({rows, Tensor::ones({2, 3})});
  EXPECT_EQ(first_nonfinite_gradient(parameters), 1U);
}

TEST(FiniteGradients, AnEmptyAndAnUndefinedTensorHaveNoBadElement) {
  EXPECT_TRUE(all_finite(Tensor()));
  EXPECT_TRUE(all_finite(Tensor::zeros({0, 3})));
}

}  // namespace
}  // namespace feral::optim
