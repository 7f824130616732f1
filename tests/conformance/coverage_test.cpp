// That nothing is left out: every pair of an op's types and layouts has a case, every op of the library's registry
// is reached by one, every method that computes stands in the table.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "autograd/node.hpp"
#include "autograd/ops/registry.hpp"
#include "tests/conformance/suite.hpp"

namespace feral::conformance {
namespace {

TEST(ConformanceCoverage, EveryTypeAndLayoutOfEveryOpHasACase) {
  std::set<std::string> covered;
  std::size_t cases = 0;
  for (const std::string& family : families()) {
    for (const Case& test : Fixture::of(family).cases()) {
      ++cases;
      if (test.in.empty()) {
        for (const Case::Out& result : test.out)
          covered.insert(test.op + " " + std::string(name_of(result.dtype)) + " made");
      }
      for (const Case::In& operand : test.in) {
        for (const std::string& layout : test.shows())
          covered.insert(test.op + " " + std::string(name_of(operand.dtype)) + " " + layout);
      }
    }
  }
  EXPECT_GE(cases, 2500U);
  for (const Op& op : table()) {
    EXPECT_FALSE(op.types.empty() || op.layouts.empty()) << op.name;
    for (const DType type : op.types) {
      for (const std::string& layout : op.layouts) {
        EXPECT_TRUE(covered.contains(op.name + " " + std::string(name_of(type)) + " " + layout))
            << op.name << " has no case of " << name_of(type) << ", " << layout;
      }
    }
  }
}

TEST(ConformanceCoverage, NamesAreUnique) {
  std::set<std::string> names;
  for (const Op& op : table()) EXPECT_TRUE(names.insert(op.name).second) << op.name;
}

void collect(const Node* node, std::set<const Node*>& seen, std::set<std::string>& names) {
  if (node == nullptr || !seen.insert(node).second) return;
  names.insert(std::string(node->op->name));
  for (int i = 0; i < node->edge_count; ++i) collect(node->edges[i].node, seen, names);
}

// Ops that only gradients call; their values are checked where the gradients are (tests/autograd).
const std::set<std::string> internal = {
    "gelu_slope",
    "gelu_tanh_slope",
    "silu_slope",
    "polygamma",
    "relu_backward",
    "view_backward",
    "recurrence",
    "cofactors",
    "convolution_weight_gradient",
    "pool_scatter",
    "max_pool2d_scatter",
    "max_pool2d_gather",
    "avg_pool_backward",
    "interpolate_backward",
    "nll_loss_scatter",
    // Draws numbers: tests/tensor/random_test.cpp and tests/nn look at their distribution.
    "dropout",
};

TEST(ConformanceCoverage, EveryOpOfTheLibraryIsReached) {
  std::set<std::string> reached;
  std::set<const Op*> done;
  for (const std::string& family : families()) {
    for (const Case& test : Fixture::of(family).cases()) {
      const Op* op = find_op(test.op);
      if (op == nullptr || op->kind == Kind::writes) continue;
      // The first case of each op whose operands can all require a gradient, and all with attributes: those choose.
      const bool recorded = std::ranges::any_of(test.in, [](const auto& x) { return has_gradient(x.dtype); });
      if (!recorded || (!done.insert(op).second && test.attributes.empty())) continue;
      std::set<const Node*> seen;
      for (const Tensor& result : run_case(*op, test, true)) {
        if (result.defined() && result.requires_grad()) collect(node_of(result), seen, reached);
      }
    }
  }
  for (const Op& op : table()) reached.insert(op.reaches.begin(), op.reaches.end());
  std::set<std::string> there;
  for (const OpInfo* info : all_ops()) {
    const std::string name(info->name);
    there.insert(name);
    EXPECT_NE(reached.contains(name), internal.contains(name))
        << name << (internal.contains(name) ? " is reached" : " is reached by no case");
  }
  for (const std::string& name : internal) EXPECT_TRUE(there.contains(name)) << name << " is no op";
}

// Public methods that compute nothing on elements, or that other tests look at.
const std::set<std::string> not_in_the_table = {
    // making: tests/tensor/tensor_test.cpp; random numbers have no reference
    "empty", "empty_like", "rand", "randn", "randint", "randperm", "from_vector", "borrow", "from_blob", "uniform_",
    "normal_", "truncated_normal_", "exponential_", "bernoulli_", "random_", "bernoulli", "multinomial",
    // asking
    "size", "item", "to_vector", "to_string", "repr", "defined", "is_contiguous", "is_leaf", "requires_grad",
    // gradients: tests/autograd
    "set_requires_grad", "grad", "set_grad", "backward", "rebind", "adopt", "as_operand"};

TEST(ConformanceCoverage, EveryMethodStandsInTheTable) {
  std::ifstream in(std::string(FERAL_SOURCE_DIR) + "/tensor/tensor.hpp");
  std::stringstream text;
  text << in.rdbuf();
  std::string header = text.str();
  header = header.substr(0, header.find("inline Tensor operator+"));
  const std::regex declaration(
      "\n  (?:static )?(?:const Tensor&|Tensor&?|ValuesIndices|UniqueResult|std::vector<Tensor>|bool|double|"
      "std::string|std::vector<T>) (\\w+)\\(");
  std::set<std::string> declared;
  for (std::sregex_iterator i(header.begin(), header.end(), declaration), end; i != end; ++i)
    declared.insert((*i)[1]);
  EXPECT_GT(declared.size(), 250U) << "the test no longer finds the declarations";
  std::set<std::string> known = not_in_the_table;
  for (const Op& op : table()) known.insert(op.method);
  for (const std::string& name : declared) EXPECT_TRUE(known.contains(name)) << name << " is in no table";
}

}  // namespace
}  // namespace feral::conformance
