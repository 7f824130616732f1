// Gradients and wrong calls of the ops on indices and of embeddings.
#include <gtest/gtest.h>

#include "autograd/ops/embedding.hpp"
#include "autograd/ops/gather.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/masked.hpp"
#include "tensor/index.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;

Tensor indices(const std::vector<std::int64_t>& values, const Shape& shape) {
  return Tensor::from_vector(values, shape);
}

void add_slices(std::vector<OpCase>& cases) {
  const auto add = [&](const char* op, const char* detail, std::function<Tensor(const Inputs&)> function,
                       Inputs inputs) {
    cases.push_back({op, detail, std::move(function), std::move(inputs)});
  };
  const Tensor mask = Tensor::from_vector<bool>({true, false, true, false, true, true}, {2, 3});
  add("index", "index_select",
      [](const Inputs& x) {
        return x[0].index_select(0, labels({2, 0, 2}));
      },
      {leaf({3, 4})});
  add("index", "index_select of a view",
      [](const Inputs& x) {
        return turned(x[0]).index_select(1, labels({1, 1}));
      },
      {leaf({3, 4})});
  add("index", "of a broadcast tensor",
      [](const Inputs& x) {
        return x[0].expand({2, 3}).index_select(0, labels({1, 0, 1}));
      },
      {leaf({3})});
  add("index", "of no dimensions", [](const Inputs& x) { return x[0].index_select(0, labels({0})); }, {leaf({})});
  add("index", "empty", [](const Inputs& x) { return x[0].index_select(0, labels({})); }, {leaf({2, 2})});
  add("index", "take",
      [](const Inputs& x) {
        return turned(x[0]).take(indices({0, -1, 5, 5}, {2, 2}));
      },
      {leaf({2, 3})});
  add("index", "masked_select", [=](const Inputs& x) { return x[0].masked_select(mask); }, {leaf({2, 3})});
  add("index", "separated tensors and a slice",
      [](const Inputs& x) {
        return x[0].index({labels({1, 0, 1}), Slice{0, 3, 2}, indices({0, -1, 1, 1, 0, 1}, {2, 3})});
      },
      {leaf({2, 3, 2})});
  add("index", "a mask behind a new axis",
      [=](const Inputs& x) {
        return x[0].index({1, newaxis, mask, ellipsis});
      },
      {leaf({2, 2, 3, 2})});
  add("index_add", "contiguous",
      [](const Inputs& x) {
        return x[0].index_add(0, labels({2, 0, 2}), x[1]);
      },
      {leaf({3, 2}), leaf({3, 2})});
  add("index_add", "views",
      [](const Inputs& x) {
        return turned(x[0]).index_add(1, labels({1, 1}), turned(x[1]));
      },
      {leaf({3, 4}), leaf({2, 4})});
  add("index_add", "of no dimensions", [](const Inputs& x) { return x[0].index_add(0, labels({0}), x[1]); },
      {leaf({}), leaf({})});
  add("index_copy", "contiguous",
      [](const Inputs& x) {
        return x[0].index_copy(1, labels({2, 0}), x[1]);
      },
      {leaf({2, 3}), leaf({2, 2})});
  add("index_copy", "views",
      [](const Inputs& x) {
        return turned(x[0]).index_copy(0, labels({1}), x[1].expand({1, 3}));
      },
      {leaf({3, 4}), leaf({1, 1})});
  add("index_fill", "contiguous",
      [](const Inputs& x) {
        return x[0].square().index_fill(0, labels({1, 1}), 3);
      },
      {leaf({3, 2})});
  add("where", "masked_fill", [=](const Inputs& x) { return x[0].square().masked_fill(mask, 2); }, {leaf({3})});
}

void add_gathers(std::vector<OpCase>& cases) {
  const auto add = [&](const char* op, const char* detail, std::function<Tensor(const Inputs&)> function,
                       Inputs inputs) {
    cases.push_back({op, detail, std::move(function), std::move(inputs)});
  };
  const Tensor index = indices({0, 2, 2, 1, 1, 2, 0, 2}, {4, 2});  // into 3 rows, with duplicates
  const Tensor distinct = indices({0, 2, 2, 1}, {2, 2});
  add("gather", "contiguous", [=](const Inputs& x) { return x[0].gather(0, index); }, {leaf({3, 2})});
  add("gather", "fewer columns", [=](const Inputs& x) { return x[0].gather(0, index); }, {leaf({3, 4})});
  add("gather", "view", [=](const Inputs& x) { return turned(x[0]).gather(1, index.transpose(0, 1)); },
      {leaf({3, 2})});
  add("gather", "expanded index",
      [=](const Inputs& x) {
        return x[0].gather(0, index.narrow(1, 0, 1).expand({4, 3}));
      },
      {leaf({3, 3})});
  add("gather", "take_along_dim broadcasts", [=](const Inputs& x) { return x[0].take_along_dim(index, 0); },
      {leaf({3, 1})});
  add("gather", "of no dimensions", [](const Inputs& x) { return x[0].gather(0, labels({0, 0})); }, {leaf({})});
  add("scatter", "contiguous", [=](const Inputs& x) { return x[0].scatter(0, distinct, x[1]); },
      {leaf({3, 2}), leaf({2, 2})});
  add("scatter", "a larger source", [=](const Inputs& x) { return x[0].scatter(0, distinct, turned(x[1])); },
      {leaf({3, 3}), leaf({3, 4})});
  add("scatter_fill", "a number", [=](const Inputs& x) { return x[0].square().scatter(0, index, 4); },
      {leaf({3, 2})});
  add("scatter_add", "contiguous", [=](const Inputs& x) { return x[0].scatter_add(0, index, x[1]); },
      {leaf({3, 2}), leaf({4, 2})});
  add("scatter_add", "a larger, turned source",
      [=](const Inputs& x) { return turned(x[0]).scatter_add(0, index, turned(x[1])); },
      {leaf({2, 3}), leaf({3, 5})});
  for (const char* reduce : {"sum", "mean", "prod", "amax", "amin"}) {
    for (const bool self : {true, false}) {
      const auto call = [=](const Inputs& x) { return x[0].scatter_reduce(0, index, x[1], reduce, self); };
      // All different: no ties of amax and amin; away from 0 for prod.
      const Tensor x = (leaf_without_ties({3, 2}) + 0.505).detach().set_requires_grad(true);
      const Tensor source = (leaf_without_ties({4, 2}) + 0.5).detach().set_requires_grad(true);
      cases.push_back({"scatter_reduce", std::string(reduce) + (self ? "" : " without self"), call, {x, source}});
    }
  }
}

void add_embeddings(std::vector<OpCase>& cases) {
  const Tensor picks = labels({3, 1, 1, 4, 2, 0, 4});
  const Tensor offsets = labels({0, 3, 3, 4});
  cases.push_back({"embedding",
                   "two dimensions of indices",
                   [](const Inputs& x) {
                     return embedding(x[0], indices({1, 0, 1, 2}, {2, 2}));
                   },
                   {leaf({3, 2})}});
  cases.push_back({"embedding",
                   "of a view",
                   [](const Inputs& x) {
                     return embedding(turned(x[0]), labels({1, 0}));
                   },
                   {leaf({3, 2})}});
  cases.push_back({"embedding",
                   "squared, so that the gradient counts",
                   [](const Inputs& x) {
                     return embedding(x[0].square(), labels({1, 0, 1})).square();
                   },
                   {leaf({3, 2})}});
  for (const Bag mode : {Bag::sum, Bag::mean, Bag::max}) {
    const std::string name = mode == Bag::sum ? "sum" : mode == Bag::mean ? "mean" : "max";
    const auto call = [=](const Inputs& x) { return embedding_bag(x[0], picks, offsets, {.mode = mode}); };
    cases.push_back({"embedding_bag", name, call, {leaf_without_ties({5, 3})}});
    cases.push_back({"embedding_bag",
                     name + " of a view",
                     [=](const Inputs& x) { return call({turned(x[0])}); },
                     {leaf_without_ties({3, 5})}});
  }
  cases.push_back({"embedding_bag",
                   "per_sample_weights",
                   [=](const Inputs& x) { return embedding_bag(x[0], picks, offsets, {.mode = Bag::sum}, x[1]); },
                   {leaf({5, 3}), leaf({7})}});
  cases.push_back({"embedding_bag",
                   "per_sample_weights beside padding",
                   [=](const Inputs& x) {
                     // The row of padding takes part in nothing, so it may depend on the input.
                     return embedding_bag(x[0], picks, offsets, {.mode = Bag::sum, .padding_idx = 4}, x[1]);
                   },
                   {leaf({5, 3}), leaf({7})}});
}

const FamilyOfOpCases slices(add_slices);
const FamilyOfOpCases gathers(add_gathers);
const FamilyOfOpCases embeddings(add_embeddings);

void add_wrong_slices(std::vector<WrongCall>& calls) {
  const auto add = [&](const char* op, std::function<void()> call, std::vector<std::string> parts) {
    calls.push_back({op, std::move(call), std::move(parts)});
  };
  const Tensor x = f32({3, 4});
  add("index", [=] { (void)x.index({0, labels({1, 4})}); }, {"index 4", "[1]", "[-4, 4)", "entry 1"});
  add("index", [=] { (void)x.index({3}); }, {"index 3", "[-3, 3)"});
  add("index", [=] { (void)x.index({labels({0, 1}), labels({0, 1, 2})}); }, {"[2]", "[3]"});
  add("index", [] { (void)Tensor().index({0}); }, {"undefined"});
  add("index", [=] { apply<ops::Pick>({.first = 0, .count = 2}, x, labels({12})); }, {"12", "[0, 12)"});
  add("index_select", [=] { (void)x.index_select(0, labels({0, 3})); }, {"index 3", "[1]", "[0, 3)"});
  add("index_select", [=] { (void)x.index_select(0, labels({-1})); }, {"index -1", "[0, 3)"});
  add("index_select", [=] { (void)x.index_select(2, labels({0})); }, {"dimension 2"});
  add("index_select", [=] { (void)x.index_select(0, f32({2})); }, {"float32"});
  add("index_select", [=] { (void)x.index_select(0, indices({0}, {1, 1})); }, {"[1, 1]"});
  add("index_select", [=] { (void)x.index_select(0, Tensor()); }, {"undefined"});
  add("take", [=] { (void)x.take(labels({12})); }, {"12", "[-12, 12)"});
  add("masked_select", [=] { (void)x.masked_select(x); }, {"bool", "float32"});
  add("masked_select", [=] { (void)x.masked_select(Tensor::ones({3}, DType::boolean)); }, {"[3, 4]", "[3]"});
  add("masked_fill", [=] { (void)x.masked_fill(x, 1); }, {"bool", "float32"});
  add("masked_fill", [=] { (void)x.masked_fill(Tensor::ones({3}, DType::boolean), 1); }, {"[3, 4]", "[3]"});
  add("nonzero", [] { (void)Tensor().nonzero(); }, {"undefined"});
  add("index_add", [=] { (void)x.index_add(0, labels({3}), f32({1, 4})); }, {"index 3", "[0]", "[0, 3)"});
  add("index_add", [=] { (void)x.index_add(0, labels({2, 1}), f32({1, 4})); }, {"[1, 4]", "[2, 4]"});
  add("index_add", [=] { (void)x.index_add(0, labels({2}), f64({1, 4})); }, {"float64", "float32"});
  add("index_add", [=] { (void)x.index_add(0, labels({2}), Tensor()); }, {"undefined"});
  add("index_copy", [=] { (void)x.index_copy(1, labels({4}), f32({3, 1})); }, {"index 4", "[0, 4)"});
  add("index_copy", [=] { (void)x.index_copy(1, labels({2}), f32({3})); }, {"[3]", "[3, 1]"});
  add("index_copy", [=] { (void)x.index_copy(1, labels({2}), f64({3, 1})); }, {"float64", "float32"});
  add("index_fill", [=] { (void)x.index_fill(1, labels({0, -1}), 1); }, {"index -1", "[1]", "[0, 4)"});
  add("index_fill", [] { (void)u8({2}).index_fill(0, labels({0}), 256); }, {"256", "uint8"});
}

void add_wrong_gathers(std::vector<WrongCall>& calls) {
  const auto add = [&](const char* op, std::function<void()> call, std::vector<std::string> parts) {
    calls.push_back({op, std::move(call), std::move(parts)});
  };
  const Tensor x = f32({3, 4});
  const Tensor index = indices({0, 3}, {1, 2});
  add("gather", [=] { (void)x.gather(0, index); }, {"index 3", "[0, 1]", "[0, 3)"});
  add("gather", [=] { (void)x.gather(1, labels({0})); }, {"[1]", "[3, 4]"});
  add("gather", [=] { (void)x.gather(1, Tensor::zeros({4, 1}, DType::int64)); }, {"[4, 1]", "[3, 4]"});
  add("gather", [=] { (void)x.gather(1, f32({1, 1})); }, {"float32"});
  add("take_along_dim", [=] { (void)x.take_along_dim(index, 0); }, {"index 3", "[-3, 3)"});
  add("take_along_dim", [=] { (void)x.take_along_dim(labels({0}), 0); }, {"[1]", "[3, 4]"});
  add("scatter", [=] { (void)x.scatter(0, index, f32({1, 2})); }, {"index 3", "[0, 1]", "[0, 3)"});
  add("scatter", [=] { (void)x.scatter(1, index, f32({1, 1})); }, {"[1, 1]", "[1, 2]"});
  add("scatter", [=] { (void)x.scatter(1, index, f64({1, 2})); }, {"float64", "float32"});
  add("scatter", [=] { (void)x.scatter(0, index, 5); }, {"index 3"});
  add("scatter", [=] { (void)x.scatter(1, index, Tensor()); }, {"undefined"});
  add("scatter_fill", [=] { apply<ops::ScatterFill>({{.dim = 0}, 1}, x, index); }, {"index 3"});
  add("scatter_fill", [=] { apply<ops::ScatterFill>({{.dim = 0}, 1}, x, labels({0})); }, {"[1]", "[3, 4]"});
  add("scatter_add", [=] { (void)x.scatter_add(0, index, f32({1, 2})); }, {"index 3"});
  add("scatter_add", [=] { (void)x.scatter_add(1, index, f32({2})); }, {"[2]", "[1, 2]"});
  add("scatter_add", [=] { (void)x.scatter_add(1, index, i32({1, 2})); }, {"int32", "float32"});
  add("scatter_reduce", [=] { (void)x.scatter_reduce(0, index, f32({1, 2}), "sum"); }, {"index 3"});
  add("scatter_reduce", [=] { (void)x.scatter_reduce(1, index, f32({1, 2}), "max"); }, {"max", "amax"});
  add("scatter_reduce", [=] { (void)x.scatter_reduce(1, index, f64({1, 2}), "sum"); }, {"float64", "float32"});
  const Tensor flags = Tensor::ones({3}, DType::boolean);
  add("scatter_reduce", [=] { (void)flags.scatter_reduce(0, labels({0}), flags, "mean"); }, {"bool"});
}

void add_wrong_embeddings(std::vector<WrongCall>& calls) {
  const auto add = [&](const char* op, std::function<void()> call, std::vector<std::string> parts) {
    calls.push_back({op, std::move(call), std::move(parts)});
  };
  const Tensor weight = f32({3, 4});
  const Tensor one = labels({0});
  add("embedding", [=] { (void)embedding(weight, labels({0, 3})); }, {"index 3", "[1]", "[0, 3)"});
  add("embedding", [=] { (void)embedding(f32({3}), one); }, {"[3]"});
  add("embedding", [=] { (void)embedding(weight, f32({2})); }, {"float32"});
  add("embedding", [=] { (void)embedding(weight, one, {.padding_idx = 3}); }, {"padding_idx 3", "[3, 4]"});
  add("embedding", [=] { (void)embedding(Tensor(), one); }, {"undefined"});
  const auto bag = [=](const Tensor& picks, const Tensor& offsets, EmbeddingBagOptions options,
                       const Tensor& scales = {}) {
    return [=] { (void)embedding_bag(weight, picks, offsets, options, scales); };
  };
  add("embedding_bag", bag(labels({3}), one, {}), {"index 3", "[0, 3)"});
  add("embedding_bag", bag(labels({1, 2}), labels({1}), {}), {"first offset is 1"});
  add("embedding_bag", bag(labels({1, 2}), labels({0, 2, 1}), {}), {"offset 1", "position 2"});
  add("embedding_bag", bag(labels({1, 2}), labels({0, 3}), {}), {"3", "[0, 3)"});
  add("embedding_bag", bag(labels({1, 2}), {}, {}), {"two dimensions", "[2]"});
  add("embedding_bag", bag(one, labels({}), {.include_last_offset = true}), {"offsets"});
  add("embedding_bag", bag(indices({0}, {1, 1}), one, {}), {"[1, 1]"});
  add("embedding_bag", bag(one, one, {.mode = Bag::mean}, f32({1})), {"per_sample_weights", "sum"});
  add("embedding_bag", bag(one, one, {.mode = Bag::sum}, f32({2})), {"[2]", "[1]"});
  add("embedding_bag", bag(one, one, {.mode = Bag::sum}, f64({1})), {"float64", "float32"});
  add("embedding_bag", [=] { (void)embedding_bag(i32({3, 4}), one, one); }, {"int32"});
}

const FamilyOfWrongCalls wrong_slices(add_wrong_slices);
const FamilyOfWrongCalls wrong_gathers(add_wrong_gathers);
const FamilyOfWrongCalls wrong_embeddings(add_wrong_embeddings);

TEST(ScatterReduceGradient, IsSharedOutEvenlyAmongEquals) {
  Tensor x = Tensor::from_vector<float>({3, 1}, {2}).set_requires_grad(true);
  Tensor source = Tensor::from_vector<float>({3, 3, 0}, {3}).set_requires_grad(true);
  x.scatter_reduce(0, labels({0, 0, 1}), source, "amax").backward(Tensor::from_vector<float>({6, 5}, {2}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{2, 5}));
  EXPECT_EQ(source.grad().to_vector<float>(), (std::vector<float>{2, 2, 0}));
}

TEST(ScatterReduceGradient, OfAProductWithOneZeroIsTheProductOfTheOthers) {
  Tensor x = Tensor::from_vector<float>({0, 2}, {2}).set_requires_grad(true);
  Tensor source = Tensor::from_vector<float>({3, 5, 0, 7}, {4}).set_requires_grad(true);
  x.scatter_reduce(0, labels({0, 0, 1, 1}), source, "prod").backward(Tensor::ones({2}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{15, 0}));
  EXPECT_EQ(source.grad().to_vector<float>(), (std::vector<float>{0, 0, 14, 0}));
}

}  // namespace
}  // namespace feral
