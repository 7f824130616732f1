// That nothing is left out: every pair of an op's types and layouts has a case, every op of the library's registry
// is reached by one, every method that computes stands in the table.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
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
      const auto cover = [&](DType type, const std::string& layout) {
        covered.insert(test.op + " " + std::string(name_of(type)) + " " + layout);
      };
      for (const Case::In& operand : test.in) cover(operand.dtype, operand.shows());
      if (!test.in.empty()) continue;
      for (const Case::Out& result : test.out) cover(result.dtype, "made");
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
    // Recurrent layers, attention and normalization: tests/nn compares them with PyTorch.
    "recurrent",
    "scaled_dot_product_attention",
    "layer_norm",
    "rms_norm",
    "group_norm",
    "batch_moments",
    "batch_norm",
    "cross_entropy_backward",
    "ctc_loss_backward",
    // Losses: tests/nn compares them with PyTorch.
    "cross_entropy",
    "binary_cross_entropy",
    "ctc_loss",
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
  std::set<std::string> there;
  for (const OpInfo* info : all_ops()) there.insert(std::string(info->name));
  for (const Op& op : table()) {
    for (const std::string& name : op.reaches) {
      EXPECT_TRUE(there.contains(name)) << name << " is no op";
      reached.insert(name);
    }
  }
  for (const std::string& name : there) {
    EXPECT_NE(reached.contains(name), internal.contains(name))
        << name << (internal.contains(name) ? " is reached" : " is reached by no case");
  }
  for (const std::string& name : internal) EXPECT_TRUE(there.contains(name)) << name << " is no op";
}

// Public methods that compute nothing on elements, or that other tests look at.
const std::set<std::string> not_in_the_table = {
    // making: tests/tensor/tensor_test.cpp; random numbers have no reference
    "empty", "empty_like", "rand", "randn", "randint", "randperm", "from_vector", "borrow", "from_blob", "uniform_",
    "normal_", "truncated_normal_", "exponential_", "bernoulli_", "random_", "bernoulli", "multinomial", "dropout",
    "dropout2d",
    // normalization: tests/nn compares it with PyTorch
    "scaled_dot_product_attention", "layer_norm", "rms_norm", "group_norm", "instance_norm", "batch_moments",
    "batch_norm", "batch_norm_by", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout",
    // asking
    "size", "item", "to_vector", "to_string", "repr", "defined", "is_contiguous", "is_leaf", "requires_grad",
    // gradients: tests/autograd
    "set_requires_grad", "grad", "set_grad", "backward", "rebind", "adopt", "as_operand"};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// A header without its namespace feral::ops: what users call is left.
std::string without_ops(std::string text) {
  const std::string end = "}  // namespace feral::ops";
  for (std::size_t at = text.find("namespace feral::ops {"); at != std::string::npos;
       at = text.find("namespace feral::ops {")) {
    text.erase(at, text.find(end, at) + end.size() - at);
  }
  return text;
}

// The names that `declaration` finds, its first group.
std::set<std::string> names_in(const std::string& text, const std::regex& declaration) {
  std::set<std::string> names;
  for (std::sregex_iterator i(text.begin(), text.end(), declaration), end; i != end; ++i) names.insert((*i)[1]);
  return names;
}

void expect_in_the_table(const std::set<std::string>& declared) {
  std::set<std::string> known = not_in_the_table;
  for (const Op& op : table()) known.insert(op.method);
  for (const std::string& name : declared) EXPECT_TRUE(known.contains(name)) << name << " is in no table";
}

const std::filesystem::path source = FERAL_SOURCE_DIR;

TEST(ConformanceCoverage, EveryMethodStandsInTheTable) {
  const std::string header = text_of(source / "tensor/tensor.hpp");
  const std::regex declaration(
      "\n  (?:static )?(?:const Tensor&|Tensor&?|ValuesIndices|UniqueResult|std::vector<Tensor>|bool|double|"
      "std::string|std::vector<T>) (\\w+)\\(");
  const std::set<std::string> declared =
      names_in(header.substr(0, header.find("inline Tensor operator+")), declaration);
  EXPECT_GT(declared.size(), 250U) << "the test no longer finds the declarations";
  expect_in_the_table(declared);
}

TEST(ConformanceCoverage, EveryFunctionStandsInTheTable) {
  const std::regex declaration(
      "\n(?:Tensor|ValuesIndices|SignLogAbsDet|QR|SVD|Eigh|std::vector<Tensor>) (\\w+)\\(");
  std::set<std::string> declared;
  for (const auto& entry : std::filesystem::directory_iterator(source / "autograd/ops")) {
    if (entry.path().extension() != ".hpp") continue;
    declared.merge(names_in(without_ops(text_of(entry.path())), declaration));
  }
  EXPECT_GT(declared.size(), 45U) << "the test no longer finds the declarations";
  expect_in_the_table(declared);
}

}  // namespace
}  // namespace feral::conformance
