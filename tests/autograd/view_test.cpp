// Views: the values they show, and when they share memory.
#include <gtest/gtest.h>

#include "autograd/ops/dropout.hpp"
#include "tensor/generator.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::Numbers;

Tensor counting(const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return Tensor::from_vector(values, shape);
}

// The elements in row-major order, read through the strides one by one.
std::vector<float> elements(const Tensor& x) {
  std::vector<float> result;
  for (std::int64_t flat = 0; flat < x.numel(); ++flat) {
    std::int64_t rest = flat;
    std::int64_t offset = 0;
    for (int dim = x.dims() - 1; dim >= 0; --dim) {
      offset += rest % x.shape()[dim] * x.strides()[dim];
      rest /= x.shape()[dim];
    }
    result.push_back(x.data<float>()[offset]);
  }
  return result;
}

TEST(Reshape, OfAContiguousTensorIsAView) {
  const Tensor x = counting({2, 6});
  const Tensor y = x.reshape({3, -1});
  EXPECT_EQ(y.shape(), (Shape{3, 4}));
  EXPECT_EQ(y.raw_data(), x.raw_data());
  EXPECT_EQ(x.reshape({2, 6}).impl(), x.impl());
}

TEST(Reshape, SplitsAndMergesDimensionsOfAViewWithoutACopy) {
  const Tensor x = counting({4, 6, 5}).transpose(0, 2);  // [5, 6, 4]
  const Tensor split = x.reshape({5, 2, 3, 4});
  EXPECT_EQ(split.raw_data(), x.raw_data());
  EXPECT_EQ(elements(split), elements(x));
  const Tensor merged = split.reshape({5, 1, 6, 4});
  EXPECT_EQ(merged.raw_data(), x.raw_data());
  EXPECT_EQ(elements(merged), elements(x));
}

TEST(Reshape, CopiesWhereNoViewExists) {
  const Tensor x = counting({2, 3}).transpose(0, 1);
  const Tensor y = x.reshape({6});
  EXPECT_NE(y.raw_data(), x.raw_data());
  EXPECT_EQ(elements(y), (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST(Reshape, DoesNotBridgeAGapBesideADimensionOfOne) {
  // Rows 12 apart of which 3 are seen; the dimension of size 1 between them is 12 apart as well.
  const Tensor x = counting({2, 1, 12}).narrow(2, 0, 3);
  EXPECT_EQ(elements(x.reshape({6})), (std::vector<float>{0, 1, 2, 12, 13, 14}));
}

TEST(Reshape, AgreesWithAnElementwiseReadForRandomViews) {
  Numbers numbers(91);
  const auto pick = [&](std::int64_t n) {
    return static_cast<std::int64_t>(numbers.next(0, static_cast<double>(n)));
  };
  constexpr std::int64_t sizes[] = {1, 1, 2, 3, 4, 6};
  for (int round = 0; round < 3000; ++round) {
    Shape base;
    const int dims = static_cast<int>(1 + pick(4));
    for (int i = 0; i < dims; ++i) base.push_back(sizes[pick(6)]);
    Tensor x = counting(base);
    for (std::int64_t changes = pick(4); changes > 0; --changes) {
      const std::int64_t dim = pick(dims);
      const std::int64_t size = x.shape()[static_cast<int>(dim)];
      switch (pick(3)) {
        case 0:
          x = x.transpose(dim, pick(dims));
          break;
        case 1: {
          const std::int64_t start = pick(size);
          x = x.narrow(dim, start, 1 + pick(size - start));
          break;
        }
        default: {
          if (size != 1) break;
          Shape wide = x.shape();
          wide[static_cast<int>(dim)] = 2;
          x = x.expand(wide);
        }
      }
    }
    // A random factorization of the number of elements.
    Shape target;
    std::int64_t rest = x.numel();
    while (rest > 1 && target.dims() < 6) {
      std::int64_t factor = 1 + pick(rest);
      while (rest % factor != 0) --factor;
      target.push_back(factor);
      rest /= factor;
    }
    target.push_back(rest);
    ASSERT_EQ(elements(x.reshape(target)), elements(x))
        << x.shape().to_string() << " strides " << x.strides().to_string() << " to " << target.to_string();
  }
}

TEST(Flatten, JoinsTheDimensionsFromTheStart) {
  const Tensor x = counting({2, 3, 4});
  EXPECT_EQ(x.flatten().shape(), (Shape{24}));
  EXPECT_EQ(x.flatten(1).shape(), (Shape{2, 12}));
  EXPECT_EQ(x.flatten(-1).shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(Tensor::zeros({}).flatten().shape(), (Shape{1}));
  EXPECT_EQ(Tensor::zeros({0, 3}).flatten(1).shape(), (Shape{0, 3}));
}

TEST(Transpose, SwapsAndCountsFromTheEnd) {
  const Tensor x = counting({2, 3, 4});
  const Tensor y = x.transpose(0, -1);
  EXPECT_EQ(y.shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(y.raw_data(), x.raw_data());
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t k = 0; k < 4; ++k) {
      EXPECT_EQ(y.narrow(0, k, 1).narrow(1, 1, 1).narrow(2, i, 1).item(), i * 12 + 4 + k);
    }
  }
}

TEST(Expand, RepeatsWithoutMemory) {
  const Tensor x = counting({2, 1});
  const Tensor y = x.expand({3, 2, 2});
  EXPECT_EQ(y.raw_data(), x.raw_data());
  EXPECT_EQ(elements(y), (std::vector<float>{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}));
  EXPECT_FALSE(y.is_contiguous());
  EXPECT_EQ(x.expand({2, 1}).impl(), x.impl());
}

TEST(Narrow, ShowsAPartOfTheMemory) {
  const Tensor x = counting({3, 4});
  const Tensor y = x.narrow(1, 1, 2);
  EXPECT_EQ(elements(y), (std::vector<float>{1, 2, 5, 6, 9, 10}));
  y.fill_(-1);
  EXPECT_EQ(x.narrow(0, 1, 1).to_vector<float>(), (std::vector<float>{4, -1, -1, 7}));
  EXPECT_EQ(x.narrow(0, 3, 0).numel(), 0);
}

TEST(Contiguous, IsAboutTheOrderOfElementsAlone) {
  const Tensor x = counting({2, 1, 3});
  EXPECT_TRUE(x.transpose(0, 1).is_contiguous());
  EXPECT_FALSE(x.transpose(0, 2).is_contiguous());
  EXPECT_TRUE(x.narrow(0, 1, 1).is_contiguous());
  EXPECT_FALSE(x.narrow(2, 0, 2).is_contiguous());
  EXPECT_EQ(x.contiguous().impl(), x.impl());
  EXPECT_EQ(elements(x.transpose(0, 2).contiguous()), elements(x.transpose(0, 2)));
}

TEST(Dropout, DrawsAnewEachTimeAndReturnsTheInputItselfWhenItDropsNothing) {
  Generator generator(5);
  const Tensor x = Tensor::ones({100});
  EXPECT_EQ(dropout(x, 0.5, false, generator).impl(), x.impl());
  EXPECT_EQ(dropout(x, 0, true, generator).impl(), x.impl());
  EXPECT_EQ(generator.next_block(), 0U);
  const auto first = dropout(x, 0.5, true, generator).to_vector<float>();
  EXPECT_EQ(generator.next_block(), 25U);
  EXPECT_NE(dropout(x, 0.5, true, generator).to_vector<float>(), first);
  generator.seek(5, 0);
  EXPECT_EQ(dropout(x, 0.5, true, generator).to_vector<float>(), first);
}

TEST(Dropout2d, DropsWholePlanes) {
  Generator generator(6);
  const auto values = dropout2d(Tensor::ones({20, 10, 2, 3}), 0.5, true, generator).to_vector<float>();
  int dropped = 0;
  for (std::size_t plane = 0; plane < 200; ++plane) {
    for (std::size_t i = 1; i < 6; ++i) ASSERT_EQ(values[plane * 6 + i], values[plane * 6]);
    dropped += values[plane * 6] == 0;
  }
  EXPECT_GT(dropped, 65);
  EXPECT_LT(dropped, 135);
  EXPECT_EQ(generator.next_block(), 50U);
}

TEST(Dropout2d, AcceptsPlanesWithoutElements) {
  Generator generator(7);
  EXPECT_EQ(dropout2d(Tensor::ones({2, 3, 0, 4}), 0.5, true, generator).shape(), (Shape{2, 3, 0, 4}));
  EXPECT_EQ(dropout(Tensor::ones({0}), 0.5, true, generator).numel(), 0);
}

TEST(Dropout, TheGradientIsDroppedWhereTheValueWas) {
  Generator generator(8);
  const Tensor x = Tensor::full({200}, 3).set_requires_grad(true);
  const Tensor y = dropout(x, 0.3, true, generator);
  generator.reserve(1000);
  y.sum().backward();
  const auto values = y.to_vector<float>();
  const auto gradients = x.grad().to_vector<float>();
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_FLOAT_EQ(values[i], 3 * gradients[i]);
}

}  // namespace
}  // namespace feral
