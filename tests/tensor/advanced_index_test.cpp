// x[...] against NumPy's results (tests/fixtures/indexing/generate.py), and what the fixture cannot say.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/grad_mode.hpp"
#include "tensor/index.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using namespace testing_support;
using Json = nlohmann::json;

Shape shape_of(const Json& sizes) {
  Shape shape;
  for (const Json& size : sizes) shape.push_back(size.get<std::int64_t>());
  return shape;
}

Index entry_of(const Json& entry, DType index_type) {
  const auto kind = entry.at(0).get<std::string>();
  if (kind == "int") return Index(entry.at(1).get<std::int64_t>());
  if (kind == "newaxis") return newaxis;
  if (kind == "ellipsis") return ellipsis;
  if (kind == "slice") {
    Slice slice;
    if (!entry.at(1).is_null()) slice.start = entry.at(1).get<std::int64_t>();
    if (!entry.at(2).is_null()) slice.stop = entry.at(2).get<std::int64_t>();
    slice.step = entry.at(3).get<std::int64_t>();
    return slice;
  }
  const Tensor values = Tensor::from_vector(entry.at(2).get<std::vector<std::int64_t>>(), shape_of(entry.at(1)));
  return values.to(kind == "mask" ? DType::boolean : index_type);
}

// Calls function with the entries as an initializer list.
template <class Function>
auto with_list(const std::vector<Index>& e, Function&& function) {
  using List = std::initializer_list<Index>;
  switch (e.size()) {
    case 1:
      return function(List{e[0]});
    case 2:
      return function(List{e[0], e[1]});
    case 3:
      return function(List{e[0], e[1], e[2]});
    case 4:
      return function(List{e[0], e[1], e[2], e[3]});
    case 5:
      return function(List{e[0], e[1], e[2], e[3], e[4]});
    case 6:
      return function(List{e[0], e[1], e[2], e[3], e[4], e[5]});
    case 7:
      return function(List{e[0], e[1], e[2], e[3], e[4], e[5], e[6]});
    default:
      throw Error("too many entries for the test");
  }
}

// 0, 1, 2, … of `shape`; as a view with gaps, its dimensions the other way round in memory, unless `plain`.
Tensor counted(const Shape& shape, DType dtype, bool plain) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i);
  const Tensor contiguous = Tensor::from_vector(values, shape).to(dtype);
  if (plain) return contiguous;
  Shape turned;
  for (int i = shape.dims() - 1; i >= 0; --i) turned.push_back(shape[i] + 1);
  Tensor view = Tensor::full(turned, -1, dtype);
  for (int i = 0; i < turned.dims(); ++i) view = view.narrow(i, 1, turned[i] - 1);
  for (int i = 0, k = turned.dims() - 1; i < k; ++i, --k) view = view.transpose(i, k);
  view.copy_(contiguous);
  return view;
}

const Json& fixture() {
  static const Json cases = [] {
    std::ifstream in(FERAL_SOURCE_DIR "/tests/fixtures/indexing/advanced.json");
    return Json::parse(in);
  }();
  return cases;
}

TEST(AdvancedIndex, ReadsWritesAndAccumulatesAsNumPyDoes) {
  ASSERT_GE(fixture().size(), 300U);
  for (const Json& wanted : fixture()) {
    for (const DType dtype : {DType::int64, DType::float32}) {
      for (const bool plain : {true, false}) {
        SCOPED_TRACE(wanted.at("entries").dump() + " of " + wanted.at("shape").dump() + (plain ? "" : ", a view"));
        std::vector<Index> entries;
        const DType index_type = plain ? DType::int64 : DType::int32;
        for (const Json& entry : wanted.at("entries")) entries.push_back(entry_of(entry, index_type));

        const Tensor x = counted(shape_of(wanted.at("shape")), dtype, plain);
        const Tensor picked = with_list(entries, [&](auto list) { return x.index(list); });
        ASSERT_EQ(picked.shape().to_string(), shape_of(wanted.at("picked_shape")).to_string());
        ASSERT_EQ(picked.to_vector<std::int64_t>(), wanted.at("picked").get<std::vector<std::int64_t>>());

        const Shape values_shape = shape_of(wanted.at("values_shape"));
        const Tensor values = counted(values_shape, dtype, plain) + Tensor::full({}, 1000, dtype);
        with_list(entries, [&](auto list) { return &x.index_put_(list, values); });
        ASSERT_EQ(x.to_vector<std::int64_t>(), wanted.at("put").get<std::vector<std::int64_t>>());

        const Tensor sums = counted(shape_of(wanted.at("shape")), dtype, plain);
        with_list(entries, [&](auto list) { return &sums.index_put_(list, values, true); });
        ASSERT_EQ(sums.to_vector<std::int64_t>(), wanted.at("added").get<std::vector<std::int64_t>>());
      }
    }
  }
}

TEST(AdvancedIndex, BasicEntriesMakeViews) {
  const Tensor x = counted({3, 4, 5}, DType::float32, true);
  const Tensor view = x.index({1, Slice{1, std::nullopt, 2}, newaxis, ellipsis});
  EXPECT_EQ(view.shape(), (Shape{2, 1, 5}));
  view.fill_(7);
  EXPECT_EQ(x.to_vector<float>()[20 + 5 + 2], 7);
  EXPECT_EQ(x.to_vector<float>()[20 + 10], 30);
  EXPECT_EQ(x.index({}).raw_data(), x.raw_data());
  // A 0-dimensional integer tensor is an integer.
  EXPECT_EQ(x.index({Tensor::from_vector<std::int64_t>({-1}, {})}).raw_data(), x.index({2}).raw_data());
}

TEST(AdvancedIndex, MasksWithoutDimensionsChooseTheWholeOrNothing) {
  const Tensor yes = Tensor::ones({}, DType::boolean);
  const Tensor no = Tensor::zeros({}, DType::boolean);
  const Tensor x = counted({3}, DType::int16, true);
  EXPECT_EQ(x.index({yes}).shape(), (Shape{1, 3}));
  EXPECT_EQ(x.index({no}).shape(), (Shape{0, 3}));
  const Tensor number = Tensor::full({}, 5);
  EXPECT_EQ(number.index({yes}).to_vector<float>(), std::vector<float>{5});
  EXPECT_EQ(number.index({no}).numel(), 0);
  EXPECT_EQ(number.index({ellipsis}).item(), 5);
}

TEST(AdvancedIndex, IndexIntoNothingIsRefusedUnlessItPicksNothing) {
  const Tensor none = Tensor::empty({0, 3});
  EXPECT_EQ(none.index({Tensor::zeros({0}, DType::int64)}).shape(), (Shape{0, 3}));
  EXPECT_NE(error_of([&] { (void)none.index({Tensor::zeros({1}, DType::int64)}); }), "");
}

TEST(AdvancedIndex, EveryTypeIsMovedAndAccumulated) {
  const Tensor rows = Tensor::from_vector<std::int64_t>({2, 0, 2}, {3});
  for (int i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (dtype == DType::boolean) continue;
    const Tensor x = counted({3, 2}, dtype, true);
    EXPECT_EQ(x.index({rows}).to_vector<std::int64_t>(), (std::vector<std::int64_t>{4, 5, 0, 1, 4, 5}));
    x.index_put_({rows, 1}, Tensor::ones({3}, dtype), true);
    EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 2, 2, 3, 4, 7})) << name_of(dtype);
  }
  const Tensor flags = Tensor::zeros({3}, DType::boolean);
  flags.index_put_({rows}, Tensor::ones({}, DType::boolean), true);
  EXPECT_EQ(flags.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0, 1}));
}

TEST(AdvancedIndex, OperandsThatShareTheTargetsMemoryAreReadFirst) {
  const Tensor x = counted({6}, DType::int64, true);
  x.index_put_({Slice{1, 6}}, x.narrow(0, 0, 5));
  EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 1, 2, 3, 4}));
  const Tensor permutation = Tensor::from_vector<std::int64_t>({3, 2, 1, 0}, {4});
  permutation.index_put_({permutation}, Tensor::from_vector<std::int64_t>({10, 11, 12, 13}, {4}));
  EXPECT_EQ(permutation.to_vector<std::int64_t>(), (std::vector<std::int64_t>{13, 12, 11, 10}));
  const Tensor own = counted({4}, DType::int64, true);
  own.index_put_({Tensor::from_vector<std::int64_t>({1, 2, 3, 0}, {4})}, own);
  EXPECT_EQ(own.to_vector<std::int64_t>(), (std::vector<std::int64_t>{3, 0, 1, 2}));
}

TEST(AdvancedIndex, WrongCallsNameWhatIsWrongAndWriteNothing) {
  const Tensor x = counted({3, 4}, DType::float32, true);
  const auto before = x.to_vector<float>();
  const Tensor rows = Tensor::from_vector<std::int64_t>({0, 3}, {2});
  const auto expect = [&](auto call, std::initializer_list<const char*> parts) {
    const std::string message = error_of(call);
    for (const char* part : parts) EXPECT_TRUE(contains(message, part)) << message << " lacks " << part;
    EXPECT_EQ(x.to_vector<float>(), before);
  };
  const Tensor value = Tensor::ones({});
  expect([&] { x.index_put_({rows}, value); }, {"index_put_: ", "index 3", "[1]", "[-3, 3)", "entry 0"});
  expect([&] { x.index_put_({Slice{}, -5}, value); }, {"index_put_: ", "-5", "[-4, 4)", "entry 1"});
  expect([&] { x.index_put_({0, 0, 0}, value); }, {"index_put_: ", "3 dimensions", "[3, 4]"});
  expect([&] { x.index_put_({ellipsis, ellipsis}, value); }, {"index_put_: ", "ellipsis"});
  expect([&] { x.index_put_({Slice{0, 3, 0}}, value); }, {"index_put_: ", "step", "0"});
  expect([&] { x.index_put_({Tensor::ones({4}, DType::boolean)}, value); }, {"index_put_: ", "[4]", "[3, 4]"});
  expect([&] { x.index_put_({Tensor::ones({2})}, value); }, {"index_put_: ", "float32"});
  expect([&] { x.index_put_({Tensor()}, value); }, {"index_put_: ", "undefined"});
  expect([&] { x.index_put_({0}, Tensor()); }, {"index_put_: ", "undefined"});
  expect([&] { x.index_put_({0}, Tensor::ones({}, DType::float64)); }, {"index_put_: ", "float64", "float32"});
  expect([&] { x.index_put_({0}, Tensor::ones({3})); }, {"index_put_: ", "[3]", "[4]"});
  expect([&] { x.index_put_({0}, Tensor::ones({1, 4})); }, {"index_put_: ", "[1, 4]", "[4]"});
  expect(
      [&] {
        x.index_put_({Tensor::zeros({2}, DType::int64), Tensor::zeros({3}, DType::int64)}, value);
      },
      {"index_put_: ", "[2]", "[3]"});
  expect([&] { x.narrow(0, 0, 1).expand({5, 4}).index_put_({0}, value); }, {"index_put_: ", "share memory"});
  Tensor leaf = Tensor::ones({4}).set_requires_grad(true);
  expect([&] { leaf.index_put_({0}, value); }, {"index_put_: ", "gradient"});
  const NoGradGuard no_grad;
  leaf.index_put_({0}, value + value);
  EXPECT_EQ(leaf.to_vector<float>(), (std::vector<float>{2, 1, 1, 1}));
}

}  // namespace
}  // namespace feral
