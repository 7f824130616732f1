// Rearranged copies against their definitions, every type and layout.
#include <gtest/gtest.h>

#include <limits>

#include "tests/tensor/elements.hpp"

namespace feral {
namespace {

using namespace testing_support;

// Calls each(matrix) for every type and layout, empty ones included.
void for_each_matrix(const std::function<void(const Tensor&)>& each) {
  for (const DType dtype : all_dtypes) {
    for (const Layout layout : all_layouts) {
      for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{3, 5}, {4, 4}, {7, 2}, {1, 1}}) {
        SCOPED_TRACE(std::string(name_of(dtype)) + " layout " + std::to_string(static_cast<int>(layout)));
        each(small_matrix(dtype, rows, columns, layout));
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
    each(Tensor::empty({0, 3}, dtype));
    each(Tensor::empty({3, 0}, dtype));
  }
}

std::int64_t modulo(std::int64_t a, std::int64_t b) { return (a % b + b) % b; }

TEST(Arrange, FlipReversesTheNamedDimensions) {
  for_each_matrix([](const Tensor& x) {
    const std::int64_t r = x.shape()[0];
    const std::int64_t c = x.shape()[1];
    expect_elements(x.flip(0), x.shape(), x.dtype(), [&](const Position& p) {
      return element(x, {r - 1 - p[0], p[1]});
    });
    expect_elements(x.flip(-1), x.shape(), x.dtype(), [&](const Position& p) {
      return element(x, {p[0], c - 1 - p[1]});
    });
    expect_elements(x.flip({1, 0}), x.shape(), x.dtype(), [&](const Position& p) {
      return element(x, {r - 1 - p[0], c - 1 - p[1]});
    });
    expect_elements(x.flip(Dims{}), x.shape(), x.dtype(), [&](const Position& p) { return element(x, p); });
  });
  EXPECT_EQ(Tensor::full({}, 3).flip(0).item(), 3);
  EXPECT_EQ(Tensor::full({}, 3).flip(Dims{}).item(), 3);
}

TEST(Arrange, RollMovesElementsAround) {
  for_each_matrix([](const Tensor& x) {
    const std::int64_t r = x.shape()[0];
    const std::int64_t c = x.shape()[1];
    for (const std::int64_t shift :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{-2}, std::int64_t{13},
          std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
      const auto from = [&](std::int64_t at, std::int64_t size) { return modulo(at - shift % size, size); };
      expect_elements(x.roll({shift}, 0), x.shape(), x.dtype(), [&](const Position& p) {
        return element(x, {from(p[0], r), p[1]});
      });
      expect_elements(x.roll({shift, shift}, {-1, 0}), x.shape(), x.dtype(), [&](const Position& p) {
        return element(x, {from(p[0], r), from(p[1], c)});
      });
      expect_elements(x.roll(shift), x.shape(), x.dtype(), [&](const Position& p) {
        const std::int64_t at = from(p[0] * c + p[1], r * c);
        return element(x, {at / c, at % c});
      });
    }
    // A dimension may be named twice.
    expect_elements(x.roll({1, 2}, {0, 0}), x.shape(), x.dtype(), [&](const Position& p) {
      return element(x, {modulo(p[0] - 3, r), p[1]});
    });
  });
  EXPECT_EQ(Tensor::full({}, 3).roll(5).item(), 3);
}

TEST(Arrange, CopiesShareNoMemory) {
  const Tensor x = Tensor::arange(6).reshape({2, 3});
  for (const Tensor& copy : {x.flip(Dims{}), x.roll(0), x.roll({0}, 0), x.rot90(0), x.repeat({1, 1}),
                             x.tile(Shape{}), x.tile({1}), x.repeat_interleave(1), x.repeat_interleave(1, 0),
                             Tensor::arange(1).repeat({3}), x.narrow(1, 0, 1).diag()}) {
    EXPECT_NE(copy.impl()->storage, x.impl()->storage);
    EXPECT_TRUE(copy.is_contiguous());
  }
}

TEST(Arrange, Rot90TurnsFromTheFirstToTheSecondDimension) {
  for_each_matrix([](const Tensor& x) {
    const std::int64_t r = x.shape()[0];
    const std::int64_t c = x.shape()[1];
    for (const std::int64_t full : {0, 4, -8}) {
      expect_elements(x.rot90(full), x.shape(), x.dtype(), [&](const Position& p) { return element(x, p); });
      expect_elements(x.rot90(full + 1), {c, r}, x.dtype(), [&](const Position& p) {
        return element(x, {p[1], c - 1 - p[0]});
      });
      expect_elements(x.rot90(full + 2), x.shape(), x.dtype(), [&](const Position& p) {
        return element(x, {r - 1 - p[0], c - 1 - p[1]});
      });
      expect_elements(x.rot90(full - 1), {c, r}, x.dtype(), [&](const Position& p) {
        return element(x, {r - 1 - p[1], p[0]});
      });
    }
    expect_elements(x.rot90(1, -1, 0), {c, r}, x.dtype(), [&](const Position& p) {
      return element(x, {r - 1 - p[1], p[0]});
    });
  });
}

TEST(Arrange, RepeatAndTileSetCopiesSideBySide) {
  for_each_matrix([](const Tensor& x) {
    const std::int64_t r = x.shape()[0];
    const std::int64_t c = x.shape()[1];
    const auto from = [&](std::int64_t i, std::int64_t j) { return element(x, {i % r, j % c}); };
    expect_elements(x.repeat({2, 3}), {2 * r, 3 * c}, x.dtype(),
                    [&](const Position& p) { return from(p[0], p[1]); });
    expect_elements(x.repeat({2, 1, 3}), {2, r, 3 * c}, x.dtype(),
                    [&](const Position& p) { return from(p[1], p[2]); });
    expect_elements(x.tile({3}), {r, 3 * c}, x.dtype(), [&](const Position& p) { return from(p[0], p[1]); });
    expect_elements(x.tile({2, 3, 1}), {2, 3 * r, c}, x.dtype(),
                    [&](const Position& p) { return from(p[1], p[2]); });
    EXPECT_EQ(x.repeat({0, 2}).shape().to_string(), (Shape{0, 2 * c}).to_string());
  });
  expect_elements(Tensor::full({}, 3).repeat({2, 2}), {2, 2}, DType::float32, [](const Position&) { return 3; });
  expect_elements(Tensor::full({}, 3).repeat(Shape{}), {}, DType::float32, [](const Position&) { return 3; });
}

TEST(Arrange, RepeatOfManyDimensions) {
  // Six dimensions to repeat along would need twelve for one copy.
  const Tensor x = Tensor::arange(2 * 3 * 2 * 2 * 1 * 3 * 1 * 2).reshape({2, 3, 2, 2, 1, 3, 1, 2});
  const Shape repeats{2, 2, 1, 3, 2, 2, 1, 3};
  Shape shape;
  for (int i = 0; i < 8; ++i) shape.push_back(x.shape()[i] * repeats[i]);
  expect_elements(x.repeat(repeats), shape, DType::int64, [&](const Position& p) {
    Position from = p;
    for (std::size_t i = 0; i < from.size(); ++i) from[i] %= x.shape()[static_cast<int>(i)];
    return element(x, from);
  });
}

TEST(Arrange, RepeatInterleaveRepeatsEachElement) {
  for_each_matrix([](const Tensor& x) {
    const std::int64_t r = x.shape()[0];
    const std::int64_t c = x.shape()[1];
    expect_elements(x.repeat_interleave(3), {3 * r * c}, x.dtype(), [&](const Position& p) {
      return element(x, {p[0] / 3 / c, p[0] / 3 % c});
    });
    expect_elements(x.repeat_interleave(2, 0), {2 * r, c}, x.dtype(), [&](const Position& p) {
      return element(x, {p[0] / 2, p[1]});
    });
    expect_elements(x.repeat_interleave(2, -1), {r, 2 * c}, x.dtype(), [&](const Position& p) {
      return element(x, {p[0], p[1] / 2});
    });
    EXPECT_EQ(x.repeat_interleave(0, 1).shape().to_string(), (Shape{r, 0}).to_string());
    const Tensor one = Tensor::from_vector<std::int32_t>({2}, {1});
    expect_elements(x.repeat_interleave(one, 0), {2 * r, c}, x.dtype(), [&](const Position& p) {
      return element(x, {p[0] / 2, p[1]});
    });
  });
  const Tensor x = Tensor::arange(6).reshape({2, 3});
  const Tensor counts = Tensor::from_vector<std::int64_t>({2, 0, 3}, {3});
  expect_vector<std::int64_t>(x.repeat_interleave(counts, 1), {2, 5}, {0, 0, 2, 2, 2, 3, 3, 5, 5, 5});
  expect_vector<std::int64_t>(x.transpose(0, 1).contiguous().repeat_interleave(counts.to(DType::int32), 0), {5, 2},
                              {0, 3, 0, 3, 2, 5, 2, 5, 2, 5});
  EXPECT_EQ(x.repeat_interleave(Tensor::zeros({3}, DType::int64), 1).shape().to_string(), "[2, 0]");
  expect_vector<float>(Tensor::full({}, 3).repeat_interleave(2), {2}, {3, 3});
}

TEST(Arrange, TrianglesAreCutAtTheDiagonal) {
  for_each_matrix([](const Tensor& x) {
    for (const std::int64_t k :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{2}, std::int64_t{-3}, std::int64_t{100},
          std::int64_t{-100}, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
      expect_elements(x.tril(k), x.shape(), x.dtype(),
                      [&](const Position& p) { return p[1] - p[0] <= k ? element(x, p) : 0; });
      expect_elements(x.triu(k), x.shape(), x.dtype(),
                      [&](const Position& p) { return p[1] - p[0] >= k ? element(x, p) : 0; });
    }
  });
  const Tensor batch = Tensor::arange(24).reshape({2, 3, 4});
  expect_elements(batch.tril(), {2, 3, 4}, DType::int64,
                  [&](const Position& p) { return p[2] <= p[1] ? element(batch, p) : 0; });
  // What is cut off is 0, whatever stood there.
  const Tensor nan = Tensor::full({2, 2}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(nan.tril().to_vector<float>()[1], 0);
}

TEST(Arrange, DiagMakesAndTakesDiagonals) {
  for_each_matrix([](const Tensor& x) {
    const std::int64_t r = x.shape()[0];
    const std::int64_t c = x.shape()[1];
    for (std::int64_t k = -r; k <= c; ++k) {
      const std::int64_t row = k < 0 ? -k : 0;
      const std::int64_t column = k > 0 ? k : 0;
      expect_elements(x.diag(k), {std::min(r - row, c - column)}, x.dtype(), [&](const Position& p) {
        return element(x, {row + p[0], column + p[0]});
      });
    }
    if (c == 0 || r == 0) return;
    const Tensor line = x.narrow(1, c - 1, 1).reshape({r});
    for (const std::int64_t k : {0, 2, -1}) {
      const std::int64_t side = r + std::abs(k);
      expect_elements(line.diag(k), {side, side}, x.dtype(), [&](const Position& p) {
        return p[1] - p[0] == k ? element(line, {std::min(p[0], p[1])}) : 0;
      });
    }
  });
  expect_vector<float>(Tensor::empty({0}).diag(1), {1, 1}, {0});
  EXPECT_EQ(Tensor::empty({0}).diag().shape().to_string(), "[0, 0]");
}

TEST(Arrange, OneHotMarksTheClass) {
  const Tensor x = Tensor::from_vector<std::int64_t>({2, 0, 1, 2}, {2, 2});
  for (const Tensor& labels : {x, x.to(DType::int32), x.transpose(0, 1).contiguous().transpose(0, 1)}) {
    for (const std::int64_t classes : {std::int64_t{-1}, std::int64_t{3}, std::int64_t{5}}) {
      expect_elements(labels.one_hot(classes), {2, 2, classes == -1 ? 3 : classes}, DType::int64,
                      [&](const Position& p) {
                        return element(x, {p[0], p[1]}) == static_cast<double>(p[2]) ? 1 : 0;
                      });
    }
  }
  expect_vector<std::int64_t>(Tensor::full({}, 1, DType::int64).one_hot(3), {3}, {0, 1, 0});
  EXPECT_EQ(Tensor::empty({0, 2}, DType::int64).one_hot(3).shape().to_string(), "[0, 2, 3]");
}

}  // namespace
}  // namespace feral
