// The loop behind every rule: whole vectors, tails and rows give what single elements give, bit for bit, and
// nothing outside of them is touched.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "feral.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::optim {
namespace {

using testing_support::Numbers;

using Factory = std::function<std::unique_ptr<Optimizer>(std::vector<Tensor>)>;

template <class Made, class Options>
Factory made(Options options) {
  return [options](std::vector<Tensor> p) { return std::make_unique<Made>(std::move(p), options); };
}

const std::vector<std::pair<const char*, Factory>>& rules() {
  static const std::vector<std::pair<const char*, Factory>> all = {
      {"sgd", made<SGD>(SGDOptions{.lr = 0.1, .weight_decay = 0.1})},
      {"momentum", made<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.5})},
      {"nesterov", made<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true})},
      {"adam", made<Adam>(AdamOptions{.lr = 0.1, .weight_decay = 0.1})},
      {"amsgrad", made<Adam>(AdamOptions{.lr = 0.1, .amsgrad = true})},
      {"adamw", made<AdamW>(AdamWOptions{.lr = 0.1})},
      {"adamax", made<Adamax>(AdamaxOptions{.lr = 0.1})},
      {"nadam", made<NAdam>(NAdamOptions{.lr = 0.1})},
      {"radam", made<RAdam>(RAdamOptions{.lr = 0.1, .betas = {0.8, 0.9}})},
      {"adagrad", made<Adagrad>(AdagradOptions{.lr = 0.1})},
      {"adadelta", made<Adadelta>(AdadeltaOptions{})},
      {"rmsprop", made<RMSprop>(RMSpropOptions{.lr = 0.1})},
      {"centered", made<RMSprop>(RMSpropOptions{.lr = 0.1, .momentum = 0.5, .centered = true})},
      {"rprop", made<Rprop>(RpropOptions{.lr = 0.1})},
      {"asgd", made<ASGD>(ASGDOptions{.lr = 0.1, .t0 = 3})},
  };
  return all;
}

constexpr std::int64_t guard = 3;
constexpr int rounds = 8;

template <class T>
void expect_elements_alone(const char* name, const Factory& make, std::int64_t n, std::int64_t offset) {
  Numbers numbers(static_cast<std::uint64_t>(n + 100 * offset));
  const std::int64_t total = offset + n + guard;
  const Tensor memory = numbers.tensor<T>({total}, -2, 2);
  const Tensor gradients = Tensor::zeros({total}, dtype_of<T>);
  const std::vector<T> start = memory.template to_vector<T>();
  const auto view = [&](const Tensor& of) {
    return Tensor::borrow(of.template data<T>() + offset, {n}, dtype_of<T>);
  };
  const Tensor whole = view(memory);
  std::vector<Tensor> single;
  for (std::int64_t i = 0; i < n; ++i) single.push_back(whole.narrow(0, i, 1).clone());
  const auto together = make({whole});
  const auto alone = make(single);
  for (int round = 0; round < rounds; ++round) {
    gradients.copy_(numbers.tensor<T>({total}));
    whole.set_grad(view(gradients));
    for (std::int64_t i = 0; i < n; ++i) {
      single[static_cast<std::size_t>(i)].set_grad(view(gradients).narrow(0, i, 1).clone());
    }
    together->step();
    alone->step();
  }
  const std::vector<T> values = memory.template to_vector<T>();
  for (std::int64_t i = 0; i < total; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (i < offset || i >= offset + n) {
      ASSERT_EQ(values[at], start[at]) << name << ": outside of the parameter";
    } else {
      ASSERT_EQ(values[at], single[static_cast<std::size_t>(i - offset)].template data<T>()[0])
          << name << ": element " << i - offset << " of " << n << " at offset " << offset;
      ASSERT_NE(values[at], start[at]) << name;
    }
  }
}

template <class T>
void expect_elements_alone() {
  for (const auto& [name, make] : rules()) {
    for (const std::int64_t n : {1, 2, 7, 8, 9, 15, 16, 17, 33}) {
      for (const std::int64_t offset : {0, 1, 5}) expect_elements_alone<T>(name, make, n, offset);
    }
  }
}

TEST(Update, OfManyFloatsIsThatOfEachAlone) { expect_elements_alone<float>(); }
TEST(Update, OfManyDoublesIsThatOfEachAlone) { expect_elements_alone<double>(); }

TEST(Update, LeavesTheStateOfNeighboursAlone) {
  for (const auto& [name, make] : rules()) {
    Numbers numbers(5);
    const Tensor first = numbers.tensor<float>({5});
    const Tensor second = numbers.tensor<float>({21});
    const auto optimizer = make({first, second});
    first.set_grad(numbers.tensor<float>({5}));
    for (int i = 0; i < 3; ++i) optimizer->step();
    for (const NamedState& state : optimizer->named_state()) {
      if (!state.name.starts_with("1.") || state.name == "1.step_size") continue;
      for (const double value : state.tensor.to_vector<double>()) EXPECT_EQ(value, 0) << name << " " << state.name;
    }
  }
}

// Rows are updated as if they alone were the parameter.
TEST(Update, OfRowsIsThatOfTheRowsAlone) {
  const std::vector<std::pair<const char*, Factory>> row_rules = {
      {"sgd", made<SGD>(SGDOptions{.lr = 0.1})},
      {"adagrad", made<Adagrad>(AdagradOptions{.lr = 0.1, .lr_decay = 0.1, .initial_accumulator_value = 0.25})},
      {"sparse adam", made<SparseAdam>(SparseAdamOptions{.lr = 0.1})},
  };
  for (const auto& [name, make] : row_rules) {
    for (const std::int64_t width : {1, 7, 16, 19, 64}) {
      Numbers numbers(static_cast<std::uint64_t>(width));
      const Tensor table = numbers.tensor<float>({6, width});
      const Tensor before = table.clone();
      const std::vector<std::int64_t> chosen = {0, 2, 5};
      const Tensor rows = Tensor::from_vector(chosen, {3});
      const Tensor picked = table.index_select(0, rows);
      const Tensor all = Tensor::arange(3);
      const auto of_table = make({table});
      const auto of_rows = make({picked});
      for (int round = 0; round < rounds; ++round) {
        const Tensor values = numbers.tensor<float>({3, width});
        of_table->step_rows(table, rows, values);
        of_rows->step_rows(picked, all, values);
      }
      EXPECT_EQ(table.index_select(0, rows).to_vector<float>(), picked.to_vector<float>()) << name << width;
      for (const std::int64_t other : {1, 3, 4}) {
        EXPECT_EQ(table.select(0, other).to_vector<float>(), before.select(0, other).to_vector<float>()) << name;
      }
      EXPECT_EQ(of_table->step_count(), std::uint64_t{rounds});
    }
  }
}

}  // namespace
}  // namespace feral::optim
