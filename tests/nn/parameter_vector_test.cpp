#include "nn/parameter_vector.hpp"

#include <gtest/gtest.h>

#include "nn/linear.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;

TEST(ParameterVector, HoldsAllElementsInOrder) {
  Linear layer(2, 2);
  layer.weight.copy_(Tensor::from_vector<float>({1, 2, 3, 4}, {2, 2}));
  layer.bias.copy_(Tensor::from_vector<float>({5, 6}, {2}));
  const Tensor vector = parameters_to_vector(layer.parameters());
  EXPECT_EQ(vector.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  (vector * Tensor::arange(6).to(DType::float32)).sum().backward();
  EXPECT_EQ(layer.weight.grad().to_vector<float>(), (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(layer.bias.grad().to_vector<float>(), (std::vector<float>{4, 5}));
}

TEST(ParameterVector, IsWrittenBackWhereTheParametersStand) {
  Linear layer(2, 2);
  const std::byte* const place = layer.weight.raw_data();
  vector_to_parameters(Tensor::arange(6).to(DType::float64), layer.parameters());
  EXPECT_EQ(layer.weight.raw_data(), place);
  EXPECT_EQ(layer.weight.to_vector<float>(), (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(layer.bias.to_vector<float>(), (std::vector<float>{4, 5}));
  EXPECT_TRUE(layer.bias.requires_grad());
  EXPECT_TRUE(layer.bias.is_leaf());
}

TEST(ParameterVector, RefusesWhatDoesNotFit) {
  Linear layer(2, 2);
  const auto before = layer.weight.to_vector<float>();
  const std::string message = error_of([&] { vector_to_parameters(Tensor::ones({7}), layer.parameters()); });
  EXPECT_TRUE(contains(message, "7 elements, the parameters have 6")) << message;
  EXPECT_TRUE(contains(error_of([&] {
                         vector_to_parameters(Tensor::ones({6, 1}), layer.parameters());
                       }),
                       "[6, 1]"));
  EXPECT_EQ(layer.weight.to_vector<float>(), before);
  EXPECT_TRUE(contains(error_of([] { (void)parameters_to_vector({}); }), "no parameters"));
  const Tensor wide = Tensor::ones({2}, DType::float64);
  EXPECT_TRUE(contains(error_of([&] { (void)parameters_to_vector({layer.weight, wide}); }), "float64"));
}

}  // namespace
}  // namespace feral::nn
