// Forms in place, and what decides whether memory is shared.
#include "tensor/in_place.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <set>
#include <utility>

#include "autograd/grad_mode.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

Tensor counting(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0F);
  return Tensor::from_vector(values, {count});
}

using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;

TEST(Overlap, IsDecidedAsByLookingAtEveryElement) {
  Numbers numbers(5);
  const auto pick = [&](std::int64_t n) {
    return static_cast<std::int64_t>(numbers.next(0, static_cast<double>(n)));
  };
  int overlapping = 0;
  for (int round = 0; round < 20000; ++round) {
    Shape shape;
    Shape strides;
    for (std::int64_t dims = pick(5); dims > 0; --dims) {
      shape.push_back(pick(6));
      strides.push_back(pick(25) - (round % 2) * 12);
    }
    std::set<std::int64_t> seen;
    bool expected = false;
    for (std::int64_t i = 0; i < shape.numel(); ++i) {
      std::int64_t rest = i;
      std::int64_t place = 0;
      for (int d = shape.dims() - 1; d >= 0; --d) {
        place += rest % shape[d] * strides[d];
        rest /= shape[d];
      }
      expected = !seen.insert(place).second || expected;
    }
    overlapping += expected;
    ASSERT_EQ(overlaps_itself(shape, strides), expected) << shape.to_string() << " strides " << strides.to_string();
  }
  EXPECT_GT(overlapping, 2000);
  EXPECT_LT(overlapping, 18000);
}

TEST(Overlap, OfTwoTensorsIsThatOfTheirStretches) {
  const Tensor x = counting(12);
  EXPECT_TRUE(may_share_memory(x, x.narrow(0, 11, 1)));
  EXPECT_FALSE(may_share_memory(x.narrow(0, 0, 6), x.narrow(0, 6, 6)));
  EXPECT_TRUE(may_share_memory(x.slice(0, 0, 12, 2), x.slice(0, 1, 12, 2)));  // only their elements are apart
  EXPECT_FALSE(may_share_memory(x.slice(0, 0, 5, 2), x.slice(0, 5, 12, 2)));
  EXPECT_TRUE(may_share_memory(x.slice(0, 0, 12, 2), x.narrow(0, 10, 1)));  // the last one
  EXPECT_FALSE(may_share_memory(x.slice(0, 0, 12, 2), x.narrow(0, 11, 1)));
  EXPECT_FALSE(may_share_memory(x, x.narrow(0, 3, 0)));
  EXPECT_FALSE(may_share_memory(x, counting(12)));
  // Two storages over one memory.
  EXPECT_TRUE(may_share_memory(x, Tensor::borrow(x.data<float>() + 11, {1}, DType::int32)));
  EXPECT_TRUE(same_view(x, x.detach()));
  EXPECT_TRUE(same_view(x.view({12, 1}), x.as_strided({12, 1}, {1, 7})));
  EXPECT_FALSE(same_view(x.view({3, 4}), x.view({4, 3})));
  EXPECT_FALSE(same_view(x.view({3, 4}).narrow(1, 0, 3), x.narrow(0, 0, 9).view({3, 3})));
  EXPECT_FALSE(same_view(x, Tensor::borrow(x.raw_data(), {12}, DType::int32)));
}

TEST(Copy_, FromAnOverlappingViewIsAsIfCopiedFirst) {
  Tensor x = counting(6);
  x.narrow(0, 1, 5).copy_(x.narrow(0, 0, 5));
  EXPECT_EQ(x.to_vector<float>(), (Floats{0, 0, 1, 2, 3, 4}));
  x = counting(6);
  x.narrow(0, 0, 5).copy_(x.narrow(0, 1, 5));
  EXPECT_EQ(x.to_vector<float>(), (Floats{1, 2, 3, 4, 5, 5}));
  x = counting(9).view({3, 3});
  x.copy_(x.t());
  EXPECT_EQ(x.to_vector<float>(), (Floats{0, 3, 6, 1, 4, 7, 2, 5, 8}));
  x.copy_(x[1]);
  EXPECT_EQ(x.to_vector<float>(), (Floats{1, 4, 7, 1, 4, 7, 1, 4, 7}));
  x.copy_(x);
  EXPECT_EQ(x.to_vector<float>(), (Floats{1, 4, 7, 1, 4, 7, 1, 4, 7}));
  // Read as another type.
  x = counting(4);
  x.copy_(Tensor::borrow(x.raw_data(), {4}, DType::int32));
  EXPECT_EQ(x.to_vector<float>(), (Floats{0, 0x3F800000, 0x40000000, 0x40400000}));
}

TEST(Copy_, AndFill_RefuseATargetThatOverlapsItself) {
  const Tensor x = counting(6);
  const Tensor windows = x.unfold(0, 3, 1);
  const Tensor wide = x.view({6, 1}).expand({6, 2});
  for (const Tensor& target : {windows, wide, x.as_strided({2, 2}, {2, 2})}) {
    const std::string fill = error_of([&] { target.fill_(1); });
    EXPECT_EQ(fill.rfind("fill_: ", 0), 0U) << fill;
    EXPECT_TRUE(contains(fill, target.shape().to_string()) && contains(fill, target.strides().to_string())) << fill;
    EXPECT_EQ(error_of([&] { target.copy_(Tensor::zeros({})); }).rfind("copy_: ", 0), 0U);
    EXPECT_EQ(error_of([&] { target.add_(1); }).rfind("add_: ", 0), 0U);
    EXPECT_EQ(error_of([&] { target.mul_(target); }).rfind("mul_: ", 0), 0U);
    EXPECT_EQ(error_of([&] { target.exp_(); }).rfind("exp_: ", 0), 0U);
  }
  EXPECT_EQ(x.to_vector<float>(), counting(6).to_vector<float>());
  x.unfold(0, 2, 2).fill_(7);  // windows side by side
  EXPECT_EQ(x.to_vector<float>(), (Floats{7, 7, 7, 7, 7, 7}));
}

struct UnaryForm {
  const char* name;
  const Tensor& (Tensor::*in_place)() const;
  Tensor (Tensor::*method)() const;
};
const UnaryForm unary_forms[] = {{"neg_", &Tensor::neg_, &Tensor::neg},
                                 {"abs_", &Tensor::abs_, &Tensor::abs},
                                 {"sign_", &Tensor::sign_, &Tensor::sign},
                                 {"square_", &Tensor::square_, &Tensor::square},
                                 {"floor_", &Tensor::floor_, &Tensor::floor},
                                 {"ceil_", &Tensor::ceil_, &Tensor::ceil},
                                 {"trunc_", &Tensor::trunc_, &Tensor::trunc},
                                 {"round_", &Tensor::round_, &Tensor::round},
                                 {"exp_", &Tensor::exp_, &Tensor::exp},
                                 {"log_", &Tensor::log_, &Tensor::log},
                                 {"sqrt_", &Tensor::sqrt_, &Tensor::sqrt},
                                 {"rsqrt_", &Tensor::rsqrt_, &Tensor::rsqrt},
                                 {"reciprocal_", &Tensor::reciprocal_, &Tensor::reciprocal},
                                 {"sin_", &Tensor::sin_, &Tensor::sin},
                                 {"cos_", &Tensor::cos_, &Tensor::cos},
                                 {"tanh_", &Tensor::tanh_, &Tensor::tanh},
                                 {"sigmoid_", &Tensor::sigmoid_, &Tensor::sigmoid},
                                 {"relu_", &Tensor::relu_, &Tensor::relu},
                                 {"erf_", &Tensor::erf_, &Tensor::erf}};

struct BinaryForm {
  const char* name;
  const Tensor& (Tensor::*in_place)(const Tensor&) const;
  Tensor (Tensor::*method)(const Tensor&) const;
};
const BinaryForm binary_forms[] = {{"add_", &Tensor::add_, &Tensor::add},
                                   {"sub_", &Tensor::sub_, &Tensor::sub},
                                   {"mul_", &Tensor::mul_, &Tensor::mul},
                                   {"div_", &Tensor::div_, &Tensor::div},
                                   {"pow_", &Tensor::pow_, &Tensor::pow},
                                   {"fmod_", &Tensor::fmod_, &Tensor::fmod},
                                   {"remainder_", &Tensor::remainder_, &Tensor::remainder},
                                   {"maximum_", &Tensor::maximum_, &Tensor::maximum},
                                   {"minimum_", &Tensor::minimum_, &Tensor::minimum},
                                   {"bitwise_and_", &Tensor::bitwise_and_, &Tensor::bitwise_and},
                                   {"bitwise_or_", &Tensor::bitwise_or_, &Tensor::bitwise_or},
                                   {"bitwise_xor_", &Tensor::bitwise_xor_, &Tensor::bitwise_xor}};

constexpr DType all_types[] = {DType::float32, DType::float64, DType::int32,   DType::int64,   DType::uint8,
                               DType::int8,    DType::int16,   DType::boolean, DType::float16, DType::bfloat16};

// [3, 4] in three layouts, numbers that every type holds.
std::vector<Tensor> targets(DType type) {
  Numbers numbers(23);
  std::vector<Tensor> result;
  for (const Shape& shape : {Shape{3, 4}, Shape{4, 3}, Shape{5, 9}}) {
    const Tensor whole = numbers.tensor<double>(shape, 1, 9).to(type);
    result.push_back(shape[0] == 3 ? whole : shape[0] == 4 ? whole.t() : whole.narrow(0, 1, 3).slice(1, 1, 9, 2));
  }
  return result;
}

// PyTorch's: what must not be lost is a fraction, or a number that is no bool.
bool fits(DType result, DType target) {
  if (is_floating(result)) return is_floating(target);
  return result == DType::boolean || target != DType::boolean;
}

// Runs the form on `target` and expects what the method makes of a copy, in target's type; or an error where that
// does not fit, and no change.
template <class InPlace, class Method>
void expect_form(const char* name, const Tensor& target, const InPlace& in_place, const Method& method) {
  const Tensor before = target.clone();
  Tensor made;
  if (error_of([&] { made = method(before); }).empty() && fits(made.dtype(), target.dtype())) {
    EXPECT_EQ(&in_place(target), &target);
    const auto got = target.to_vector<double>();
    const auto expected = made.to(target.dtype()).to_vector<double>();
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i])))
          << name << " " << target.to_string() << " element " << i << ": " << got[i] << ", not " << expected[i];
    }
    target.copy_(before);
    return;
  }
  const std::string message = error_of([&] { in_place(target); });
  ASSERT_FALSE(message.empty()) << name << " " << target.to_string();
  if (made.defined()) {
    EXPECT_EQ(message.rfind(std::string(name) + ": ", 0), 0U) << message;
    EXPECT_TRUE(contains(message, std::string(name_of(made.dtype())))) << message;
    EXPECT_TRUE(contains(message, std::string(name_of(target.dtype())))) << message;
  }
  EXPECT_EQ(target.to_vector<double>(), before.to_vector<double>()) << name << ": written before the error";
}

TEST(InPlace, UnaryFormsAreTheMethodsInEveryTypeAndLayout) {
  for (const DType type : all_types) {
    for (const Tensor& target : targets(type)) {
      for (const UnaryForm& form : unary_forms) {
        expect_form(
            form.name, target, [&](const Tensor& x) -> const Tensor& { return (x.*form.in_place)(); },
            [&](const Tensor& x) { return (x.*form.method)(); });
      }
    }
  }
}

TEST(InPlace, BinaryFormsAreTheMethodsForEveryTwoTypesAndBroadcasts) {
  Numbers numbers(29);
  for (const DType type : all_types) {
    for (const DType other_type : all_types) {
      for (const Tensor& target : targets(type)) {
        for (const Shape& shape : {Shape{3, 4}, Shape{4}, Shape{3, 1}, Shape{}, Shape{1, 1}}) {
          const Tensor other = numbers.tensor<double>(shape, 1, 5).to(other_type);
          for (const BinaryForm& form : binary_forms) {
            expect_form(
                form.name, target, [&](const Tensor& x) -> const Tensor& { return (x.*form.in_place)(other); },
                [&](const Tensor& x) { return (x.*form.method)(other); });
          }
        }
      }
    }
  }
}

TEST(InPlace, FormsWithANumberAreTheMethods) {
  using Form = std::pair<const char*, std::function<Tensor(const Tensor&, Scalar, bool)>>;
  const Form forms[] = {
      {"add_", [](const Tensor& x, Scalar n, bool in) { return in ? x.add_(n) : x.add(n); }},
      {"sub_", [](const Tensor& x, Scalar n, bool in) { return in ? x.sub_(n) : x.sub(n); }},
      {"mul_", [](const Tensor& x, Scalar n, bool in) { return in ? x.mul_(n) : x.mul(n); }},
      {"div_", [](const Tensor& x, Scalar n, bool in) { return in ? x.div_(n) : x.div(n); }},
      {"pow_", [](const Tensor& x, Scalar n, bool in) { return in ? x.pow_(n) : x.pow(n); }},
      {"clamp_", [](const Tensor& x, Scalar n, bool in) { return in ? x.clamp_(2, n) : x.clamp(2, n); }},
  };
  for (const DType type : all_types) {
    for (const Tensor& target : targets(type)) {
      for (const Form& named : forms) {
        const auto& form = named.second;
        for (const Scalar number : {Scalar(3), Scalar(2.5)}) {
          expect_form(
              named.first, target,
              [&](const Tensor& x) -> const Tensor& {
                EXPECT_EQ(form(x, number, true).impl(), x.impl());
                return target;
              },
              [&](const Tensor& x) { return form(x, number, false); });
        }
      }
    }
  }
}

TEST(InPlace, Lerp_AndNanToNum_AreTheMethods) {
  Numbers numbers(31);
  for (const DType type : all_types) {
    for (const Tensor& target : targets(type)) {
      for (const DType other_type : all_types) {
        const Tensor end = numbers.tensor<double>({4}, 1, 5).to(other_type);
        expect_form(
            "lerp_", target, [&](const Tensor& x) -> const Tensor& { return x.lerp_(end, 0.25); },
            [&](const Tensor& x) { return x.lerp(end, 0.25); });
      }
      if (is_floating(type)) {
        target[0][1].fill_(NAN);
        target[1][1].fill_(INFINITY);
        target[2][1].fill_(-INFINITY);
      }
      expect_form(
          "nan_to_num_", target, [](const Tensor& x) -> const Tensor& { return x.nan_to_num_(7); },
          [](const Tensor& x) { return x.nan_to_num(7); });
    }
  }
  const Tensor x = counting(4);
  x.narrow(0, 1, 3).lerp_(x.narrow(0, 0, 3), 0.5);
  EXPECT_EQ(x.to_vector<float>(), (Floats{0, 0.5, 1.5, 2.5}));
}

TEST(InPlace, Clamp_KeepsANanAndPrefersTheUpperBound) {
  const Tensor x = Tensor::from_vector(Floats{NAN, -INFINITY, 0.5F, INFINITY}, {4});
  x.clamp_(-1, 2);
  EXPECT_TRUE(std::isnan(x.data<float>()[0]));
  EXPECT_EQ(x.narrow(0, 1, 3).to_vector<float>(), (Floats{-1, 0.5, 2}));
  x.narrow(0, 1, 3).clamp_(5, 1);
  EXPECT_EQ(x.narrow(0, 1, 3).to_vector<float>(), (Floats{1, 1, 1}));
}

TEST(InPlace, ZerosKeepTheirSign) {
  const Tensor x = Tensor::from_vector(Floats{0.0F, -0.0F, 1}, {3});
  x.neg_();
  EXPECT_TRUE(std::signbit(x.data<float>()[0]));
  EXPECT_FALSE(std::signbit(x.data<float>()[1]));
  x.mul_(2);
  EXPECT_TRUE(std::signbit(x.data<float>()[0]));
  EXPECT_FALSE(std::signbit(x.data<float>()[1]));
}

TEST(InPlace, IntegersWrapAround) {
  const Tensor x = Tensor::from_vector(Ints{INT32_MAX, INT32_MIN, 7}, {3});
  x.add_(1);
  EXPECT_EQ(x.to_vector<std::int32_t>(), (Ints{INT32_MIN, INT32_MIN + 1, 8}));
  x.neg_();
  EXPECT_EQ(x.to_vector<std::int32_t>(), (Ints{INT32_MIN, INT32_MAX, -8}));
  x.mul_(x);
  EXPECT_EQ(x.to_vector<std::int32_t>(), (Ints{0, 1, 64}));
  // Computed in the common type, then cut to this tensor's, as in PyTorch.
  const Tensor bytes = Tensor::full({1}, 200, DType::uint8);
  bytes.add_(Tensor::full({1}, 1000, DType::int64));
  EXPECT_EQ(bytes.item(), 1200 % 256);
}

TEST(InPlace, UnsignedNumbersAreTheirOwnAbsolutes) {
  const Tensor x = Tensor::from_vector(std::vector<std::uint8_t>{0, 5, 200}, {3});
  x.abs_();
  EXPECT_EQ(x.to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{0, 5, 200}));
}

TEST(InPlace, OperandsThatOverlapAreReadFirst) {
  for (const std::int64_t count : {6, 70}) {
    const auto expect_shifted = [&](std::int64_t to, std::int64_t from) {
      const Tensor x = counting(count);
      x.narrow(0, to, count - 1).add_(x.narrow(0, from, count - 1));
      std::vector<float> expected = counting(count).to_vector<float>();
      for (std::int64_t i = 0; i < count - 1; ++i) {
        expected[static_cast<std::size_t>(to + i)] = static_cast<float>(2 * i + 1);
      }
      EXPECT_EQ(x.to_vector<float>(), expected);
    };
    expect_shifted(1, 0);
    expect_shifted(0, 1);
  }
  const Tensor x = counting(9).view({3, 3});
  x.add_(x.t());
  EXPECT_EQ(x.to_vector<float>(), (Floats{0, 4, 8, 4, 8, 12, 8, 12, 16}));
  x.sub_(x[0]);
  EXPECT_EQ(x.to_vector<float>(), (Floats{0, 0, 0, 4, 4, 4, 8, 8, 8}));
  x.add_(1).div_(x[2][2]);
  EXPECT_EQ(x.to_vector<float>(), (Floats{1 / 9.0F, 1 / 9.0F, 1 / 9.0F, 5 / 9.0F, 5 / 9.0F, 5 / 9.0F, 1, 1, 1}));
}

TEST(InPlace, OfEmptyAndScalarTensors) {
  const Tensor empty = Tensor::empty({0, 3});
  empty.add_(1).mul_(empty).exp_().neg_().copy_(empty).fill_(2);
  EXPECT_EQ(empty.numel(), 0);
  const Tensor one = Tensor::full({}, 3);
  EXPECT_EQ((one += 2).item(), 5);
  EXPECT_EQ((one -= one).item(), 0);
}

TEST(InPlace, WithoutRecordingWritesLeavesViewsAndResultsAlike) {
  const Tensor leaf = Tensor::ones({2, 3}).set_requires_grad(true);
  const Tensor plain = Tensor::ones({2, 3});
  const Tensor made = leaf * 2;
  const NoGradGuard guard;
  made.add_(1);
  EXPECT_EQ(made.to_vector<float>(), Floats(6, 3));
  leaf.add_(plain).mul_(leaf).add_(1);
  plain.add_(leaf);
  EXPECT_EQ(leaf.to_vector<float>(), Floats(6, 5));
  EXPECT_EQ(plain.to_vector<float>(), Floats(6, 6));
  leaf.narrow(0, 0, 1).neg_();
  EXPECT_EQ(leaf.to_vector<float>(), (Floats{-5, -5, -5, 5, 5, 5}));
}

TEST(InPlace, SaysWhatDoesNotFit) {
  const Tensor x = Tensor::ones({2, 3});
  for (const BinaryForm& form : binary_forms) {
    for (const Shape& shape : {Shape{4}, Shape{2, 2, 3}, Shape{3, 3}}) {
      const std::string message = error_of([&] { (x.*form.in_place)(Tensor::ones(shape)); });
      EXPECT_EQ(message.rfind(std::string(form.name) + ": ", 0), 0U) << message;
      EXPECT_TRUE(contains(message, "[2, 3]") && contains(message, shape.to_string())) << message;
    }
    const std::string row = error_of([&] { (x[0].*form.in_place)(x); });
    EXPECT_TRUE(contains(row, "[2, 3]") && contains(row, "[3]")) << row;
    EXPECT_TRUE(contains(error_of([&] { (x.*form.in_place)(Tensor()); }), "undefined"));
    EXPECT_TRUE(contains(error_of([&] { (Tensor().*form.in_place)(x); }), "undefined"));
  }
  for (const UnaryForm& form : unary_forms) {
    EXPECT_EQ(error_of([&] { (Tensor().*form.in_place)(); }).rfind(std::string(form.name) + ": ", 0), 0U);
  }
  EXPECT_EQ(x.to_vector<float>(), Floats(6, 1));
  const Tensor bits = Tensor::zeros({2}, DType::boolean);
  EXPECT_TRUE(contains(error_of([&] { bits.add_(1); }), "int64"));
  EXPECT_TRUE(contains(error_of([&] { bits.mul_(0.5); }), "float32"));
}

}  // namespace
}  // namespace feral
