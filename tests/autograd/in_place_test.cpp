// Writing in place while gradients are recorded: recorded, refused, or noticed in backward; never a wrong gradient.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "autograd/grad_mode.hpp"
#include "autograd/gradcheck.hpp"
#include "autograd/ops/activation.hpp"
#include "tensor/allocator.hpp"
#include "tensor/index.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;
using Tensors = std::vector<Tensor>;

Tensor numbers(const Shape& shape, double first, double step = 0.37) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + step * static_cast<double>((7 * i) % 11);
  return Tensor::from_vector(values, shape);
}

Tensor leaf(const Shape& shape, double first = 0.3) { return numbers(shape, first).set_requires_grad(true); }

struct InPlaceForm {
  const char* name;
  std::function<void(const Tensor& target, const Tensor& other)> write;
};

const Tensor& few() {
  static const Tensor index = Tensor::from_vector(std::vector<std::int64_t>{1, 0}, {2});
  return index;
}

const std::vector<InPlaceForm>& forms() {
  static const std::vector<InPlaceForm> all = {
      {"add_", [](const Tensor& t, const Tensor& o) { t.add_(o); }},
      {"sub_", [](const Tensor& t, const Tensor& o) { t.sub_(o); }},
      {"mul_", [](const Tensor& t, const Tensor& o) { t.mul_(o); }},
      {"div_", [](const Tensor& t, const Tensor& o) { t.div_(o); }},
      {"pow_", [](const Tensor& t, const Tensor& o) { t.pow_(o); }},
      {"maximum_", [](const Tensor& t, const Tensor& o) { t.maximum_(o); }},
      {"lerp_", [](const Tensor& t, const Tensor& o) { t.lerp_(o, 0.3); }},
      {"copy_", [](const Tensor& t, const Tensor& o) { t.copy_(o); }},
      {"add_ itself", [](const Tensor& t, const Tensor& o) { t.mul_(t).add_(o); }},
      {"add_ number", [](const Tensor& t, const Tensor& o) { t.add_(2).mul_(o); }},
      {"sub_ number", [](const Tensor& t, const Tensor& o) { t.sub_(2).mul_(o); }},
      {"mul_ number", [](const Tensor& t, const Tensor& o) { t.mul_(2).add_(o); }},
      {"div_ number", [](const Tensor& t, const Tensor& o) { t.div_(2).add_(o); }},
      {"pow_ number", [](const Tensor& t, const Tensor& o) { t.add_(o).pow_(3); }},
      {"neg_", [](const Tensor& t, const Tensor& o) { t.mul_(o).neg_(); }},
      {"exp_", [](const Tensor& t, const Tensor& o) { t.mul_(o).mul_(0.1).exp_(); }},
      {"sqrt_", [](const Tensor& t, const Tensor& o) { t.mul_(o).sqrt_(); }},
      {"tanh_", [](const Tensor& t, const Tensor& o) { t.mul_(o).tanh_(); }},
      {"relu_", [](const Tensor& t, const Tensor& o) { t.mul_(o).relu_(); }},
      {"clamp_", [](const Tensor& t, const Tensor& o) { t.mul_(o).clamp_(0.5, 2); }},
      {"fill_", [](const Tensor& t, const Tensor& o) { t.fill_(1.5).mul_(o); }},
      {"nan_to_num_", [](const Tensor& t, const Tensor& o) { t.mul_(o).nan_to_num_(0); }},
      {"masked_fill_", [](const Tensor& t, const Tensor& o) { t.masked_fill_(o.gt(1.5), 4).mul_(o); }},
      {"masked_scatter_",
       [](const Tensor& t, const Tensor& o) {
         t.masked_scatter_(numbers({2, 3}, 0).gt(1), o);
       }},
      {"index_put_",
       [](const Tensor& t, const Tensor& o) {
         t.index_put_({few(), Slice(1, 3)}, o.narrow(1, 0, 2));
       }},
      {"index_put_ added", [](const Tensor& t, const Tensor& o) { t.index_put_({few()}, o, true); }},
      {"index_add_", [](const Tensor& t, const Tensor& o) { t.index_add_(0, few(), o); }},
      {"index_copy_", [](const Tensor& t, const Tensor& o) { t.index_copy_(0, few(), o); }},
      {"index_fill_", [](const Tensor& t, const Tensor& o) { t.index_fill_(0, few().narrow(0, 0, 1), 3).mul_(o); }},
      {"scatter_",
       [](const Tensor& t, const Tensor& o) {
         t.scatter_(0, few().reshape({1, 2}), o);
       }},
      {"scatter_add_",
       [](const Tensor& t, const Tensor& o) {
         t.scatter_add_(0, few().reshape({1, 2}), o);
       }},
  };
  return all;
}

TEST(InPlaceRecorded, GradientsAreThoseOfFiniteDifferences) {
  for (const InPlaceForm& form : forms()) {
    SCOPED_TRACE(form.name);
    const auto function = [&](const Tensors& in) {
      const Tensor target = in[0] * 1.5;
      form.write(target, in[1]);
      return target * in[1];
    };
    EXPECT_EQ(gradcheck(function, {leaf({2, 3}), leaf({2, 3}, 0.9)}), "");
    EXPECT_EQ(gradgradcheck(function, {leaf({2, 3}), leaf({2, 3}, 0.9)}), "");
  }
}

TEST(InPlaceRecorded, ATensorWithoutHistoryTakesThatOfItsOperand) {
  for (const InPlaceForm& form : forms()) {
    SCOPED_TRACE(form.name);
    const auto function = [&](const Tensors& in) {
      const Tensor target = numbers({2, 3}, 0.4);
      form.write(target, in[0]);
      return target.sum();
    };
    EXPECT_EQ(gradcheck(function, {leaf({2, 3}, 0.9)}), "");
  }
}

TEST(InPlaceRecorded, AllHandlesOfTheTensorFollow) {
  const Tensor x = leaf({3});
  const Tensor y = x * 2;
  const Tensor same = y;
  y.mul_(y);
  EXPECT_EQ(same.to_vector<double>(), y.to_vector<double>());
  same.sum().backward();
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(x.grad()[i].item(), 8 * x.detach()[i].item(), 1e-12);
}

TEST(InPlaceRecorded, LeaksNothing) {
  const auto run = [] {
    const Tensor x = leaf({4});
    const Tensor y = x * 2;
    y.mul_(y).exp_().add_(x);
    y.sum().backward();
  };
  run();
  const std::int64_t before = allocator_statistics().live_bytes;
  run();
  EXPECT_EQ(allocator_statistics().live_bytes, before);
}

TEST(InPlaceRecorded, AResultThatItsOpHasKeptMayBeWritten) {
  const auto function = [](const Tensors& in) {
    const Tensor t = in[0] * 1;
    t.relu_().add_(1).sqrt_().mul_(in[1]).sigmoid_().tanh_();
    return t;
  };
  EXPECT_EQ(gradcheck(function, {leaf({2, 3}), leaf({2, 3}, 0.9)}), "");
  EXPECT_EQ(gradgradcheck(function, {leaf({2, 3}), leaf({2, 3}, 0.9)}), "");
}

TEST(InPlaceRecorded, AViewThatNobodySharesIsWrittenLikeAnyOther) {
  const auto function = [](const Tensors& in) {
    const Tensor t = (in[0] * 2).transpose(0, 1).view({3, 2});
    t.mul_(in[1].reshape({3, 2}));
    return t;
  };
  EXPECT_EQ(gradcheck(function, {leaf({2, 3}), leaf({2, 3}, 0.9)}), "");
}

TEST(InPlaceRecorded, RefusesWhatWouldLoseHistory) {
  const Tensor x = leaf({2, 3});
  EXPECT_TRUE(has(error_of([&] { x.add_(1); }), {"add_: ", "[2, 3]", "leaf", "NoGradGuard"}));
  EXPECT_TRUE(has(error_of([&] { x.exp_(); }), {"exp_: ", "leaf"}));
  const Tensor made = x * 2;
  EXPECT_TRUE(has(error_of([&] { made[0].mul_(2); }), {"mul_: ", "shares its memory"}));
  {
    const Tensor look = made[1];
    EXPECT_TRUE(has(error_of([&] { made.mul_(2); }), {"mul_: ", "shares its memory"}));
  }
  made.mul_(2);
  const Tensor plain = numbers({2, 3}, 1);
  EXPECT_TRUE(has(error_of([&] { plain[0].add_(x[0]); }), {"add_: ", "shares its memory"}));
  std::vector<double> outside(6, 1.0);
  const Tensor slot = Tensor::borrow(outside.data(), {2, 3}, DType::float64);
  EXPECT_TRUE(has(error_of([&] { slot.copy_(x); }), {"copy_: ", "outside"}));
  EXPECT_TRUE(has(error_of([&] { made.uniform_(); }), {"uniform_: ", "recorded op"}));
  EXPECT_EQ(made.to_vector<double>(), (x.detach() * 4).to_vector<double>());
}

// A tensor that an op has saved and that is written afterwards is an error in backward, by whatever way.
TEST(StaleTensor, IsAnErrorNeverAWrongGradient) {
  using Way = std::pair<const char*, std::function<void(const Tensor&)>>;
  const std::vector<Way> ways = {
      {"no_grad",
       [](const Tensor& t) {
         const NoGradGuard guard;
         t.add_(1);
       }},
      {"detach", [](const Tensor& t) { t.detach().mul_(2); }},
      {"a view without recording",
       [](const Tensor& t) {
         const NoGradGuard guard;
         t.narrow(0, 0, 1).fill_(7);
       }},
      {"copy_", [](const Tensor& t) { t.detach().copy_(numbers({3}, 2)); }},
      {"uniform_", [](const Tensor& t) { t.detach().uniform_(); }},
      {"index_put_", [](const Tensor& t) { t.detach().index_put_({0}, Tensor::full({}, 3, DType::float64)); }},
      {"scatter_", [](const Tensor& t) { t.detach().scatter_(0, few(), numbers({2}, 3)); }},
      {"touch", [](const Tensor& t) { t.touch(); }},
  };
  for (const auto& [name, write] : ways) {
    SCOPED_TRACE(name);
    const Tensor x = leaf({3});
    const Tensor middle = x * 3;
    const Tensor product = (middle * x).sum();
    write(middle);
    EXPECT_TRUE(has(error_of([&] { product.backward(); }), {"backward: ", "'mul'", "[3]", "written in place"}));
    // The output, where that is what is kept.
    const Tensor y = leaf({3});
    const Tensor saved = y.exp();
    const Tensor sum = saved.sum();
    write(saved);
    EXPECT_TRUE(has(error_of([&] { sum.backward(); }), {"backward: ", "'exp'"}));
  }
}

TEST(StaleTensor, LeavesAndRecordedWritesCountAsWell) {
  const Tensor w = leaf({3});
  const Tensor x = leaf({3}, 1);
  Tensor loss = (w * x).sum();
  {
    const NoGradGuard guard;
    w.sub_(0.1);
  }
  EXPECT_TRUE(has(error_of([&] { loss.backward(); }), {"backward: ", "'mul'"}));
  const Tensor middle = x * 2;
  loss = (middle * w).sum();
  middle.add_(1);
  EXPECT_TRUE(has(error_of([&] { loss.backward(); }), {"backward: ", "'mul'"}));
  const Tensor other = x * 2;
  loss = (other * w).sum();
  std::vector<double> arena(4, 5.0);
  w.rebind(arena.data());
  EXPECT_TRUE(has(error_of([&] { loss.backward(); }), {"backward: ", "'mul'"}));
}

TEST(StaleTensor, WhatWasNotSavedMayBeWritten) {
  const Tensor x = leaf({3});
  const Tensor sum = x + 1;
  {
    const NoGradGuard guard;
    x.add_(5);  // add keeps none of its inputs
  }
  sum.sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), std::vector<double>(3, 1));
  const Tensor w = leaf({3});
  const Tensor constant = numbers({3}, 2);
  const Tensor loss = (w * constant).sum();
  loss.backward();
  constant.add_(1);  // after backward nobody wants it any more
}

TEST(StaleTensor, AnotherProcessesWritesAreExempt) {
  // A parameter in the arena: what others write there is seen by nobody's count, and backward goes on with it.
  std::vector<double> arena = {1, 2, 3};
  Tensor w = Tensor::borrow(arena.data(), {3}, DType::float64);
  w.set_requires_grad(true);
  const Tensor x = leaf({3});
  const Tensor loss = (w * x).sum();
  arena[1] = 20;
  loss.backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{1, 20, 3}));
}

TEST(Halves, PassTheirGradientThroughConversions) {
  for (const DType half : {DType::float16, DType::bfloat16}) {
    const Tensor x = leaf({3});
    (x.to(half) * 2).to(DType::float64).sum().backward();
    EXPECT_EQ(x.grad().to_vector<double>(), std::vector<double>(3, 2));
    Tensor y = Tensor::ones({3}, half);
    y.set_requires_grad(true);
    (y * y + y).sum().backward();
    (y * y + y).sum().backward();
    EXPECT_EQ(y.grad().dtype(), half);
    EXPECT_EQ(y.grad().to_vector<double>(), std::vector<double>(3, 6));
  }
}

}  // namespace
}  // namespace feral
