// The steps of a random program that write.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tensor/promotion.hpp"
#include "tests/tensor/random_program_views.hpp"

namespace feral::testing_support {

class ProgramWrites : public ProgramViews {
 public:
  using ProgramViews::ProgramViews;

 protected:
  // One of the forms, on any view of the pool; refused where the model says so.
  void write() {
    const Pair target = any();
    switch (pick(8)) {
      case 0:
        return fill(target);
      case 1:
        return copy(target);
      case 2:
      case 3:
        return with_number(target);
      case 4:
        return unary(target);
      default:
        return binary(target);
    }
  }

 private:
  static bool broadcasts(const Sizes& from, const Sizes& to) {
    if (from.size() > to.size()) return false;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const std::int64_t size = from[from.size() - 1 - i];
      if (size != 1 && size != to[to.size() - 1 - i]) return false;
    }
    return true;
  }

  // The operand's numbers, broadcast, before anything is written.
  static std::vector<Number> read(const ModelView& operand, const Sizes& shape) {
    std::vector<Number> numbers;
    for_each_index(shape, [&](const Sizes& index) {
      Sizes own(index.end() - static_cast<std::ptrdiff_t>(operand.shape.size()), index.end());
      for (std::size_t i = 0; i < own.size(); ++i) {
        if (operand.shape[i] == 1) own[i] = 0;
      }
      const std::int64_t place = operand.places[static_cast<std::size_t>(position_of(operand.shape, own))];
      numbers.push_back(operand.storage->elements[static_cast<std::size_t>(place)]);
    });
    return numbers;
  }

  static bool fits(DType result, DType target) {
    if (is_floating(result)) return is_floating(target);
    return result == DType::boolean || target != DType::boolean;
  }

  // An operand made to broadcast to the shape by select and narrow, often of the target's own storage.
  Pair operand_for(const Pair& target) {
    Pair x = pick(3) == 0 ? target : any();
    if (pick(10) == 0) return x;  // as it is
    const std::size_t dims = target.model.shape.size();
    while (x.model.shape.size() > dims || (!x.model.shape.empty() && pick(6) == 0)) {
      const std::int64_t size = x.model.shape[0];
      if (size == 0) return x;
      const std::int64_t i = pick(size);
      x = {x.tensor[i], viewed(x.model, Sizes(x.model.shape.begin() + 1, x.model.shape.end()), [&](Sizes index) {
             index.insert(index.begin(), i);
             return index;
           })};
    }
    for (std::size_t d = 0; d < x.model.shape.size(); ++d) {
      const std::int64_t wanted = target.model.shape[dims - x.model.shape.size() + d];
      const std::int64_t size = x.model.shape[d];
      if (size == wanted || size == 0) continue;
      const std::int64_t length = size > wanted ? wanted : 1;
      const std::int64_t start = pick(size - length + 1);
      Sizes shape = x.model.shape;
      shape[d] = length;
      x = {x.tensor.narrow(static_cast<std::int64_t>(d), start, length), viewed(x.model, shape, [&](Sizes index) {
             index[d] += start;
             return index;
           })};
    }
    return x;
  }

  void describe(const std::string& op, const Pair& target, const std::string& rest) {
    const auto offset = [](const Tensor& x) {
      return (x.raw_data() - x.impl()->storage->data) / static_cast<std::int64_t>(size_of(x.dtype()));
    };
    note(fmt::format("{} on {} strides {} at {} {}", op, target.tensor.to_string(),
                     target.tensor.strides().to_string(), offset(target.tensor), rest));
  }

  // Runs the call and gives the model the same results, unless the target overlaps itself.
  void apply(const std::string& op, const Pair& target, const std::function<const Tensor&()>& call,
             const std::vector<Number>& results) {
    if (overlaps_itself(target.model)) return expect_error(op, call);
    if (call().impl() != target.tensor.impl()) complain(op + " returned another tensor");
    for (std::size_t i = 0; i < results.size(); ++i) {
      target.model.storage->elements[static_cast<std::size_t>(target.model.places[i])] =
          stored(target.tensor.dtype(), results[i]);
    }
  }

  void fill(const Pair& target) {
    const Number value =
        target.tensor.dtype() == DType::boolean ? static_cast<Number>(pick(2)) : static_cast<Number>(pick(20));
    describe("fill_", target, fmt::format("with {}", static_cast<double>(value)));
    apply(
        "fill_", target, [&]() -> const Tensor& { return target.tensor.fill_(static_cast<double>(value)); },
        std::vector<Number>(target.model.places.size(), value));
  }

  void copy(const Pair& target) {
    const Pair source = operand_for(target);
    describe("copy_", target,
             fmt::format("from {} strides {}", source.tensor.to_string(), source.tensor.strides().to_string()));
    const auto call = [&]() -> const Tensor& { return target.tensor.copy_(source.tensor); };
    if (overlaps_itself(target.model) || !broadcasts(source.model.shape, target.model.shape)) {
      return expect_error("copy_", call);
    }
    std::vector<Number> numbers = read(source.model, target.model.shape);
    if (is_floating(source.tensor.dtype()) && !is_floating(target.tensor.dtype())) {
      // Floats become integers within the integers' range alone.
      const Number low = target.tensor.dtype() == DType::uint8 ? 0 : -128;
      for (Number& number : numbers) {
        if (target.tensor.dtype() == DType::boolean) continue;
        if (!(number >= low && number <= 127)) return note("left out: a number is out of range");
        number = std::trunc(number);
      }
    }
    apply("copy_", target, call, numbers);
  }

  void binary(const Pair& target) {
    struct Form {
      ModelOp op;
      const char* name;
      const Tensor& (Tensor::*method)(const Tensor&) const;
    };
    static const Form forms[] = {{ModelOp::add, "add_", &Tensor::add_},
                                 {ModelOp::sub, "sub_", &Tensor::sub_},
                                 {ModelOp::mul, "mul_", &Tensor::mul_},
                                 {ModelOp::maximum, "maximum_", &Tensor::maximum_},
                                 {ModelOp::minimum, "minimum_", &Tensor::minimum_},
                                 {ModelOp::div, "div_", &Tensor::div_},
                                 {ModelOp::bitwise_and, "bitwise_and_", &Tensor::bitwise_and_},
                                 {ModelOp::bitwise_or, "bitwise_or_", &Tensor::bitwise_or_},
                                 {ModelOp::bitwise_xor, "bitwise_xor_", &Tensor::bitwise_xor_}};
    const Form& form = forms[pick(9)];
    const Pair other = operand_for(target);
    const DType type = target.tensor.dtype();
    const DType other_type = other.tensor.dtype();
    describe(form.name, target,
             fmt::format("with {} strides {}", other.tensor.to_string(), other.tensor.strides().to_string()));
    const auto call = [&]() -> const Tensor& { return (target.tensor.*form.method)(other.tensor); };
    // A tensor without dimensions gives way to one with some, unless it is of a higher kind.
    const auto kind = [](DType of) { return of == DType::boolean ? 0 : is_floating(of) ? 2 : 1; };
    const bool target_bare = target.model.shape.empty();
    const bool other_bare = other.model.shape.empty();
    DType common = promote(type, other_type);
    if (!target_bare && other_bare && kind(other_type) <= kind(type)) common = type;
    if (target_bare && !other_bare && kind(type) <= kind(other_type)) common = other_type;
    DType result = common;
    if (form.op == ModelOp::div && !is_floating(common)) result = DType::float32;
    if (overlaps_itself(target.model) || !broadcasts(other.model.shape, target.model.shape)) {
      return expect_error(form.name, call);
    }
    if (form.op == ModelOp::sub && common == DType::boolean) return expect_error("sub", call);
    const std::string name = form.name;
    if (form.op >= ModelOp::bitwise_and && is_floating(common)) {
      return expect_error(name.substr(0, name.size() - 1), call);
    }
    if (!fits(result, type)) return expect_error(name, call);
    const std::vector<Number> mine = read(target.model, target.model.shape);
    std::vector<Number> numbers = read(other.model, target.model.shape);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] = result_of(form.op, common, stored(common, mine[i]), stored(common, numbers[i]));
    }
    apply(form.name, target, call, numbers);
  }

  void with_number(const Pair& target) {
    const DType type = target.tensor.dtype();
    const bool floating = pick(6) == 0 || is_floating(type);
    const std::int64_t whole = type == DType::uint8 ? pick(6) : pick(11) - 5;
    const Scalar scalar = floating ? Scalar(static_cast<double>(whole) + 0.375) : Scalar(whole);
    struct Form {
      ModelOp op;
      const char* name;
      const Tensor& (Tensor::*method)(Scalar) const;
    };
    static const Form forms[] = {{ModelOp::add, "add_", &Tensor::add_},
                                 {ModelOp::sub, "sub_", &Tensor::sub_},
                                 {ModelOp::mul, "mul_", &Tensor::mul_},
                                 {ModelOp::div, "div_", &Tensor::div_}};
    const Form& form = forms[pick(4)];
    describe(form.name, target, fmt::format("with {}", scalar.value));
    const auto call = [&]() -> const Tensor& { return (target.tensor.*form.method)(scalar); };
    // Beside an integer tensor a floating number makes a float32, beside bool an integer makes an int64.
    if (!is_floating(type) && (floating || type == DType::boolean || form.op == ModelOp::div)) {
      return expect_error(form.name, call);
    }
    std::vector<Number> numbers = read(target.model, target.model.shape);
    for (Number& number : numbers) number = result_of(form.op, type, number, scalar.value);
    apply(form.name, target, call, numbers);
  }

  void unary(const Pair& target) {
    struct Form {
      const char* name;
      const Tensor& (Tensor::*method)() const;
      Number (*function)(Number);  // exact; the result is rounded once
      bool integers;
    };
    static const Form forms[] = {
        {"neg_", &Tensor::neg_, [](Number x) { return -x; }, true},
        {"square_", &Tensor::square_, nullptr, true},
        {"sign_", &Tensor::sign_, [](Number x) { return x > 0   ? 1
                                                        : x < 0 ? -1
                                                                : x; }, true},
        {"floor_", &Tensor::floor_, [](Number x) { return std::floor(x); }, true},
        {"round_", &Tensor::round_, [](Number x) { return std::nearbyint(x); }, true},
        {"relu_", &Tensor::relu_, [](Number x) { return x < 0 ? 0 : x; }, true},
        {"clamp_", nullptr, [](Number x) { return x < 2   ? 2
                                                  : x > 9 ? 9
                                                          : x; }, true},
        {"abs_", &Tensor::abs_, [](Number x) { return std::fabs(x); }, true},
        {"sqrt_", &Tensor::sqrt_, nullptr, false}};
    const DType type = target.tensor.dtype();
    if (type == DType::boolean) return;
    const Form& form = forms[pick(9)];
    describe(form.name, target, "");
    const auto call = [&]() -> const Tensor& {
      return form.method == nullptr ? target.tensor.clamp_(2, 9) : (target.tensor.*form.method)();
    };
    if (!is_floating(type) && !form.integers) return expect_error(form.name, call);
    std::vector<Number> numbers = read(target.model, target.model.shape);
    for (Number& number : numbers) {
      if (form.function != nullptr) {
        number = form.function(number);
      } else if (form.integers) {
        number = result_of(ModelOp::mul, type, number, number);
      } else {
        number = type == DType::float32 ? static_cast<Number>(std::sqrt(static_cast<float>(number)))
                                        : static_cast<Number>(std::sqrt(static_cast<double>(number)));
      }
    }
    apply(form.name, target, call, numbers);
  }
};

}  // namespace feral::testing_support
