// Whole slices read and written by index, against index-by-index twins; masks and nonzero.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/grad_mode.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using namespace testing_support;

template <class T>
class IndexOf : public testing::Test {
 protected:
  Numbers numbers{31};
};
using Types = testing::Types<float, double, std::int64_t, std::int32_t, std::uint8_t, std::int8_t, std::int16_t,
                             Float16, BFloat16>;
TYPED_TEST_SUITE(IndexOf, Types);

std::vector<std::int64_t> some_indices(Numbers& numbers, std::int64_t count, std::int64_t size) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  for (auto& index : indices) index = static_cast<std::int64_t>(numbers.next(0, static_cast<double>(size)));
  return indices;
}

Tensor vector_of(const std::vector<std::int64_t>& values) {
  return Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())});
}

template <class T>
double element(const Tensor& x, std::int64_t i, std::int64_t j) {
  return static_cast<double>(at<T>(x, i, j));
}

TYPED_TEST(IndexOf, SlicesAreReadInEveryLayoutAlongBothDimensions) {
  for (const std::int64_t n : {1, 3, 17, 40}) {
    for (const Layout layout : all_layouts) {
      const Tensor x = this->numbers.template matrix<TypeParam>(5, n, layout, 0, 50);
      const auto rows = some_indices(this->numbers, 7, 5);
      const auto columns = some_indices(this->numbers, 6, n);
      const Tensor by_row = x.index_select(0, vector_of(rows).to(n == 3 ? DType::int32 : DType::int64));
      const Tensor by_column = x.index_select(-1, vector_of(columns));
      ASSERT_EQ(by_row.shape(), (Shape{7, n}));
      ASSERT_EQ(by_column.shape(), (Shape{5, 6}));
      for (std::size_t i = 0; i < 7; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          ASSERT_EQ(element<TypeParam>(by_row, static_cast<std::int64_t>(i), j), element<TypeParam>(x, rows[i], j));
        }
      }
      for (std::int64_t i = 0; i < 5; ++i) {
        for (std::size_t j = 0; j < 6; ++j) {
          ASSERT_EQ(element<TypeParam>(by_column, i, static_cast<std::int64_t>(j)),
                    element<TypeParam>(x, i, columns[j]));
        }
      }
    }
  }
}

TYPED_TEST(IndexOf, SlicesAreWrittenInEveryLayout) {
  const std::int64_t n = 19;
  const auto rows = some_indices(this->numbers, 7, 5);  // with duplicates
  for (const Layout target_layout : {Layout::contiguous, Layout::transposed, Layout::stepped}) {
    for (const Layout layout : all_layouts) {
      const Tensor x = this->numbers.template matrix<TypeParam>(5, n, target_layout, 0, 10);
      const Tensor source = this->numbers.template matrix<TypeParam>(7, n, layout, 0, 10);
      std::vector<double> added;
      std::vector<double> copied;
      for (std::int64_t i = 0; i < 5; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          TypeParam sum = at<TypeParam>(x, i, j);
          TypeParam last = sum;
          for (std::size_t k = 0; k < rows.size(); ++k) {
            if (rows[k] != i) continue;
            last = at<TypeParam>(source, static_cast<std::int64_t>(k), j);
            sum = static_cast<TypeParam>(sum + last);
          }
          added.push_back(static_cast<double>(sum));
          copied.push_back(static_cast<double>(last));
        }
      }
      ASSERT_EQ(x.index_add(0, vector_of(rows), source).template to_vector<double>(), added);
      ASSERT_EQ(x.index_copy(0, vector_of(rows), source).template to_vector<double>(), copied);
      const Tensor original = x.clone();
      ASSERT_EQ(x.index_add_(0, vector_of(rows), source).template to_vector<double>(), added);
      x.copy_(original);
      ASSERT_EQ(x.index_copy_(0, vector_of(rows), source).template to_vector<double>(), copied);
      const auto filled = original.index_fill(1, vector_of({3, 18}), 4).template to_vector<double>();
      const auto unfilled = original.template to_vector<double>();
      for (std::size_t i = 0; i < filled.size(); ++i) {
        ASSERT_EQ(filled[i], i % 19 == 3 || i % 19 == 18 ? 4 : unfilled[i]);
      }
      ASSERT_EQ(original.index_fill_(1, vector_of({3, 18}), 4).template to_vector<double>(), filled);
    }
  }
}

TYPED_TEST(IndexOf, MasksChooseFillAndScatter) {
  for (const Layout layout : {Layout::contiguous, Layout::transposed_stepped}) {
    const Tensor x = this->numbers.template matrix<TypeParam>(6, 9, layout, 0, 40);
    const Tensor mask = this->numbers.template matrix<float>(6, 9, layout).gt(Scalar(0.2));
    std::vector<double> chosen;
    std::vector<double> filled;
    std::vector<double> scattered;
    std::vector<std::int64_t> where;
    const Tensor source = this->numbers.template matrix<TypeParam>(9, 8, Layout::transposed, 0, 40);
    for (std::int64_t i = 0; i < 6; ++i) {
      for (std::int64_t j = 0; j < 9; ++j) {
        const double value = element<TypeParam>(x, i, j);
        const bool here = at<bool>(mask, i, j);
        const auto k = static_cast<std::int64_t>(chosen.size());
        filled.push_back(here ? 3 : value);
        scattered.push_back(here ? element<TypeParam>(source, k / 8, k % 8) : value);
        if (here) {
          chosen.push_back(value);
          where.insert(where.end(), {i, j});
        }
      }
    }
    ASSERT_GT(chosen.size(), 5U);
    EXPECT_EQ(x.masked_select(mask).template to_vector<double>(), chosen);
    EXPECT_EQ(mask.nonzero().template to_vector<std::int64_t>(), where);
    EXPECT_EQ(mask.to(dtype_of<TypeParam>).nonzero().template to_vector<std::int64_t>(), where);
    EXPECT_EQ(x.masked_fill(mask, 3).template to_vector<double>(), filled);
    const Tensor target = x.clone();
    EXPECT_EQ(target.masked_scatter_(mask, source).template to_vector<double>(), scattered);
    EXPECT_EQ(x.masked_fill_(mask, 3).template to_vector<double>(), filled);
  }
}

TEST(IndexSelect, OfLongRowsAndManyDimensions) {
  Numbers numbers(5);
  const Tensor x = numbers.tensor<float>({10, 3, 784});
  const auto picks = some_indices(numbers, 64, 10);
  const auto all = x.to_vector<float>();
  const auto rows = x.index_select(0, vector_of(picks)).to_vector<float>();
  const auto middle = x.index_select(1, vector_of({2, 0})).to_vector<float>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i], all[static_cast<std::size_t>(picks[i / 2352]) * 2352 + i % 2352]);
  }
  for (std::size_t i = 0; i < middle.size(); ++i) {
    const std::size_t row = i / 784 % 2 == 0 ? 2 : 0;
    ASSERT_EQ(middle[i], all[i / 1568 * 2352 + row * 784 + i % 784]);
  }
}

TEST(IndexSelect, TensorsAndIndicesWithoutDimensionsStandForOneElement) {
  const Tensor number = Tensor::full({}, 5);
  const Tensor zero = Tensor::zeros({}, DType::int64);
  EXPECT_EQ(number.index_select(0, zero).shape(), Shape{});
  EXPECT_EQ(number.index_add(0, zero, number).item(), 10);
  EXPECT_EQ(number.index_fill(0, zero, 3).item(), 3);
  EXPECT_EQ(number.take(Tensor::full({}, -1, DType::int64)).item(), 5);
  EXPECT_EQ(Tensor::ones({3}).index_select(0, zero).shape(), Shape{1});
  EXPECT_EQ(Tensor::zeros({3}).index_copy(0, zero, number).to_vector<float>(), (std::vector<float>{5, 0, 0}));
  const Tensor none = Tensor::zeros({0}, DType::int64);
  EXPECT_EQ(Tensor::empty({0, 3}).index_select(0, none).shape(), (Shape{0, 3}));
  EXPECT_EQ(Tensor::empty({2, 3}).index_select(1, none).shape(), (Shape{2, 0}));
  EXPECT_EQ(Tensor::empty({4, 0}).index_select(0, zero).shape(), (Shape{1, 0}));
}

TEST(Take, CountsInRowMajorOrderWhateverTheStrides) {
  Numbers numbers(6);
  for (const Layout layout : all_layouts) {
    const Tensor x = numbers.matrix<double>(4, 6, layout);
    const Tensor index = Tensor::from_vector<std::int32_t>({0, 23, -1, -24, 7, 7}, {3, 2});
    const Tensor taken = x.take(index);
    EXPECT_EQ(taken.shape(), (Shape{3, 2}));
    const auto all = x.to_vector<double>();
    EXPECT_EQ(taken.to_vector<double>(), (std::vector<double>{all[0], all[23], all[23], all[0], all[7], all[7]}));
  }
  EXPECT_NE(error_of([] { (void)Tensor::ones({2, 2}).take(Tensor::full({1}, 4, DType::int64)); }), "");
  EXPECT_NE(error_of([] { (void)Tensor::ones({2, 2}).take(Tensor::full({1}, -5, DType::int64)); }), "");
}

TEST(Masks, Broadcast) {
  const Tensor row = Tensor::from_vector<float>({1, 2, 3}, {3});
  const Tensor column = Tensor::from_vector<bool>({true, false}, {2, 1});
  EXPECT_EQ(row.masked_select(column).to_vector<float>(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(row.masked_fill(column, 9).to_vector<float>(), (std::vector<float>{9, 9, 9, 1, 2, 3}));
  const Tensor x = Tensor::zeros({2, 3});
  x.masked_fill_(column, 1.5);
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1.5, 1.5, 1.5, 0, 0, 0}));
  x.masked_scatter_(Tensor::from_vector<bool>({false, true, true}, {3}),
                    Tensor::from_vector<float>({1, 2, 3, 4}, {4}));
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1.5, 1, 2, 0, 3, 4}));
}

TEST(Masks, NumbersAreTruncatedWrappedOrRefusedAsInPyTorch) {
  const Tensor mask = Tensor::ones({1}, DType::boolean);
  EXPECT_EQ(Tensor::zeros({1}, DType::int64).masked_fill(mask, -1.9).item(), -1);
  EXPECT_EQ(Tensor::zeros({1}, DType::uint8).masked_fill(mask, -1).item(), 255);
  EXPECT_EQ(Tensor::zeros({1}, DType::boolean).masked_fill(mask, 3).item(), 1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(Tensor::zeros({1}, DType::float16).masked_fill(mask, nan).item()));
  for (const double value : {256.0, 1e30, nan, -256.0}) {
    const std::string message = error_of([&] { (void)Tensor::zeros({1}, DType::uint8).masked_fill(mask, value); });
    EXPECT_TRUE(contains(message, "masked_fill: ") && contains(message, "uint8")) << message;
  }
  EXPECT_EQ(Tensor::zeros({1}, DType::int64).masked_fill(mask, -0x1p63).to_vector<std::int64_t>()[0],
            std::numeric_limits<std::int64_t>::min());
  EXPECT_NE(error_of([&] { (void)Tensor::zeros({1}, DType::int64).masked_fill(mask, 0x1p63); }), "");
}

TEST(Nonzero, CountsNaNAndNotMinusZero) {
  const Tensor x = Tensor::from_vector<float>({0, -0.0F, std::numeric_limits<float>::quiet_NaN(), 1e-45F}, {2, 2});
  EXPECT_EQ(x.nonzero().to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0, 1, 1}));
  EXPECT_EQ(Tensor::full({}, 3).nonzero().shape(), (Shape{1, 0}));
  EXPECT_EQ(Tensor::full({}, 0).nonzero().shape(), (Shape{0, 0}));
  EXPECT_EQ(Tensor::ones({0, 3}).nonzero().shape(), (Shape{0, 2}));
  const Tensor columns = Tensor::from_vector<std::int8_t>({1, 0}, {2, 1}).expand({2, 3});
  EXPECT_EQ(columns.nonzero().to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 0, 1, 0, 2}));
}

TEST(IndexInPlace, IntegersWrapAroundAndOverlapIsCopied) {
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  const Tensor x = vector_of({largest, 0});
  x.index_add_(0, vector_of({0, 0}), vector_of({1, 1}));
  EXPECT_EQ(x.to_vector<std::int64_t>()[0], std::numeric_limits<std::int64_t>::min() + 1);

  const Tensor y = vector_of({3, 2, 1, 0});
  y.index_copy_(0, y, y);
  EXPECT_EQ(y.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 2, 3}));
  y.index_add_(0, vector_of({1, 2, 3}), y.narrow(0, 0, 3));
  EXPECT_EQ(y.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 3, 5}));
  const Tensor flags = Tensor::from_vector<bool>({true, false, true}, {3});
  flags.masked_scatter_(flags, Tensor::from_vector<bool>({false, true}, {2}));
  EXPECT_EQ(flags.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 1}));
}

TEST(IndexInPlace, WrongCallsNameWhatIsWrongAndWriteNothing) {
  const Tensor x = Tensor::zeros({3, 2});
  const Tensor one = Tensor::ones({1, 2});
  const Tensor three = vector_of({3});
  const Tensor mask = Tensor::ones({3, 2}, DType::boolean);
  Tensor leaf = Tensor::ones({1, 2}).set_requires_grad(true);
  const auto expect = [&](auto call, std::initializer_list<const char*> parts) {
    const std::string message = error_of(call);
    for (const char* part : parts) EXPECT_TRUE(contains(message, part)) << message << " lacks " << part;
    EXPECT_EQ(x.to_vector<float>(), std::vector<float>(6));
  };
  expect([&] { x.index_add_(0, three, one); }, {"index_add_: ", "index 3", "[0]", "[0, 3)"});
  expect([&] { x.index_copy_(0, vector_of({0, -1}), Tensor::ones({2, 2})); }, {"index_copy_: ", "-1", "[1]"});
  expect([&] { x.index_fill_(0, three, 1); }, {"index_fill_: ", "index 3"});
  expect([&] { x.index_fill_(2, three, 1); }, {"index_fill_: ", "dimension 2"});
  expect([&] { x.index_add_(0, vector_of({1}), Tensor::ones({2, 2})); }, {"index_add_: ", "[2, 2]", "[1, 2]"});
  expect(
      [&] {
        x.narrow(0, 0, 1).expand({3, 2}).index_fill_(0, vector_of({1}), 1);
      },
      {"index_fill_: ", "share memory"});
  expect([&] { x.masked_fill_(Tensor::ones({4}, DType::boolean), 1); }, {"masked_fill_: ", "[4]", "[3, 2]"});
  expect([&] { x.masked_fill_(Tensor::ones({2, 3, 2}, DType::boolean), 1); }, {"masked_fill_: ", "[2, 3, 2]"});
  expect([&] { x.masked_fill_(x, 1); }, {"masked_fill_: ", "bool", "float32"});
  expect([&] { x.masked_scatter_(mask, one); }, {"masked_scatter_: ", "6", "2"});
  expect([&] { x.masked_scatter_(mask, Tensor::ones({6}, DType::float64)); }, {"masked_scatter_: ", "float64"});
  expect([&] { leaf.masked_fill_(mask.narrow(0, 0, 1), 1); }, {"masked_fill_: ", "gradient"});
}

}  // namespace
}  // namespace feral
