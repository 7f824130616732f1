// Products as Tensor's methods against sums written out.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "autograd/ops/product.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::all_layouts;
using testing_support::at;
using testing_support::Layout;
using testing_support::Numbers;
using testing_support::sweep_sizes;

// Element `index` (counted in the broadcast shape `shape`) of x, read through its strides.
template <class T>
T element(const Tensor& x, const Shape& shape, std::int64_t index) {
  std::int64_t offset = 0;
  for (int dim = shape.dims() - 1, own = x.dims() - 1; own >= 0; --dim, --own) {
    const std::int64_t position = index % shape[dim];
    index /= shape[dim];
    if (x.shape()[own] != 1) offset += position * x.strides()[own];
  }
  return x.data<T>()[offset];
}

Shape with_last(const Shape& batch, std::int64_t rows, std::int64_t columns) {
  Shape shape = batch;
  shape.push_back(rows);
  shape.push_back(columns);
  return shape;
}

// a [..., m, k] × b [..., k, n] in the batch `batch`.
template <class T>
std::vector<T> products(const Tensor& a, const Tensor& b, const Shape& batch) {
  const std::int64_t m = a.size(-2);
  const std::int64_t k = a.size(-1);
  const std::int64_t n = b.size(-1);
  std::vector<T> out;
  for (std::int64_t i = 0; i < batch.numel(); ++i) {
    for (std::int64_t row = 0; row < m; ++row) {
      for (std::int64_t column = 0; column < n; ++column) {
        // In unsigned numbers an overflow wraps; floating test values are small integers, so that sums are exact.
        using Sum = std::conditional_t<std::is_floating_point_v<T>, T, std::uint64_t>;
        Sum sum = 0;
        for (std::int64_t l = 0; l < k; ++l) {
          sum += static_cast<Sum>(element<T>(a, with_last(batch, m, k), (i * m + row) * k + l)) *
                 static_cast<Sum>(element<T>(b, with_last(batch, k, n), (i * k + l) * n + column));
        }
        out.push_back(static_cast<T>(sum));
      }
    }
  }
  return out;
}

template <class T>
Tensor whole_numbers(Numbers& numbers, const Shape& shape) {
  return numbers.tensor<std::int64_t>(shape, std::is_signed_v<T> ? -9 : 0, 9).to(dtype_of<T>);
}

template <class T>
class Products : public testing::Test {
 protected:
  Numbers numbers{53};
  Tensor make(const Shape& shape) { return whole_numbers<T>(numbers, shape); }
};
using ProductTypes =
    testing::Types<float, double, std::int64_t, std::int32_t, std::int16_t, std::int8_t, std::uint8_t>;
TYPED_TEST_SUITE(Products, ProductTypes);

TYPED_TEST(Products, BatchesBroadcast) {
  const std::vector<std::array<Shape, 3>> cases = {
      {Shape{}, Shape{}, Shape{}},        {Shape{3}, Shape{3}, Shape{3}},          {Shape{3}, Shape{}, Shape{3}},
      {Shape{}, Shape{3}, Shape{3}},      {Shape{2, 1}, Shape{3}, Shape{2, 3}},    {Shape{1}, Shape{4}, Shape{4}},
      {Shape{2, 3}, Shape{1}, {2, 3}},    {Shape{2, 3}, Shape{2, 3}, Shape{2, 3}}, {Shape{0}, Shape{1}, Shape{0}},
      {Shape{2, 0}, Shape{}, Shape{2, 0}}};
  for (const auto& [batch_a, batch_b, batch] : cases) {
    for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{2, 3, 4}, {1, 5, 1}, {3, 1, 2}, {17, 9, 16}}) {
      const Tensor a = this->make(with_last(batch_a, m, k));
      const Tensor b = this->make(with_last(batch_b, k, n));
      const Tensor product = a.matmul(b);
      EXPECT_EQ(product.shape(), with_last(batch, m, n));
      EXPECT_EQ(product.dtype(), dtype_of<TypeParam>);
      ASSERT_EQ(product.template to_vector<TypeParam>(), products<TypeParam>(a, b, batch))
          << a.to_string() << " " << b.to_string();
    }
  }
}

TYPED_TEST(Products, EverySizeOfEveryDimension) {
  for (const std::int64_t size : sweep_sizes) {
    for (const auto& [m, k, n] :
         {std::array<std::int64_t, 3>{size, 5, 4}, {4, size, 3}, {3, 6, size}, {size, size, size}}) {
      const Tensor a = this->make({m, k});
      const Tensor b = this->make({k, n});
      ASSERT_EQ(a.matmul(b).template to_vector<TypeParam>(), products<TypeParam>(a, b, {}))
          << m << " " << k << " " << n;
    }
  }
}

TYPED_TEST(Products, EveryPairOfLayouts) {
  const auto whole = [&](std::int64_t rows, std::int64_t columns, Layout layout) {
    const Tensor x = this->numbers.template matrix<TypeParam>(rows, columns, layout, 0, 9);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        at<TypeParam>(x, i, j) = static_cast<TypeParam>(std::floor(static_cast<double>(at<TypeParam>(x, i, j))));
      }
    }
    return x;
  };
  for (const Layout left : all_layouts) {
    for (const Layout right : all_layouts) {
      const Tensor a = whole(5, 7, left);
      const Tensor b = whole(7, 6, right);
      ASSERT_EQ(a.matmul(b).template to_vector<TypeParam>(), products<TypeParam>(a, b, {}));
    }
  }
}

TYPED_TEST(Products, BatchesOfViews) {
  const Tensor a = this->make({4, 3, 5});
  const Tensor b = this->make({4, 6, 5});
  const Tensor turned = b.transpose(1, 2);
  EXPECT_EQ(a.bmm(turned).template to_vector<TypeParam>(), products<TypeParam>(a, turned, {4}));
  const Tensor inside = a.narrow(1, 1, 2).narrow(2, 1, 3);
  const Tensor right = turned.narrow(1, 2, 3);
  EXPECT_EQ(inside.bmm(right).template to_vector<TypeParam>(), products<TypeParam>(inside, right, {4}));
  const Tensor across = a.transpose(0, 2);  // neither rows nor columns contiguous
  const Tensor other = this->make({5, 4, 2});
  EXPECT_EQ(across.bmm(other).template to_vector<TypeParam>(), products<TypeParam>(across, other, {5}));
  const Tensor swapped = a.transpose(0, 1);  // batches between rows
  const Tensor one = this->make({5, 2});
  EXPECT_EQ(swapped.matmul(one).template to_vector<TypeParam>(), products<TypeParam>(swapped, one, {3}));
  const Tensor same = this->make({1, 5, 2}).expand({4, 5, 2});
  EXPECT_EQ(a.bmm(same).template to_vector<TypeParam>(), products<TypeParam>(a, same, {4}));
}

TYPED_TEST(Products, VectorsStandForRowsAndColumns) {
  const Tensor matrix = this->make({3, 4});
  const Tensor batch = this->make({2, 3, 4});
  const Tensor row = this->make({3});
  const Tensor column = this->make({4});
  EXPECT_EQ(matrix.matmul(column).shape(), (Shape{3}));
  EXPECT_EQ(matrix.mv(column).template to_vector<TypeParam>(),
            products<TypeParam>(matrix, column.reshape({4, 1}), {}));
  EXPECT_EQ(row.matmul(matrix).shape(), (Shape{4}));
  EXPECT_EQ(row.matmul(matrix).template to_vector<TypeParam>(),
            products<TypeParam>(row.reshape({1, 3}), matrix, {}));
  EXPECT_EQ(batch.matmul(column).shape(), (Shape{2, 3}));
  EXPECT_EQ(batch.matmul(column).template to_vector<TypeParam>(),
            products<TypeParam>(batch, column.reshape({4, 1}), {2}));
  EXPECT_EQ(row.matmul(batch).shape(), (Shape{2, 4}));
  EXPECT_EQ(row.matmul(batch).template to_vector<TypeParam>(),
            products<TypeParam>(row.reshape({1, 3}), batch, {2}));
  EXPECT_EQ(column.matmul(column).shape(), Shape{});
  EXPECT_EQ(column.dot(column).template to_vector<TypeParam>(),
            products<TypeParam>(column.reshape({1, 4}), column.reshape({4, 1}), {}));
  EXPECT_EQ(row.outer(column).template to_vector<TypeParam>(),
            products<TypeParam>(row.reshape({3, 1}), column.reshape({1, 4}), {}));
  const Tensor stepped = this->make({4, 3}).narrow(1, 1, 1).reshape({4});
  EXPECT_EQ(matrix.mv(stepped).template to_vector<TypeParam>(),
            products<TypeParam>(matrix, stepped.reshape({4, 1}), {}));
}

TYPED_TEST(Products, OfNothingAreZero) {
  const Tensor product = this->make({2, 3, 0}).matmul(this->make({0, 4}));
  EXPECT_EQ(product.shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(product.template to_vector<TypeParam>(), std::vector<TypeParam>(24, 0));
  EXPECT_EQ(this->make({0}).dot(this->make({0})).item(), 0);
  EXPECT_EQ(this->make({0, 3}).matmul(this->make({3, 2})).shape(), (Shape{0, 2}));
  EXPECT_EQ(this->make({0}).outer(this->make({3})).shape(), (Shape{0, 3}));
}

TYPED_TEST(Products, KroneckerRepeatsTheSecondFactor) {
  const Tensor a = this->make({2, 3});
  const Tensor b = this->make({4, 2});
  const Tensor product = a.kron(b);
  ASSERT_EQ(product.shape(), (Shape{8, 6}));
  for (std::int64_t i = 0; i < 8; ++i) {
    for (std::int64_t j = 0; j < 6; ++j) {
      EXPECT_EQ(at<TypeParam>(product, i, j),
                static_cast<TypeParam>(at<TypeParam>(a, i / 4, j / 2) * at<TypeParam>(b, i % 4, j % 2)));
    }
  }
  EXPECT_EQ(this->make({3}).kron(b).shape(), (Shape{4, 6}));
  EXPECT_EQ(this->make({2, 1, 3}).kron(this->make({2})).shape(), (Shape{2, 1, 6}));
}

TEST(Products, IntegersWrapAround) {
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  const Tensor a = Tensor::from_vector<std::int64_t>({largest, largest}, {1, 2});
  EXPECT_EQ(a.matmul(Tensor::from_vector<std::int64_t>({2, 1}, {2, 1})).to_vector<std::int64_t>(),
            std::vector<std::int64_t>{largest - 2});
  const Tensor b = Tensor::full({2, 2}, 20, DType::uint8);
  EXPECT_EQ(b.mm(b).to_vector<std::uint8_t>(), std::vector<std::uint8_t>(4, 32));
  const Tensor c = Tensor::full({1, 1}, -32768, DType::int16);
  EXPECT_EQ(c.mm(c).to_vector<std::int16_t>(), std::vector<std::int16_t>{0});
}

TEST(Products, OfLargeIntegerMatricesCrossTheBlocks) {
  Numbers numbers(5);
  const Tensor a = numbers.tensor<std::int32_t>({37, 70}, -1e6, 1e6);
  const Tensor b = numbers.tensor<std::int32_t>({70, 300}, -1e6, 1e6);
  EXPECT_EQ(a.mm(b).to_vector<std::int32_t>(), products<std::int32_t>(a, b, {}));
  const Tensor turned = a.transpose(0, 1);
  const Tensor other = numbers.tensor<std::int32_t>({37, 129}, -1e6, 1e6);
  EXPECT_EQ(turned.mm(other).to_vector<std::int32_t>(), products<std::int32_t>(turned, other, {}));
}

TEST(Products, HalfTypesAreComputedAsFloat32) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const Tensor a = Tensor::full({2, 3}, 0.5, dtype);
    const Tensor product = a.matmul(Tensor::full({3, 4}, 3, dtype));
    EXPECT_EQ(product.dtype(), dtype);
    EXPECT_EQ(product.to_vector<float>(), std::vector<float>(8, 4.5F));
    EXPECT_EQ(Tensor::full({5, 2, 3}, 0.5, dtype).bmm(Tensor::full({5, 3, 1}, 3, dtype)).dtype(), dtype);
  }
}

TEST(Products, NanAndInfinityPassThrough) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor a = Tensor::from_vector<float>({infinity, 1, 0, std::nanf("")}, {2, 2});
  const std::vector<float> product = a.mm(Tensor::from_vector<float>({1, 0, 1, 2}, {2, 2})).to_vector<float>();
  EXPECT_EQ(product[0], infinity);
  EXPECT_TRUE(std::isnan(product[1]));  // infinity times 0
  EXPECT_TRUE(std::isnan(product[2]));
  EXPECT_TRUE(std::isnan(product[3]));
}

TEST(Products, TraceSumsTheDiagonal) {
  const Tensor x = Tensor::from_vector<double>({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(x.trace().item(), 6);
  EXPECT_EQ(x.transpose(0, 1).trace().item(), 6);
  EXPECT_EQ(Tensor::zeros({0, 3}).trace().item(), 0);
}

TEST(Products, LinearTakesAnyNumberOfDimensions) {
  Numbers numbers(8);
  const Tensor weight = numbers.tensor<float>({4, 3});
  const Tensor bias = numbers.tensor<float>({4});
  const Tensor x = numbers.tensor<float>({2, 5, 3});
  const Tensor flat = linear(x.reshape({10, 3}), weight, bias);
  EXPECT_EQ(linear(x, weight, bias).shape(), (Shape{2, 5, 4}));
  EXPECT_EQ(linear(x, weight, bias).to_vector<float>(), flat.to_vector<float>());
  EXPECT_EQ(linear(x.narrow(0, 0, 1).reshape({5, 3}).narrow(0, 2, 1).reshape({3}), weight, bias).shape(),
            (Shape{4}));
  EXPECT_EQ(linear(numbers.tensor<float>({2, 0, 3}), weight, bias).shape(), (Shape{2, 0, 4}));
  EXPECT_EQ(linear(numbers.tensor<float>({2, 5, 0}), numbers.tensor<float>({4, 0})).to_vector<float>(),
            std::vector<float>(40, 0));
}

}  // namespace
}  // namespace feral
