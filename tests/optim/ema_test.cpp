#include "optim/ema.hpp"

#include <gtest/gtest.h>

#include "tests/support/messages.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::optim {
namespace {

using support::error_of;
using support::has;
using testing_support::Numbers;

TEST(EMA, CopiesFirstAndThenMovesByTheRest) {
  Numbers numbers(1);
  const Tensor x = numbers.tensor<double>({37});
  const Tensor y = numbers.tensor<float>({5});
  EMA average({x, y}, {.decay = 0.75});
  EXPECT_EQ(average.n_averaged(), 0U);
  average.update();
  EXPECT_EQ(average.averages()[0].to_vector<double>(), x.to_vector<double>());
  std::vector<double> expected = x.to_vector<double>();
  for (int i = 0; i < 10; ++i) {
    x.copy_(numbers.tensor<double>({37}));
    average.update();
    for (std::size_t e = 0; e < expected.size(); ++e) {
      expected[e] = 0.75 * expected[e] + 0.25 * x.data<double>()[e];
    }
  }
  EXPECT_EQ(average.n_averaged(), 11U);
  for (std::size_t e = 0; e < expected.size(); ++e) {
    EXPECT_NEAR(average.averages()[0].data<double>()[e], expected[e], 1e-15);
  }
  EXPECT_EQ(average.averages()[1].to_vector<float>(), y.to_vector<float>()) << "what does not move stays";
}

TEST(EMA, EqualIsThePlainMean) {
  const Tensor x = Tensor::zeros({19}, DType::float64);
  EMA average({x}, {.averaging = Averaging::equal});
  for (int i = 0; i < 5; ++i) {
    x.fill_(i * i);
    average.update();
  }
  for (const double value : average.averages()[0].to_vector<double>()) EXPECT_NEAR(value, 6, 1e-14);
}

TEST(EMA, SwapsWithTheParametersAndBack) {
  const Tensor x = Tensor::ones({3});
  EMA average({x}, {.decay = 0.5});
  average.update();
  x.fill_(3);
  average.update();
  average.swap();
  EXPECT_EQ(x.to_vector<float>(), std::vector<float>(3, 2));
  average.swap();
  EXPECT_EQ(x.to_vector<float>(), std::vector<float>(3, 3));
  average.copy_to_parameters();
  EXPECT_EQ(x.to_vector<float>(), std::vector<float>(3, 2));
}

TEST(EMA, RefusesWhatItCannotAverage) {
  EXPECT_TRUE(has(error_of([] { EMA({Tensor::ones({1})}, {.decay = 1.5}); }), {"EMA: decay", "1.5"}));
  EXPECT_TRUE(has(error_of([] { EMA({Tensor::ones({1}, DType::int64)}); }), {"EMA: parameter 0", "int64"}));
  EXPECT_TRUE(has(error_of([] { EMA({Tensor()}); }), {"EMA: parameter 0", "undefined"}));
}

TEST(EMA, RefusesParametersThatWereConvertedSince) {
  const Tensor x = Tensor::ones({100}).set_requires_grad(true);
  EMA average({x}, {});
  average.update();
  x.set_data(Tensor::ones({100}, DType::float64));
  for (const auto& call : std::vector<std::function<void()>>{[&] { average.update(); }, [&] { average.swap(); },
                                                             [&] { average.copy_to_parameters(); }}) {
    EXPECT_TRUE(has(error_of(call), {"EMA: parameter 0", "float64", "float32"}));
  }
}

}  // namespace
}  // namespace feral::optim
