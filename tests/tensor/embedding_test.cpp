// embedding and embedding_bag against twins that add up row by row.
#include "autograd/ops/embedding.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using namespace testing_support;

Tensor vector_of(const std::vector<std::int64_t>& values) {
  return Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())});
}

template <class T>
class EmbeddingOf : public testing::Test {
 protected:
  Numbers numbers{51};
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(EmbeddingOf, FloatingTypes);

TYPED_TEST(EmbeddingOf, LooksRowsUpForAnyShapeOfIndices) {
  for (const Layout layout : all_layouts) {
    const Tensor weight = this->numbers.template matrix<TypeParam>(5, 33, layout);
    const Tensor indices = Tensor::from_vector<std::int32_t>({4, 0, 2, 2, 1, 4}, {2, 3}).transpose(0, 1);
    const Tensor rows = embedding(weight, indices);
    ASSERT_EQ(rows.shape(), (Shape{3, 2, 33}));
    const auto order = indices.to_vector<std::int64_t>();
    for (std::int64_t i = 0; i < 6; ++i) {
      for (std::int64_t j = 0; j < 33; ++j) {
        ASSERT_EQ(rows.data<TypeParam>()[i * 33 + j], at<TypeParam>(weight, order[static_cast<std::size_t>(i)], j));
      }
    }
  }
  EXPECT_EQ(embedding(Tensor::ones({3, 4}), Tensor::zeros({}, DType::int64)).shape(), Shape{4});
  EXPECT_EQ(embedding(Tensor::ones({3, 4}), Tensor::zeros({2, 0}, DType::int64)).shape(), (Shape{2, 0, 4}));
}

// One element of one bag.
template <class T>
double bag_element(const Tensor& weight, const std::vector<std::int64_t>& indices, std::size_t begin,
                   std::size_t end, std::int64_t j, const EmbeddingBagOptions& options, const double* scales) {
  double sum = 0;
  double largest = -std::numeric_limits<double>::infinity();
  int count = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (indices[i] == options.padding_idx) continue;
    const double value = at<T>(weight, indices[i], j);
    sum += scales != nullptr ? scales[i] * value : value;
    largest = std::max(largest, value);
    ++count;
  }
  if (count == 0) return 0;
  if (options.mode == Bag::sum) return sum;
  return options.mode == Bag::mean ? sum / count : largest;
}

TYPED_TEST(EmbeddingOf, BagsAreReducedInEveryLayout) {
  const std::vector<std::int64_t> indices = {3, 1, 1, 4, 2, 0, 4, 4, 3, 2};
  const std::vector<std::size_t> offsets = {0, 3, 3, 4, 8, 10};  // an empty bag; the last is the end
  const Tensor scales = this->numbers.template tensor<TypeParam>({10}, -2, 2);
  const std::vector<double> factors = scales.template to_vector<double>();
  for (const Layout layout : all_layouts) {
    const Tensor weight = this->numbers.template matrix<TypeParam>(5, 19, layout);
    for (const Bag mode : {Bag::sum, Bag::mean, Bag::max}) {
      for (const std::int64_t padding : {-1, 4}) {
        for (const bool last : {false, true}) {
          for (const bool scaled : {false, true}) {
            if (scaled && mode != Bag::sum) continue;
            const EmbeddingBagOptions options{.mode = mode, .include_last_offset = last, .padding_idx = padding};
            std::vector<std::int64_t> given(offsets.begin(), offsets.end() - (last ? 0 : 1));
            const Tensor bags =
                embedding_bag(weight, vector_of(indices).to(DType::int32), vector_of(given).to(DType::int32),
                              options, scaled ? scales : Tensor());
            ASSERT_EQ(bags.shape(), (Shape{5, 19}));
            for (std::int64_t b = 0; b < 5; ++b) {
              for (std::int64_t j = 0; j < 19; ++j) {
                const auto at_bag = static_cast<std::size_t>(b);
                ASSERT_NEAR(at<TypeParam>(bags, b, j),
                            bag_element<TypeParam>(weight, indices, offsets[at_bag], offsets[at_bag + 1], j,
                                                   options, scaled ? factors.data() : nullptr),
                            1e-6);
              }
            }
          }
        }
      }
    }
  }
}

TEST(EmbeddingBag, RowsOfATwoDimensionalIndexAreBags) {
  Numbers numbers(3);
  const Tensor weight = numbers.tensor<float>({6, 4});
  const Tensor indices = Tensor::from_vector<std::int64_t>({0, 5, 1, 2, 2, 3}, {2, 3});
  const Tensor scales = numbers.tensor<float>({2, 3});
  const EmbeddingBagOptions sum{.mode = Bag::sum};
  const Tensor offsets = vector_of({0, 3});
  const Tensor flat = embedding_bag(weight, indices.reshape({6}), offsets, sum, scales.reshape({6}));
  EXPECT_EQ(embedding_bag(weight, indices, {}, sum, scales).to_vector<float>(), flat.to_vector<float>());
  // PyTorch's default.
  EXPECT_EQ(embedding_bag(weight, indices, {}).to_vector<float>(),
            embedding_bag(weight, indices, {}, {.mode = Bag::mean}).to_vector<float>());
  EXPECT_EQ(embedding_bag(weight, vector_of({}), vector_of({})).shape(), (Shape{0, 4}));
  EXPECT_EQ(embedding_bag(weight, vector_of({}), vector_of({0, 0})).to_vector<float>(), std::vector<float>(8));
  // Indices behind the last offset belong to no bag.
  const Tensor part = embedding_bag(weight, vector_of({1, 2, 3}), vector_of({0, 1}), {.include_last_offset = true});
  EXPECT_EQ(part.to_vector<float>(), weight.narrow(0, 1, 1).to_vector<float>());
}

TEST(EmbeddingBag, TheLargestIsNaNWhereOneIs) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor weight = Tensor::from_vector<float>({1, -infinity, nan, -infinity}, {2, 2});
  const auto largest =
      embedding_bag(weight, vector_of({0, 1, 0, 1}), vector_of({0}), {.mode = Bag::max}).to_vector<float>();
  EXPECT_TRUE(std::isnan(largest[0]));
  EXPECT_EQ(largest[1], -infinity);
}

TEST(Embedding, PaddingGetsNoGradient) {
  Tensor weight = Tensor::ones({3, 2}).set_requires_grad(true);
  const Tensor indices = vector_of({2, 1, 1, 0, 2});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor gradient = Tensor::from_vector<float>({nan, nan, 1, 2, 3, 4, 5, 6, nan, nan}, {5, 2});
  embedding(weight, indices, {.padding_idx = 2}).backward(gradient);
  EXPECT_EQ(weight.grad().to_vector<float>(), (std::vector<float>{5, 6, 4, 6, 0, 0}));
}

}  // namespace
}  // namespace feral
