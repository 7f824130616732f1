// Views of parts of a tensor, and views in lists: what they show, their gradients and their wrong calls.
#include "autograd/ops/view_part.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;
using ops::Geometry;

Tensor counting(const Shape& shape) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(shape.numel()));
  std::iota(values.begin(), values.end(), 0);
  return Tensor::from_vector(values, shape);
}

using Ints = std::vector<std::int32_t>;

void expect_view(const Tensor& view, const Tensor& of, const Shape& shape, const Ints& elements) {
  EXPECT_EQ(view.shape(), shape);
  EXPECT_EQ(view.to_vector<std::int32_t>(), elements);
  EXPECT_EQ(view.impl()->storage, of.impl()->storage) << "copied";
}

TEST(Select, LeavesTheDimensionOut) {
  const Tensor x = counting({2, 3});
  expect_view(x.select(0, 1), x, {3}, {3, 4, 5});
  expect_view(x.select(-1, -3), x, {2}, {0, 3});
  expect_view(x[1][2], x, {}, {5});
  expect_view(x.transpose(0, 1)[2], x, {2}, {2, 5});
}

TEST(Slice, IsPythons) {
  const Tensor x = counting({7});
  expect_view(x.slice(0, 1, 6, 2), x, {3}, {1, 3, 5});
  expect_view(x.slice(0, 1, 7, 2), x, {3}, {1, 3, 5});
  expect_view(x.slice(0, -3, -1), x, {2}, {4, 5});
  expect_view(x.slice(0, -100, 100, 3), x, {3}, {0, 3, 6});
  expect_view(x.slice(0, 5, 2), x, {0}, {});
  expect_view(x.slice(0, 9, 12), x, {0}, {});
  expect_view(x.slice(0, 0, INT64_MAX, INT64_MAX), x, {1}, {0});
  expect_view(x.slice(0, INT64_MIN, INT64_MAX, 4), x, {2}, {0, 4});
  const Tensor m = counting({3, 4});
  expect_view(m.slice(1, 1, 4, 2).slice(0, 0, 3, 2), m, {2, 2}, {1, 3, 9, 11});
  EXPECT_EQ(m.slice(0, 3, 3).shape(), (Shape{0, 4}));
}

TEST(Diagonal, RunsAlongTwoDimensions) {
  const Tensor x = counting({3, 4});
  expect_view(x.diagonal(), x, {3}, {0, 5, 10});
  expect_view(x.diagonal(2), x, {2}, {2, 7});
  expect_view(x.diagonal(-1), x, {2}, {4, 9});
  expect_view(x.diagonal(1, 1, 0), x, {2}, {4, 9});
  expect_view(x.diagonal(4), x, {0}, {});
  expect_view(x.diagonal(-3), x, {0}, {});
  expect_view(x.diagonal(INT64_MAX), x, {0}, {});
  expect_view(x.diagonal(INT64_MIN), x, {0}, {});
  const Tensor y = counting({2, 3, 2});
  expect_view(y.diagonal(0, 0, 2), y, {3, 2}, {0, 7, 2, 9, 4, 11});
  expect_view(y.diagonal(0, -2, -1), y, {2, 2}, {0, 3, 6, 9});
}

TEST(Unfold, ShowsWindows) {
  const Tensor x = counting({7});
  expect_view(x.unfold(0, 3, 2), x, {3, 3}, {0, 1, 2, 2, 3, 4, 4, 5, 6});
  expect_view(x.unfold(0, 2, 3), x, {2, 2}, {0, 1, 3, 4});
  expect_view(x.unfold(0, 7, INT64_MAX), x, {1, 7}, {0, 1, 2, 3, 4, 5, 6});
  EXPECT_EQ(x.unfold(0, 0, 2).shape(), (Shape{4, 0}));
  const Tensor m = counting({3, 2});
  expect_view(m.unfold(0, 2, 1), m, {2, 2, 2}, {0, 2, 1, 3, 2, 4, 3, 5});
  const Tensor one = counting({});
  expect_view(one.unfold(0, 1, 1), one, {1}, {0});
}

TEST(AsStrided, SeesTheWholeStorage) {
  const Tensor x = counting({4, 3});
  expect_view(x.as_strided({2, 2}, {1, 5}, 1), x, {2, 2}, {1, 6, 2, 7});
  expect_view(x.as_strided({3}, {0}, 11), x, {3}, {11, 11, 11});
  const Tensor part = x.narrow(0, 2, 1);
  expect_view(part.as_strided({2}, {3}, -6), x, {2}, {0, 3});
  expect_view(part.as_strided({0, 5}, {1, 1}, 1000), x, {0, 5}, {});
  expect_view(part.as_strided({}, {}, 5), x, {}, {11});
}

TEST(Permute, TurnsDimensions) {
  const Tensor x = counting({2, 3, 2});
  expect_view(x.permute({2, 0, 1}), x, {2, 2, 3}, {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11});
  expect_view(x.permute({-1, 0, -2}), x, {2, 2, 3}, {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11});
  expect_view(x.movedim(2, 0), x, {2, 2, 3}, {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11});
  expect_view(x.movedim(0, -1), x, {3, 2, 2}, {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11});
  EXPECT_EQ(counting({2, 3, 4, 5}).movedim(1, 3).shape(), (Shape{2, 4, 5, 3}));
  EXPECT_EQ(counting({2, 3, 4, 5}).movedim(3, 1).shape(), (Shape{2, 5, 3, 4}));
  EXPECT_EQ(counting({2, 3, 4, 5}).movedim(2, 2).shape(), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(counting({}).movedim(0, -1).shape(), Shape{});  // PyTorch's: as if there were one dimension
  EXPECT_EQ(counting({}).transpose(-1, 0).shape(), Shape{});
  EXPECT_EQ(counting({}).permute(std::initializer_list<std::int64_t>{}).shape(), Shape{});
}

TEST(T, TurnsAMatrixAndLeavesAVector) {
  const Tensor x = counting({2, 3});
  expect_view(x.t(), x, {3, 2}, {0, 3, 1, 4, 2, 5});
  EXPECT_EQ(x[0].t().shape(), (Shape{3}));
  EXPECT_EQ(x[0][0].t().shape(), Shape{});
}

TEST(View, NeverCopies) {
  const Tensor x = counting({2, 6});
  expect_view(x.view({3, -1}), x, {3, 4}, x.to_vector<std::int32_t>());
  expect_view(x.t().view({3, 2, 2}), x, {3, 2, 2}, x.t().to_vector<std::int32_t>());
  EXPECT_EQ(x.view_as(counting({12})).shape(), (Shape{12}));
  EXPECT_EQ(x.reshape_as(counting({12})).shape(), (Shape{12}));
  EXPECT_EQ(counting({0, 3}).view({3, -1}).shape(), (Shape{3, 0}));
}

TEST(Flatten, JoinsARangeOfDimensionsAndUnflattenSplitsOne) {
  const Tensor x = counting({2, 3, 4, 5});
  EXPECT_EQ(x.flatten(1, 2).shape(), (Shape{2, 12, 5}));
  EXPECT_EQ(x.flatten(-3, -2).shape(), (Shape{2, 12, 5}));
  EXPECT_EQ(x.flatten(2, 2).shape(), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(counting({}).flatten(0, 0).shape(), (Shape{1}));
  EXPECT_EQ(x.unflatten(-1, {5, 1}).shape(), (Shape{2, 3, 4, 5, 1}));
  EXPECT_EQ(x.unflatten(2, {2, -1}).shape(), (Shape{2, 3, 2, 2, 5}));
  EXPECT_EQ(x.unflatten(2, {-1}).raw_data(), x.raw_data());
}

TEST(Squeeze, DropsDimensionsOfOneAndUnsqueezeAddsThem) {
  const Tensor x = counting({1, 3, 1, 2});
  expect_view(x.squeeze(), x, {3, 2}, {0, 1, 2, 3, 4, 5});
  expect_view(x.squeeze(0), x, {3, 1, 2}, {0, 1, 2, 3, 4, 5});
  expect_view(x.squeeze({0, 1, -2}), x, {3, 2}, {0, 1, 2, 3, 4, 5});
  EXPECT_EQ(x.squeeze(1).impl(), x.impl());
  EXPECT_EQ(counting({}).squeeze(-1).shape(), Shape{});
  expect_view(x.squeeze().t().unsqueeze(1), x, {2, 1, 3}, {0, 2, 4, 1, 3, 5});
  EXPECT_EQ(x.unsqueeze(-1).shape(), (Shape{1, 3, 1, 2, 1}));
  EXPECT_EQ(x.unsqueeze(0).shape(), (Shape{1, 1, 3, 1, 2}));
  EXPECT_EQ(counting({}).unsqueeze(0).shape(), (Shape{1}));
  EXPECT_TRUE(counting({2, 3}).unsqueeze(1).is_contiguous());
}

TEST(Expand, KeepsASizeGivenAsMinusOne) {
  const Tensor x = counting({2, 1});
  expect_view(x.expand({-1, 2}), x, {2, 2}, {0, 0, 1, 1});
  expect_view(x.expand({2, -1, -1}), x, {2, 2, 1}, {0, 1, 0, 1});
  EXPECT_EQ(x.expand_as(counting({3, 2, 5})).shape(), (Shape{3, 2, 5}));
}

std::vector<Shape> shapes(const std::vector<Tensor>& list) {
  std::vector<Shape> result;
  for (const Tensor& tensor : list) result.push_back(tensor.shape());
  return result;
}

using Shapes = std::vector<Shape>;

TEST(Split, CutsAlongADimension) {
  const Tensor x = counting({5, 2});
  const auto pieces = x.split(2);
  EXPECT_EQ(shapes(pieces), (Shapes{{2, 2}, {2, 2}, {1, 2}}));
  expect_view(pieces[1], x, {2, 2}, {4, 5, 6, 7});
  expect_view(pieces[2], x, {1, 2}, {8, 9});
  EXPECT_EQ(shapes(x.split(100, 1)), (Shapes{{5, 2}}));
  EXPECT_EQ(shapes(x.split({1, 0, 4})), (Shapes{{1, 2}, {0, 2}, {4, 2}}));
  expect_view(x.split({1, 0, 4})[2], x, {4, 2}, {2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(shapes(counting({0, 2}).split(3)), (Shapes{{0, 2}}));
  EXPECT_EQ(shapes(counting({0, 2}).split(0)), (Shapes{{0, 2}}));
  EXPECT_EQ(shapes(counting({0, 2}).split(std::vector<std::int64_t>{})), Shapes{});
}

TEST(Chunk, CutsIntoPiecesOfOneSizeAsPyTorchDoes) {
  EXPECT_EQ(shapes(counting({7}).chunk(3)), (Shapes{{3}, {3}, {1}}));
  EXPECT_EQ(shapes(counting({6}).chunk(4)), (Shapes{{2}, {2}, {2}}));  // fewer than asked for
  EXPECT_EQ(shapes(counting({2, 6}).chunk(2, -1)), (Shapes{{2, 3}, {2, 3}}));
  EXPECT_EQ(shapes(counting({3}).chunk(INT64_MAX)), (Shapes{{1}, {1}, {1}}));
  EXPECT_EQ(shapes(counting({0}).chunk(3)), (Shapes{{0}, {0}, {0}}));
}

TEST(Unbind, GivesEachPosition) {
  const Tensor x = counting({2, 3});
  const auto columns = x.unbind(1);
  EXPECT_EQ(shapes(columns), (Shapes{{2}, {2}, {2}}));
  expect_view(columns[2], x, {2}, {2, 5});
  EXPECT_TRUE(counting({0, 3}).unbind().empty());
}

TEST(AsStrided, OfAnExpandedTensorSharesTheGradientAmongItsPlaces) {
  // PyTorch's: each of the three places of the one element gets a third.
  const Tensor x = Tensor::ones({1}, DType::float64).set_requires_grad(true);
  const Tensor wide = x.expand({3});
  wide.as_strided({2}, {0}).sum().backward();
  EXPECT_DOUBLE_EQ(x.grad().item(), 2);
}

TEST(AsStrided, GivesNoGradientToElementsThatTheTensorDoesNotShow) {
  const Tensor storage = Tensor::ones({6}, DType::float64);
  Tensor x = storage.narrow(0, 2, 2);
  x.set_requires_grad(true);
  x.as_strided({3, 2}, {1, 2}, -2).sum().backward();  // elements 0 2 | 1 3 | 2 4
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{2, 1}));
}

TEST(ViewBackward, AddsUpWindowsOfAnyLayout) {
  Numbers numbers(17);
  for (int round = 0; round < 200; ++round) {
    const auto pick = [&](std::int64_t n) {
      return static_cast<std::int64_t>(numbers.next(0, static_cast<double>(n)));
    };
    Geometry part;
    std::int64_t reach = 0;
    for (std::int64_t dims = pick(4); dims > 0; --dims) {
      part.shape.push_back(pick(5));
      part.strides.push_back(pick(6));
      reach +=
          std::max<std::int64_t>(part.shape[part.shape.dims() - 1] - 1, 0) * part.strides[part.shape.dims() - 1];
    }
    part.offset = pick(3);
    const Shape shape{part.offset + reach + 1 + pick(3)};
    const Tensor x = numbers.tensor<double>(part.shape);
    std::vector<double> expected(static_cast<std::size_t>(shape[0]));
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      std::int64_t rest = i;
      std::int64_t place = part.offset;
      for (int d = part.shape.dims() - 1; d >= 0; --d) {
        place += rest % part.shape[d] * part.strides[d];
        rest /= part.shape[d];
      }
      expected[static_cast<std::size_t>(place)] += x.data<double>()[i];
    }
    const Tensor out = apply<ops::ViewBackward>({.shape = shape, .part = part}, x);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(out.data<double>()[i], expected[i], 1e-12)
          << part.shape.to_string() << " strides " << part.strides.to_string();
    }
  }
}

void add_cases(std::vector<OpCase>& cases) {
  const auto both = [&](const char* op, const char* detail, auto call, const Shape& shape,
                        const Shape& turned_shape) {
    cases.push_back({op, detail, [call](const Inputs& x) { return call(x[0]); }, {leaf(shape)}});
    cases.push_back({op,
                     std::string(detail) + " of a view",
                     [call](const Inputs& x) { return call(turned(x[0])); },
                     {leaf(turned_shape)}});
    cases.push_back({op,
                     std::string(detail) + " of a broadcast",
                     [call, shape](const Inputs& x) { return call(x[0].expand(shape)); },
                     {leaf({shape[shape.dims() - 1]})}});
  };
  const Shape s{3, 4};
  const Shape turned_s{4, 3};
  both("permute", "", [](const Tensor& x) { return x.permute({1, 2, 0}); }, {2, 3, 4}, {3, 2, 4});
  both("permute", "movedim", [](const Tensor& x) { return x.movedim(0, -1); }, {2, 3, 4}, {3, 2, 4});
  both(
      "select", "row", [](const Tensor& x) { return x[1]; }, s, turned_s);
  both(
      "select", "column", [](const Tensor& x) { return x.select(1, -1); }, s, turned_s);
  both(
      "slice", "", [](const Tensor& x) { return x.slice(1, 1, 4, 2); }, s, turned_s);
  both(
      "slice", "empty", [](const Tensor& x) { return x.slice(1, 3, 1); }, s, turned_s);
  both(
      "diagonal", "", [](const Tensor& x) { return x.diagonal(1); }, s, turned_s);
  both("diagonal", "below", [](const Tensor& x) { return x.diagonal(-1, 2, 0); }, {2, 3, 4}, {3, 2, 4});
  both(
      "unfold", "apart", [](const Tensor& x) { return x.unfold(1, 2, 2); }, s, turned_s);
  both(
      "unfold", "overlapping", [](const Tensor& x) { return x.unfold(1, 3, 1); }, s, turned_s);
  both(
      "unfold", "twice", [](const Tensor& x) { return x.unfold(0, 2, 1).unfold(1, 3, 1); }, s, turned_s);
  both(
      "reshape", "squeezed", [](const Tensor& x) { return x.unsqueeze(1).squeeze(1).unsqueeze(-1); }, s, turned_s);
  both(
      "narrow", "in chunks", [](const Tensor& x) { return x.chunk(3, 1)[1] * x.chunk(3, 1)[0]; }, s, turned_s);
  both(
      "select", "unbound", [](const Tensor& x) { return x.unbind(0)[2] * x.unbind(0)[0]; }, s, turned_s);
  const auto strided = [&](const char* detail, const Shape& shape, const Shape& strides, std::int64_t offset) {
    const auto call = [=](const Tensor& x) { return x.as_strided(shape, strides, offset); };
    cases.push_back({"as_strided", detail, [call](const Inputs& x) { return call(x[0]); }, {leaf({3, 4})}});
  };
  strided("apart", {2, 3}, {1, 4}, 1);
  strided("overlapping", {3, 3}, {2, 3}, 1);
  strided("one element", {2, 3}, {0, 0}, 5);
  strided("nothing", {0, 3}, {1, 1}, 0);
  // The function's result must depend on its input alone, so a view of the input's whole storage.
  cases.push_back({"as_strided",
                   "of a turned tensor",
                   [](const Inputs& x) {
                     return turned(x[0] * 1).as_strided({2, 5}, {3, 1}, 2);
                   },
                   {leaf({3, 4})}});
  cases.push_back({"view_backward",
                   "overlapping",
                   [](const Inputs& x) {
                     return apply<ops::ViewBackward>({.shape = {2, 4}, .part = {{3, 2}, {1, 2}, 1}}, x[0]);
                   },
                   {leaf({3, 2})}});
  cases.push_back({"view_backward",
                   "nothing",
                   [](const Inputs& x) {
                     return apply<ops::ViewBackward>({.shape = {2}, .part = {{0, 2}, {1, 1}}}, x[0]);
                   },
                   {leaf({0, 2})}});
}

void add_wrong_calls(std::vector<WrongCall>& calls) {
  const Tensor x = f32({2, 3});
  const auto wrong = [&](const char* op, auto call, std::vector<std::string> parts) {
    calls.push_back({op, [=] { (void)call(x); }, std::move(parts)});
    calls.push_back({op, [=] { (void)call(Tensor()); }, {"undefined"}});
  };
  using T = const Tensor&;
  using Sizes = std::vector<std::int64_t>;
  wrong("view", [](T y) { return y.view({4}); }, {"[2, 3]", "[4]"});
  calls.push_back({"view", [=] { (void)x.t().view({6}); }, {"[3, 2]", "[1, 3]", "[6]"}});
  wrong("flatten", [](T y) { return y.flatten(1, 0); }, {"start 1", "end 0"});
  wrong("flatten", [](T y) { return y.flatten(0, 2); }, {"dimension 2", "2 dimensions"});
  wrong("unflatten", [](T y) { return y.unflatten(1, {2, 2}); }, {"[3]", "[2, 2]"});
  wrong("unflatten", [](T y) { return y.unflatten(1, {2, -1}); }, {"[3]", "[2, -1]"});
  wrong("unflatten", [](T y) { return y.unflatten(1, {}); }, {"[2, 3]"});
  wrong("unflatten", [](T y) { return y.unflatten(2, {3}); }, {"dimension 2"});
  wrong("t", [](T y) { return y.defined() ? y.unsqueeze(0).t() : y.t(); }, {"[1, 2, 3]"});
  wrong("permute", [](T y) { return y.permute({0, 0}); }, {"dimension 0", "twice"});
  wrong("permute", [](T y) { return y.permute({1}); }, {"[1]", "[2, 3]"});
  wrong("permute", [](T y) { return y.permute({0, 2}); }, {"dimension 2"});
  wrong("movedim", [](T y) { return y.movedim(0, 2); }, {"dimension 2"});
  wrong("squeeze", [](T y) { return y.squeeze(2); }, {"dimension 2"});
  wrong("squeeze", [](T y) { return y.squeeze({1, -1}); }, {"-1", "twice"});
  calls.push_back({"squeeze", [] { (void)Tensor().squeeze(); }, {"undefined"}});
  wrong("unsqueeze", [](T y) { return y.unsqueeze(-4); }, {"dimension -4"});
  wrong("expand", [](T y) { return y.expand({-1, 2, 3}); }, {"[-1, 2, 3]", "[2, 3]"});
  wrong("expand", [](T y) { return y.expand({2, -2}); }, {"[2, -2]", "[2, 3]"});
  wrong("select", [](T y) { return y.select(1, 3); }, {"index 3", "dimension 1", "[2, 3]"});
  wrong("select", [](T y) { return y.select(1, -4); }, {"index -4"});
  wrong("select", [](T y) { return y.select(2, 0); }, {"dimension 2"});
  calls.push_back({"select", [] { (void)f32({})[0]; }, {"dimension 0", "0 dimensions"}});
  wrong("slice", [](T y) { return y.slice(0, 0, 2, 0); }, {"step 0"});
  wrong("slice", [](T y) { return y.slice(0, 0, 2, -1); }, {"step -1"});
  wrong("slice", [](T y) { return y.slice(2, 0, 2); }, {"dimension 2"});
  wrong("diagonal", [](T y) { return y.diagonal(0, 1, -1); }, {"1", "-1", "[2, 3]"});
  wrong("diagonal", [](T y) { return y.diagonal(0, 0, 2); }, {"dimension 2"});
  wrong("unfold", [](T y) { return y.unfold(1, 4, 1); }, {"4", "[2, 3]"});
  wrong("unfold", [](T y) { return y.unfold(1, -1, 1); }, {"-1", "[2, 3]"});
  wrong("unfold", [](T y) { return y.unfold(1, 2, 0); }, {"step 0"});
  wrong("as_strided", [](T y) { return y.as_strided({2, 3}, {1}); }, {"[2, 3]", "[1]"});
  wrong("as_strided", [](T y) { return y.as_strided({2, 3}, {3, 2}); }, {"[3, 2]", "0 to 5"});
  wrong("as_strided", [](T y) { return y.as_strided({2}, {1}, 5); }, {"from 5"});
  wrong("as_strided", [](T y) { return y.as_strided({2}, {1}, -1); }, {"from -1"});
  wrong("as_strided", [](T y) { return y.as_strided({2}, {-1}, 3); }, {"[-1]"});
  wrong("as_strided", [](T y) { return y.as_strided({-2}, {1}); }, {"[-2]"});
  wrong("as_strided", [](T y) { return y.as_strided({two_to_40}, {two_to_40}); }, {"storage"});
  wrong("as_strided", [](T y) { return y.as_strided({1}, {1}, INT64_MAX); }, {"storage"});
  wrong("as_strided", [](T y) { return y.as_strided({1}, {1}, INT64_MIN); }, {"storage"});
  wrong("split", [](T y) { return y.split(0, 1); }, {"pieces of 0", "[2, 3]"});
  wrong("split", [](T y) { return y.split(-1, 1); }, {"pieces of -1"});
  wrong("split", [](T y) { return y.split(1, 2); }, {"dimension 2"});
  wrong("split", [](T y) { return y.split(Sizes{1, 1}, 1); }, {"[1, 1]", "3", "[2, 3]"});
  wrong("split", [](T y) { return y.split(Sizes{4, -1}, 1); }, {"[4, -1]"});
  wrong("split", [](T y) { return y.split(Sizes{2, INT64_MAX, INT64_MAX, 3}, 1); }, {"do not add up"});
  wrong("split", [](T y) { return y.split(Sizes{-1, 4}, 1); }, {"-1"});
  wrong("chunk", [](T y) { return y.chunk(0); }, {"0 chunks", "[2, 3]"});
  wrong("chunk", [](T y) { return y.chunk(2, 2); }, {"dimension 2"});
  wrong("unbind", [](T y) { return y.unbind(2); }, {"dimension 2"});
  const auto backward = [&](const Tensor& gradient, const Geometry& part, std::vector<std::string> parts) {
    calls.push_back({"view_backward",
                     [=] {
                       apply<ops::ViewBackward>({.shape = {3, 5}, .part = part}, gradient);
                     },
                     std::move(parts)});
  };
  backward(i32({3, 2}), {{3, 2}, {5, 1}}, {"int32"});
  backward(Tensor(), {{3, 2}, {5, 1}}, {"undefined"});
  backward(f32({3, 3}), {{3, 2}, {5, 1}}, {"[3, 3]", "[3, 2]", "[3, 5]"});
  backward(f32({3, 2}), {{3, 2}, {5, 1}, 4}, {"[5, 1]", "from 4", "[3, 5]"});
  backward(f32({3, 2}), {{3, 2}, {5, 1}, -1}, {"from -1"});
  backward(f32({2}), {{2}, {INT64_MAX}, 1}, {"[3, 5]"});
}

const FamilyOfOpCases cases_family(add_cases);
const FamilyOfWrongCalls calls_family(add_wrong_calls);

}  // namespace
}  // namespace feral
