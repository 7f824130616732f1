// The table of ops that the conformance suite runs: how each is called with a case's operands, and the types and
// layouts for which it must have a case.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/conformance/fixture.hpp"

namespace feral::conformance {

// The operands of one call, and what is not a tensor.
class Call {
 public:
  Call(std::vector<Tensor> inputs, const nlohmann::json& attributes)
      : inputs_(std::move(inputs)), attributes_(attributes) {}

  // An undefined Tensor where the case has fewer operands.
  Tensor operator[](std::size_t i) const { return i < inputs_.size() ? inputs_[i] : Tensor(); }
  const std::vector<Tensor>& inputs() const { return inputs_; }
  bool has(const char* name) const { return attributes_.contains(name); }

  std::int64_t integer(const char* name) const { return attributes_.at(name).get<std::int64_t>(); }
  std::int64_t integer(const char* name, std::int64_t otherwise) const {
    return attributes_.value(name, otherwise);
  }
  bool flag(const char* name) const { return attributes_.value(name, false); }
  std::string text(const char* name) const { return attributes_.at(name).get<std::string>(); }
  std::string text(const char* name, const std::string& otherwise) const {
    return attributes_.value(name, otherwise);
  }
  double number(const char* name) const { return number_of(attributes_.at(name)); }
  double number(const char* name, double otherwise) const { return has(name) ? number(name) : otherwise; }
  // An integer where the fixture has one.
  Scalar scalar(const char* name) const {
    const nlohmann::json& value = attributes_.at(name);
    return value.is_number_integer() ? Scalar(value.get<std::int64_t>()) : Scalar(number_of(value));
  }
  std::vector<std::int64_t> integers(const char* name) const {
    return attributes_.at(name).get<std::vector<std::int64_t>>();
  }
  Shape shape(const char* name) const {
    const std::vector<std::int64_t> values = integers(name);
    return Shape(std::span(values));
  }
  Dims dims(const char* name) const {
    const std::vector<std::int64_t> values = integers(name);
    return Dims(std::span(values));
  }
  const nlohmann::json& attributes() const { return attributes_; }

 private:
  static double number_of(const nlohmann::json& value) {
    if (!value.is_string()) return value.get<double>();
    const std::string name = value.get<std::string>();
    if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
    return name == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  }

  std::vector<Tensor> inputs_;
  const nlohmann::json& attributes_;
};

using Run = std::function<std::vector<Tensor>(const Call&)>;

// What a call does to its operands' memory.
enum class Kind {
  computes,  // changes no operand
  views,     // the same, and its results lie in the first operand's memory
  writes,    // changes the first operand, within its elements
};

struct Op {
  std::string name;    // of the fixtures' cases
  std::string method;  // of Tensor, or of a free function; "" when it is `name`
  std::vector<DType> types;
  std::vector<std::string> layouts;
  Run run;
  Kind kind = Kind::computes;
  // Names in the library's registry that this op runs and whose tape does not show it: not differentiable, or
  // inside of in-place methods.
  std::vector<std::string> reaches = {};
};

// The whole table; families hand in theirs at start-up.
std::vector<Op>& table();
const Op* find_op(const std::string& name);
std::vector<std::string>& families();

struct FamilyOfOps {
  FamilyOfOps(const std::string& fixture, const std::vector<Op>& ops);
};

// Runs every case of a fixture; fails with the case and what is wrong.
void check_family(const std::string& family);
// What the case's op answers; with_gradient marks operands of float32 and float64 as leaves.
std::vector<Tensor> run_case(const Op& op, const Case& test, bool with_gradient);

// --- lists of types and layouts

inline const std::vector<DType> floats = {DType::float32, DType::float64};
inline const std::vector<DType> all_floats = {DType::float32, DType::float64, DType::float16, DType::bfloat16};
inline const std::vector<DType> integers = {DType::int64, DType::int32, DType::int16, DType::int8, DType::uint8};
inline const std::vector<DType> signed_integers = {DType::int64, DType::int32, DType::int16, DType::int8};
inline std::vector<DType> operator+(std::vector<DType> a, const std::vector<DType>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline const std::vector<DType> boolean = {DType::boolean};
inline const std::vector<DType> numbers = all_floats + integers;
inline const std::vector<DType> all_types = numbers + boolean;

inline const std::vector<std::string> any_layout = {"contiguous", "transposed", "stepped",
                                                    "broadcast",  "empty",      "0-dim"};
inline const std::vector<std::string> not_0_dim = {"contiguous", "transposed", "stepped", "broadcast", "empty"};

}  // namespace feral::conformance
