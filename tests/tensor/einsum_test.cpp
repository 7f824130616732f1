// einsum and tensordot against loops over every label.
#include "autograd/ops/einsum.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::Numbers;

double element(const Tensor& x, const std::vector<std::int64_t>& index) {
  std::int64_t offset = 0;
  for (int i = 0; i < x.dims(); ++i) {
    if (x.shape()[i] != 1) offset += index[static_cast<std::size_t>(i)] * x.strides()[i];
  }
  return x.data<double>()[offset];
}

// The sum over all labels of the product of the elements that they pick; operands[i] has labels inputs[i].
std::vector<double> sums(const std::vector<std::string>& inputs, const std::string& output,
                         const std::vector<Tensor>& operands) {
  std::map<char, std::int64_t> sizes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t j = 0; j < inputs[i].size(); ++j) {
      std::int64_t& size = sizes.try_emplace(inputs[i][j], 1).first->second;
      if (operands[i].shape()[static_cast<int>(j)] != 1) size = operands[i].shape()[static_cast<int>(j)];
    }
  }
  std::int64_t count = 1;
  for (const auto& [label, size] : sizes) count *= size;
  std::int64_t out_count = 1;
  for (const char label : output) out_count *= sizes[label];
  std::vector<double> out(static_cast<std::size_t>(out_count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::map<char, std::int64_t> at;
    std::int64_t rest = i;
    for (const auto& [label, size] : sizes) {
      at[label] = rest % size;
      rest /= size;
    }
    double product = 1;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      std::vector<std::int64_t> index;
      for (const char label : inputs[k]) index.push_back(at[label]);
      product *= element(operands[k], index);
    }
    std::int64_t position = 0;
    for (const char label : output) position = position * sizes[label] + at[label];
    out[static_cast<std::size_t>(position)] += product;
  }
  return out;
}

struct Case {
  std::string equation;
  std::vector<Shape> shapes;
  std::vector<std::string> inputs;  // the same in full: one letter a dimension
  std::string output;
  Shape shape;
};

// Small whole numbers: every order of summation gives the same.
Tensor whole(Numbers& numbers, const Shape& shape) {
  return numbers.tensor<std::int64_t>(shape, -5, 6).to(DType::float64);
}

TEST(Einsum, AgreesWithLoopsOverEveryLabel) {
  const std::vector<Case> cases = {
      {"ij,jk->ik", {{2, 3}, {3, 4}}, {"ij", "jk"}, "ik", {2, 4}},
      {"ij,jk", {{2, 3}, {3, 4}}, {"ij", "jk"}, "ik", {2, 4}},
      {"bij,bjk->bik", {{5, 2, 3}, {5, 3, 4}}, {"bij", "bjk"}, "bik", {5, 2, 4}},
      {" b i j , b j k -> k b i ", {{5, 2, 3}, {5, 3, 4}}, {"bij", "bjk"}, "kbi", {4, 5, 2}},
      {"ij->ji", {{2, 3}}, {"ij"}, "ji", {3, 2}},
      {"ba", {{2, 3}}, {"ba"}, "ab", {3, 2}},
      {"bA", {{2, 3}}, {"bA"}, "Ab", {3, 2}},
      {"ij->", {{2, 3}}, {"ij"}, "", Shape{}},
      {"ij->j", {{2, 3}}, {"ij"}, "j", {3}},
      {"ii->i", {{3, 3}}, {"ii"}, "i", {3}},
      {"ii", {{3, 3}}, {"ii"}, "", Shape{}},
      {"iij->ji", {{3, 3, 2}}, {"iij"}, "ji", {2, 3}},
      {"iii->i", {{3, 3, 3}}, {"iii"}, "i", {3}},
      {"ijij->ij", {{2, 3, 2, 3}}, {"ijij"}, "ij", {2, 3}},
      {"i,j->ij", {{2}, {3}}, {"i", "j"}, "ij", {2, 3}},
      {"i,i", {{4}, {4}}, {"i", "i"}, "", Shape{}},
      {"ij,ij->ij", {{2, 3}, {2, 3}}, {"ij", "ij"}, "ij", {2, 3}},
      {"ij,ij->", {{2, 3}, {2, 3}}, {"ij", "ij"}, "", Shape{}},
      {"ij,kl->il", {{2, 3}, {4, 5}}, {"ij", "kl"}, "il", {2, 5}},
      {"ij,jk,kl->il", {{2, 3}, {3, 4}, {4, 5}}, {"ij", "jk", "kl"}, "il", {2, 5}},
      {"ik,jkl,il->ij", {{2, 3}, {4, 3, 5}, {2, 5}}, {"ik", "jkl", "il"}, "ij", {2, 4}},
      {"a,ab,abc,abcd->d", {{2}, {2, 3}, {2, 3, 4}, {2, 3, 4, 5}}, {"a", "ab", "abc", "abcd"}, "d", {5}},
      {"abcd,cbe->aed", {{2, 3, 4, 5}, {4, 3, 2}}, {"abcd", "cbe"}, "aed", {2, 2, 5}},
      {"...ij,...jk->...ik", {{5, 2, 3}, {5, 3, 4}}, {"bij", "bjk"}, "bik", {5, 2, 4}},
      {"...ij,...jk", {{5, 2, 3}, {3, 4}}, {"bij", "jk"}, "bik", {5, 2, 4}},
      {"...ij,jk...->...ki", {{5, 1, 2, 3}, {3, 4, 6}}, {"abij", "jkb"}, "abki", {5, 6, 4, 2}},
      {"i...->...", {{3, 2, 4}}, {"iab"}, "ab", {2, 4}},
      {"...i->i", {{2, 3}}, {"ai"}, "i", {3}},
      {"...,...->...", {{2, 3}, {3}}, {"ab", "b"}, "ab", {2, 3}},
      {",->", {Shape{}, Shape{}}, {"", ""}, "", Shape{}},
      {"ij,jk->ik", {{2, 1}, {3, 4}}, {"ij", "jk"}, "ik", {2, 4}},  // sizes of 1 broadcast
      {"bij,bjk->bik", {{1, 2, 3}, {5, 3, 4}}, {"bij", "bjk"}, "bik", {5, 2, 4}},
      {"ij,ij->ij", {{2, 1}, {1, 3}}, {"ij", "ij"}, "ij", {2, 3}},
      {"ij,jk->ik", {{2, 0}, {0, 4}}, {"ij", "jk"}, "ik", {2, 4}},  // of nothing
      {"ij,jk->ik", {{0, 3}, {3, 4}}, {"ij", "jk"}, "ik", {0, 4}},
      {"abcdefg,ahbcdefg->abcdefgh",
       {{1, 2, 1, 2, 1, 2, 1}, {1, 3, 2, 1, 2, 1, 2, 1}},
       {"abcdefg", "ahbcdefg"},
       "abcdefgh",
       {1, 2, 1, 2, 1, 2, 1, 3}},
      {"abcdefgh,abcdefgh->abcdefg",  // more batch dimensions than stand beside a matrix's
       {{2, 1, 2, 1, 2, 1, 2, 3}, {1, 2, 2, 1, 2, 1, 2, 3}},
       {"abcdefgh", "abcdefgh"},
       "abcdefg",
       {2, 2, 2, 1, 2, 1, 2}},
  };
  Numbers numbers(17);
  for (const Case& c : cases) {
    std::vector<Tensor> operands;
    for (const Shape& shape : c.shapes) operands.push_back(whole(numbers, shape));
    const Tensor result = einsum(c.equation, operands);
    EXPECT_EQ(result.shape(), c.shape) << c.equation << " " << result.to_string();
    EXPECT_EQ(result.to_vector<double>(), sums(c.inputs, c.output, operands)) << c.equation;
    // And of views.
    for (Tensor& operand : operands) {
      if (operand.dims() < 2) continue;
      const int last = operand.dims() - 1;
      const Tensor turned = operand.transpose(0, last).clone();
      operand = turned.transpose(0, last);
    }
    EXPECT_EQ(einsum(c.equation, operands).to_vector<double>(), sums(c.inputs, c.output, operands)) << c.equation;
  }
}

TEST(Einsum, ADiagonalAndATransposeAreViews) {
  const Tensor x = Tensor::ones({3, 3});
  EXPECT_EQ(einsum("ii->i", {x}).data<float>(), x.data<float>());
  EXPECT_EQ(einsum("ij->ji", {x}).data<float>(), x.data<float>());
}

TEST(Einsum, KeepsTheTypeOfProducts) {
  for (const DType dtype : {DType::float32, DType::int32, DType::int16, DType::bfloat16}) {
    const Tensor x = Tensor::full({2, 2}, 3, dtype);
    const Tensor product = einsum("ij,jk->ik", {x, x});
    EXPECT_EQ(product.dtype(), dtype);
    EXPECT_EQ(product.to_vector<double>(), std::vector<double>(4, 18));
  }
}

TEST(Einsum, SaysWhatIsWrong) {
  using testing_support::contains;
  using testing_support::error_of;
  const Tensor a = Tensor::ones({2, 3});
  const Tensor b = Tensor::ones({4, 5});
  const auto expect = [](const std::string& message, const std::vector<std::string>& parts) {
    EXPECT_EQ(message.rfind("einsum: ", 0), 0U) << message;
    for (const std::string& part : parts) EXPECT_TRUE(contains(message, part)) << part << " in: " << message;
  };
  expect(error_of([&] { einsum("ij,jk->ik", {a}); }), {"2 operands", "got 1"});
  expect(error_of([&] { einsum("ij", {a, b}); }), {"1 operands", "got 2"});
  expect(error_of([&] { einsum("ij,jk->ik", {a, b}); }), {"'j'", "3", "4", "[4, 5]"});
  expect(error_of([&] { einsum("ii->i", {a}); }), {"'i'", "2", "3"});
  expect(error_of([&] { einsum("ijk->i", {a}); }), {"3 letters", "[2, 3]"});
  expect(error_of([&] { einsum("i->i", {a}); }), {"1 letters", "[2, 3]"});
  expect(error_of([&] { einsum("...ijk->i", {a}); }), {"3 letters", "[2, 3]"});
  expect(error_of([&] { einsum("ij->ii", {a}); }), {"'i' stands twice"});
  expect(error_of([&] { einsum("ij->ik", {a}); }), {"'k'", "no operand"});
  expect(error_of([&] { einsum("i1->i", {a}); }), {"'1'"});
  expect(error_of([&] { einsum("i..->i", {a}); }), {"'.'"});
  expect(error_of([&] { einsum("......->", {a}); }), {"'.'"});
  expect(error_of([&] { einsum("ij->i->j", {a}); }), {"'-'"});
  expect(error_of([&] { einsum("ij,ij->", {a, a.to(DType::float64)}); }), {"float32", "float64"});
  expect(error_of([&] { einsum("ij->", {Tensor()}); }), {"undefined"});
  expect(error_of([&] { einsum("", std::initializer_list<Tensor>{}); }), {"got 0"});
}

TEST(Tensordot, SumsOverPairsOfDimensions) {
  Numbers numbers(19);
  const Tensor a = whole(numbers, {2, 3, 4});
  const Tensor b = whole(numbers, {4, 3, 5});
  EXPECT_EQ(tensordot(a, b, {1, 2}, {1, 0}).shape(), (Shape{2, 5}));
  EXPECT_EQ(tensordot(a, b, {1, 2}, {1, 0}).to_vector<double>(), sums({"abc", "cbd"}, "ad", {a, b}));
  EXPECT_EQ(tensordot(a, b, {-1}, {0}).to_vector<double>(), sums({"abc", "cde"}, "abde", {a, b}));
  EXPECT_EQ(tensordot(a, b, 1).to_vector<double>(), sums({"abc", "cde"}, "abde", {a, b}));
  EXPECT_EQ(tensordot(a, b.transpose(0, 1)).to_vector<double>(),
            sums({"abc", "bcd"}, "ad", {a, b.transpose(0, 1)}));
  EXPECT_EQ(tensordot(a, b, 0).shape(), (Shape{2, 3, 4, 4, 3, 5}));
  EXPECT_EQ(tensordot(a, b, 0).to_vector<double>(), sums({"abc", "def"}, "abcdef", {a, b}));
  EXPECT_EQ(tensordot(a, a, {0, 1, 2}, {0, 1, 2}).shape(), Shape{});
}

TEST(Tensordot, SaysWhatIsWrong) {
  using testing_support::contains;
  using testing_support::error_of;
  const Tensor a = Tensor::ones({2, 3});
  const Tensor b = Tensor::ones({4, 5});
  EXPECT_TRUE(contains(error_of([&] { tensordot(a, b, 1); }), "tensordot: dimension 1 of [2, 3]"));
  EXPECT_TRUE(contains(error_of([&] { tensordot(a, b, 3); }), "tensordot: 3 dimensions"));
  EXPECT_TRUE(contains(error_of([&] { tensordot(a, b, -1); }), "tensordot: -1 dimensions"));
  EXPECT_TRUE(contains(error_of([&] { tensordot(a, b, {0, 1}, {0}); }), "do not pair up"));
  EXPECT_TRUE(contains(error_of([&] { tensordot(a, a, {0, 0}, {0, 1}); }), "named twice"));
  EXPECT_TRUE(contains(error_of([&] { tensordot(a, a, {0, 1}, {0, 0}); }), "named twice"));
  EXPECT_TRUE(contains(error_of([&] { tensordot(a, a, {2}, {0}); }), "tensordot"));
  EXPECT_TRUE(contains(error_of([&] { tensordot(a, Tensor(), 1); }), "undefined"));
}

}  // namespace
}  // namespace feral
