// Joins, grids and margins against their definitions.
#include "autograd/ops/join.hpp"

#include <gtest/gtest.h>

#include "autograd/ops/pad.hpp"
#include "tests/tensor/elements.hpp"

namespace feral {
namespace {

using namespace testing_support;

TEST(Join, CatOfEveryTypeAndLayout) {
  for (const DType dtype : all_dtypes) {
    for (const Layout layout : all_layouts) {
      const Tensor a = small_matrix(dtype, 3, 4, layout);
      const Tensor b = small_matrix(dtype, 2, 4, Layout::transposed);
      const Tensor c = small_matrix(dtype, 3, 1, Layout::contiguous);
      expect_elements(cat({a, b, a}), {8, 4}, dtype, [&](const Position& p) {
        return p[0] < 3 ? element(a, p) : p[0] < 5 ? element(b, {p[0] - 3, p[1]}) : element(a, {p[0] - 5, p[1]});
      });
      expect_elements(cat({a, c}, -1), {3, 5}, dtype, [&](const Position& p) {
        return p[1] < 4 ? element(a, p) : element(c, {p[0], p[1] - 4});
      });
    }
  }
}

TEST(Join, CatPromotesTypes) {
  const Tensor i = Tensor::from_vector<std::int32_t>({1, -2}, {2});
  const Tensor d = Tensor::from_vector<double>({0.5}, {1});
  const Tensor b = Tensor::ones({1}, DType::boolean);
  expect_vector<double>(cat({b, i, d}), {4}, {1, 1, -2, 0.5});
  expect_vector<std::int32_t>(cat({b, i}), {3}, {1, 1, -2});
  const Tensor half = Tensor::full({1}, 3, DType::float16);
  EXPECT_EQ(cat({half, Tensor::ones({1}, DType::bfloat16)}).dtype(), DType::float32);
  EXPECT_EQ(stack({i, d.expand({2})}).dtype(), DType::float64);
}

TEST(Join, CatOfNothing) {
  const Tensor nothing = Tensor::empty({0}, DType::float64);
  const Tensor x = Tensor::ones({2, 3});
  const Tensor joined = cat({nothing, x, nothing}, 1);
  expect_elements(joined, {2, 3}, DType::float64, [](const Position&) { return 1; });
  EXPECT_EQ(cat({nothing, nothing}).shape().to_string(), "[0]");
  EXPECT_EQ(cat({nothing}, 1).shape().to_string(), "[0]");
  EXPECT_EQ(cat({x, Tensor::empty({2, 0})}, 1).shape().to_string(), "[2, 3]");
  EXPECT_EQ(cat({Tensor::empty({0, 3}), Tensor::empty({0, 3})}).shape().to_string(), "[0, 3]");
}

TEST(Join, CatOfManyFromAVector) {
  std::vector<Tensor> rows;
  for (int i = 0; i < 50; ++i) rows.push_back(Tensor::full({1, 2}, i));
  expect_elements(cat(rows), {50, 2}, DType::float32, [](const Position& p) { return static_cast<double>(p[0]); });
  EXPECT_NE(cat({rows[0]}).impl()->storage, rows[0].impl()->storage);
}

TEST(Join, StackMakesADimension) {
  const Tensor a = small_matrix(DType::float32, 2, 3, Layout::transposed);
  const Tensor b = small_matrix(DType::float32, 2, 3, Layout::stepped);
  const std::vector<Tensor> both = {a, b};
  expect_elements(stack(both), {2, 2, 3}, DType::float32, [&](const Position& p) {
    return element(both[static_cast<std::size_t>(p[0])], {p[1], p[2]});
  });
  expect_elements(stack(both, 1), {2, 2, 3}, DType::float32, [&](const Position& p) {
    return element(both[static_cast<std::size_t>(p[1])], {p[0], p[2]});
  });
  expect_elements(stack(both, -1), {2, 3, 2}, DType::float32, [&](const Position& p) {
    return element(both[static_cast<std::size_t>(p[2])], {p[0], p[1]});
  });
  expect_vector<float>(stack({Tensor::full({}, 1), Tensor::full({}, 2)}), {2}, {1, 2});
  EXPECT_EQ(stack({Tensor::empty({0}), Tensor::empty({0})}, 1).shape().to_string(), "[0, 2]");
}

TEST(Join, HstackAndVstack) {
  const Tensor one = Tensor::full({}, 1);
  const Tensor two = Tensor::full({2}, 2);
  const Tensor matrix = Tensor::full({1, 2}, 3);
  expect_vector<float>(hstack({one, two}), {3}, {1, 2, 2});
  expect_vector<float>(hstack({matrix, matrix}), {1, 4}, {3, 3, 3, 3});
  expect_vector<float>(vstack({two, matrix}), {2, 2}, {2, 2, 3, 3});
  expect_vector<float>(vstack({one, one}), {2, 1}, {1, 1});
}

TEST(Join, Meshgrid) {
  const Tensor x = Tensor::arange(3);
  const Tensor y = Tensor::arange(2);
  const std::vector<Tensor> ij = meshgrid({x, y});
  expect_vector<std::int64_t>(ij[0], {3, 2}, {0, 0, 1, 1, 2, 2});
  expect_vector<std::int64_t>(ij[1], {3, 2}, {0, 1, 0, 1, 0, 1});
  const std::vector<Tensor> xy = meshgrid({x, y}, "xy");
  expect_vector<std::int64_t>(xy[0], {2, 3}, {0, 1, 2, 0, 1, 2});
  expect_vector<std::int64_t>(xy[1], {2, 3}, {0, 0, 0, 1, 1, 1});
  EXPECT_EQ(meshgrid({x}, "xy")[0].shape().to_string(), "[3]");
  EXPECT_EQ(meshgrid({x, y, Tensor::full({}, 1, DType::int64)}, "xy")[2].shape().to_string(), "[2, 3, 1]");
  for (const auto& [call, part] : std::vector<std::pair<std::function<void()>, std::string>>{
           {[&] {
              (void)meshgrid({x, y}, "yx");
            },
            "yx"},
           {[&] {
              (void)meshgrid({x, y.to(DType::float32)});
            },
            "float32"},
           {[&] {
              (void)meshgrid({x, Tensor::ones({2, 2})});
            },
            "[2, 2]"},
           {[&] { (void)meshgrid(std::vector<Tensor>{}); }, "empty"}}) {
    const std::string message = error_of(call);
    EXPECT_TRUE(message.starts_with("meshgrid: ") && contains(message, part)) << message;
  }
}

TEST(Join, BroadcastTensors) {
  const std::vector<Tensor> both = broadcast_tensors({Tensor::full({3, 1}, 1), Tensor::full({2}, 2)});
  EXPECT_EQ(both[0].shape().to_string(), "[3, 2]");
  EXPECT_EQ(both[1].shape().to_string(), "[3, 2]");
  EXPECT_EQ(both[1].to_vector<float>()[5], 2);
  const std::string message = error_of([] { (void)broadcast_tensors({Tensor::ones({3}), Tensor::ones({2})}); });
  EXPECT_TRUE(message.starts_with("broadcast_tensors: ")) << message;
}

// Where position `at` of the padded dimension comes from; -1 for the constant.
std::int64_t source(std::int64_t at, std::int64_t before, std::int64_t size, PadMode mode) {
  std::int64_t from = at - before;
  if (from >= 0 && from < size) return from;
  switch (mode) {
    case PadMode::constant:
      return -1;
    case PadMode::replicate:
      return from < 0 ? 0 : size - 1;
    case PadMode::circular:
      return (from + 2 * size) % size;
    case PadMode::reflect:
      return from < 0 ? -from : 2 * (size - 1) - from;
  }
  return 0;
}

TEST(Pad, EveryModeTypeAndLayout) {
  for (const DType dtype : all_dtypes) {
    for (const Layout layout : all_layouts) {
      const Tensor x = small_matrix(dtype, 4, 5, layout);
      for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate, PadMode::circular}) {
        for (const auto& m : std::vector<std::array<std::int64_t, 4>>{
                 {0, 0, 0, 0}, {1, 2, 0, 0}, {0, 3, 2, 1}, {4, 4, 3, 3}, {-1, 2, 0, -2}, {2, -4, -1, -1}}) {
          SCOPED_TRACE(std::string(name_of(dtype)) + " mode " + std::to_string(static_cast<int>(mode)) +
                       " margins " + ::testing::PrintToString(m));
          expect_elements(pad(x, m, mode, 1), {4 + m[2] + m[3], 5 + m[0] + m[1]}, dtype, [&](const Position& p) {
            const std::int64_t row = source(p[0], m[2], 4, mode);
            const std::int64_t column = source(p[1], m[0], 5, mode);
            return row < 0 || column < 0 ? 1 : element(x, {row, column});
          });
        }
      }
    }
  }
}

TEST(Pad, OfOddShapes) {
  const Tensor x = Tensor::arange(2 * 3 * 4).reshape({2, 3, 4});
  // The last dimension alone, and all three.
  expect_elements(pad(x, {1, 1}), {2, 3, 6}, DType::int64, [&](const Position& p) {
    return p[2] >= 1 && p[2] < 5 ? element(x, {p[0], p[1], p[2] - 1}) : 0;
  });
  EXPECT_EQ(pad(x, {1, 2, 3, 4, 5, 6}, PadMode::replicate).shape().to_string(), "[13, 10, 7]");
  expect_vector<float>(pad(Tensor::empty({0}), {1, 2}, PadMode::constant, 3), {3}, {3, 3, 3});
  EXPECT_EQ(pad(Tensor::empty({0, 3}), {1, 1}, PadMode::circular).shape().to_string(), "[0, 5]");
  EXPECT_EQ(pad(x, {-2, -2}).shape().to_string(), "[2, 3, 0]");
  EXPECT_EQ(pad(Tensor::full({}, 3), std::initializer_list<std::int64_t>{}).item(), 3);
  const Tensor copy = pad(x, {0, 0});
  EXPECT_NE(copy.impl()->storage, x.impl()->storage);
  EXPECT_TRUE(pad(x, {-1, 0}).is_contiguous());
  expect_vector<std::int64_t>(pad(Tensor::arange(2), {1, 1}, PadMode::constant, 2.5), {4}, {2, 0, 1, 2});
}

}  // namespace
}  // namespace feral
