#include "tests/conformance/suite.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.hpp"

namespace feral::conformance {

std::vector<Op>& table() {
  static std::vector<Op> ops;
  return ops;
}

std::vector<std::string>& families() {
  static std::vector<std::string> names;
  return names;
}

FamilyOfOps::FamilyOfOps(const std::string& fixture, const std::vector<Op>& ops) {
  if (std::ranges::find(families(), fixture) == families().end()) families().push_back(fixture);
  for (Op op : ops) {
    if (op.method.empty()) op.method = op.name;
    table().push_back(std::move(op));
  }
}

const Op* find_op(const std::string& name) {
  const auto found = std::ranges::find(table(), name, &Op::name);
  return found == table().end() ? nullptr : &*found;
}

std::vector<Tensor> run_case(const Op& op, const Case& test, bool with_gradient) {
  std::vector<Tensor> inputs;
  for (const Case::In& in : test.in) {
    inputs.push_back(make_operand(in).tensor);
    if (with_gradient && has_gradient(in.dtype)) inputs.back().set_requires_grad(true);
  }
  return op.run(Call(inputs, test.attributes));
}

namespace {

// What is wrong with the op's answer to the case; "" when nothing is.
std::string wrong_with(const Op& op, const Case& test) {
  std::vector<Operand> operands;
  std::vector<Tensor> inputs;
  for (const Case::In& in : test.in) {
    operands.push_back(make_operand(in));
    inputs.push_back(operands.back().tensor);
  }
  std::vector<Tensor> results;
  try {
    results = op.run(Call(inputs, test.attributes));
  } catch (const Error& error) {
    return std::string("throws ") + error.what();
  }
  if (results.size() != test.out.size()) {
    return std::to_string(results.size()) + " results, not " + std::to_string(test.out.size());
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string wrong = difference(test, test.out[i], results[i]);
    if (!wrong.empty()) return "result " + std::to_string(i) + " has " + wrong;
  }
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool written = op.kind == Kind::writes && i == 0;
    if (!(written ? operands[i].untouched_around() : operands[i].untouched()))
      return "changes " + std::string(written ? "memory around " : "") + "operand " + std::to_string(i);
  }
  if (op.kind == Kind::views) {
    const Tensor& storage = operands[0].storage;
    const std::byte* begin = storage.raw_data();
    const std::byte* end = begin + static_cast<std::size_t>(storage.numel()) * size_of(storage.dtype());
    for (const Tensor& result : results) {
      if (result.numel() > 0 && (result.raw_data() < begin || result.raw_data() >= end)) return "is no view";
    }
  }
  return "";
}

}  // namespace

void check_family(const std::string& family) {
  const std::vector<Case>& cases = Fixture::of(family).cases();
  EXPECT_FALSE(cases.empty()) << family;
  std::size_t failed = 0;
  std::map<std::string, std::size_t> failed_of_op;
  for (const Case& test : cases) {
    const Op* op = find_op(test.op);
    const std::string wrong = op == nullptr ? "is in no table" : wrong_with(*op, test);
    if (wrong.empty()) continue;
    ++failed;
    if (++failed_of_op[test.op] <= 3) ADD_FAILURE() << test.text << "\n  " << wrong;
  }
  std::string summary;
  for (const auto& [op, count] : failed_of_op) summary += " " + op + " " + std::to_string(count);
  EXPECT_EQ(failed, 0U) << "of " << cases.size() << ":" << summary;
}

}  // namespace feral::conformance
