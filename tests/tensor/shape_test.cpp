#include "tensor/shape.hpp"

#include <gtest/gtest.h>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::contains;
using testing_support::error_of;

constexpr std::int64_t two_to_40 = std::int64_t{1} << 40;

TEST(Shape, CountsElements) {
  EXPECT_EQ(Shape{}.numel(), 1);
  EXPECT_EQ((Shape{3}).numel(), 3);
  EXPECT_EQ((Shape{2, 3, 4}).numel(), 24);
  EXPECT_EQ((Shape{2, 0, 4}).numel(), 0);
}

TEST(Shape, RefusesANegativeSizeAndShowsTheShape) {
  EXPECT_TRUE(contains(error_of([] { (void)Shape{2, -3}.numel(); }), "[2, -3]"));
}

TEST(Shape, RefusesMoreElementsThanCanBeCounted) {
  EXPECT_TRUE(contains(error_of([] { (void)Shape{two_to_40, two_to_40}.numel(); }), "too many elements"));
}

TEST(Shape, RefusesStridesThatCannotBeCountedEvenWhenEmpty) {
  // The strides of an empty tensor skip its zeros, so they overflow where the count does not.
  EXPECT_TRUE(contains(error_of([] { (void)Shape{0, two_to_40, two_to_40}.numel(); }), "too many elements"));
  EXPECT_TRUE(contains(error_of([] { (void)Shape{two_to_40, two_to_40, 0}.numel(); }), "too many elements"));
}

TEST(Shape, HoldsAtMostEightDimensions) {
  Shape shape{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(shape.dims(), Shape::max_dims);
  EXPECT_TRUE(contains(error_of([&] { shape.push_back(9); }), "8 dimensions"));
  const std::vector<std::int64_t> nine(9, 1);
  EXPECT_TRUE(contains(error_of([&] { (void)Shape(std::span(nine)); }), "9 dimensions"));
}

TEST(Shape, ComparesSizesAndTheirNumber) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_FALSE((Shape{2, 3}) == (Shape{3, 2}));
  EXPECT_FALSE((Shape{2}) == (Shape{2, 1}));
  EXPECT_EQ(Shape{}, (Shape()));
}

TEST(Shape, ContiguousStridesAreRowMajor) {
  EXPECT_EQ((Shape{2, 3, 4}).contiguous_strides(), (Shape{12, 4, 1}));
  EXPECT_EQ((Shape{5}).contiguous_strides(), (Shape{1}));
  EXPECT_EQ((Shape{2, 0, 4}).contiguous_strides(), (Shape{4, 4, 1}));
  EXPECT_EQ(Shape{}.contiguous_strides(), Shape{});
}

TEST(Shape, PrintsAsAList) {
  EXPECT_EQ((Shape{64, 1, 28, 28}).to_string(), "[64, 1, 28, 28]");
  EXPECT_EQ(Shape{}.to_string(), "[]");
}

TEST(BroadcastShapes, FollowsNumPy) {
  EXPECT_EQ(broadcast_shapes("op", {2, 3}, {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast_shapes("op", {2, 3}, {3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast_shapes("op", {3}, {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast_shapes("op", {2, 1}, {1, 3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast_shapes("op", {4, 1, 3}, {2, 1}), (Shape{4, 2, 3}));
  EXPECT_EQ(broadcast_shapes("op", {}, {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast_shapes("op", {0}, {1}), (Shape{0}));
  EXPECT_EQ(broadcast_shapes("op", {1}, {0}), (Shape{0}));
}

TEST(BroadcastShapes, NamesTheOpBothShapesAndTheSizesThatDiffer) {
  const std::string message = error_of([] { broadcast_shapes("mul", {2, 3}, {4, 3}); });
  for (const char* part : {"mul", "[2, 3]", "[4, 3]", "2 and 4"}) EXPECT_TRUE(contains(message, part)) << message;
  EXPECT_TRUE(contains(error_of([] { broadcast_shapes("op", {0}, {2}); }), "do not broadcast"));
}

TEST(NormalizeDim, CountsFromTheEndWhenNegative) {
  EXPECT_EQ(normalize_dim("op", 0, 3), 0);
  EXPECT_EQ(normalize_dim("op", 2, 3), 2);
  EXPECT_EQ(normalize_dim("op", -1, 3), 2);
  EXPECT_EQ(normalize_dim("op", -3, 3), 0);
}

TEST(NormalizeDim, RefusesWhatIsOutOfRange) {
  for (const std::int64_t dim : {3, 4, -4}) {
    const std::string message = error_of([&] { normalize_dim("sum", dim, 3); });
    EXPECT_TRUE(contains(message, "sum: dimension " + std::to_string(dim))) << message;
  }
  EXPECT_TRUE(contains(error_of([] { normalize_dim("sum", 0, 0); }), "0 dimensions"));
}

}  // namespace
}  // namespace feral
