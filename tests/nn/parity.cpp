#include "tests/nn/parity.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tensor/npz.hpp"

namespace feral::nn {
namespace {

using Arrays = std::map<std::string, Tensor>;

const Arrays& fixture(const std::string& family) {
  static std::map<std::string, Arrays> read;
  const auto [place, fresh] = read.try_emplace(family);
  if (fresh) place->second = load_npz(FERAL_SOURCE_DIR "/tests/fixtures/nn/" + family + ".npz");
  return place->second;
}

// The arrays below `prefix`, under the rest of their names.
Arrays below(const Arrays& arrays, const std::string& prefix) {
  Arrays result;
  for (auto place = arrays.lower_bound(prefix); place != arrays.end() && place->first.starts_with(prefix);
       ++place) {
    result.emplace(place->first.substr(prefix.size()), place->second);
  }
  return result;
}

void expect_close(const std::string& what, const Tensor& got, const Tensor& want, double tolerance) {
  ASSERT_TRUE(got.defined()) << what << " is undefined";
  ASSERT_EQ(got.shape().to_string(), want.shape().to_string()) << what;
  const std::vector<double> a = got.detach().to_vector<double>();
  const std::vector<double> b = want.to_vector<double>();
  double largest = 0;
  for (const double value : b) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    ASSERT_LE(std::abs(a[i] - b[i]), tolerance * std::max(largest, 1e-3))
        << what << ", element " << i << ": " << a[i] << ", PyTorch " << b[i];
  }
}

Tensor numbered(const Arrays& arrays, const std::string& what, std::size_t i) {
  const auto place = arrays.find(fmt::format("{}/{}", what, i));
  return place == arrays.end() ? Tensor() : place->second;
}

// A leaf's gradient, a sparse one as a whole table.
Tensor gradient_of(const Tensor& leaf) {
  const SparseGradient sparse = leaf.sparse_grad();
  if (!sparse.defined()) return leaf.grad();
  const Tensor table = leaf.grad().defined() ? leaf.grad() : Tensor::zeros_like(leaf);
  return table.detach().index_add(0, sparse.rows, sparse.values);
}

void run_case(const Arrays& arrays, Module* module, const std::function<Tensors(const Tensors&)>& forward,
              DType dtype, double tolerance) {
  if (module != nullptr) {
    module->to(dtype);
    module->zero_grad();
    module->load_state_dict(below(arrays, "state/"));
  }
  Tensors inputs;
  for (std::size_t i = 0; numbered(arrays, "input", i).defined(); ++i) {
    const Tensor input = numbered(arrays, "input", i);
    if (!is_floating(input.dtype())) {
      inputs.push_back(input.clone());
    } else {
      inputs.push_back(input.to(dtype).clone());
      inputs.back().set_requires_grad(numbered(arrays, "grad_input", i).defined());
    }
  }
  const Tensors outputs = forward ? forward(inputs) : Tensors{(*module)(inputs.at(0))};
  ASSERT_FALSE(arrays.empty());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].defined()) continue;
    const Tensor want = numbered(arrays, "output", i);
    ASSERT_TRUE(want.defined()) << "the fixture has no output " << i;
    expect_close(fmt::format("output {}", i), outputs[i], want, tolerance);
    if (testing::Test::HasFatalFailure()) return;
    if (const Tensor seed = numbered(arrays, "seed", i); seed.defined()) outputs[i].backward(seed.to(dtype), true);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor want = numbered(arrays, "grad_input", i);
    if (want.defined()) expect_close(fmt::format("gradient of input {}", i), inputs[i].grad(), want, tolerance);
  }
  if (module == nullptr) return;
  const Arrays gradients = below(arrays, "grad/");
  std::size_t seen = 0;
  for (const NamedTensor& parameter : module->named_parameters()) {
    const auto want = gradients.find(parameter.name);
    if (want == gradients.end()) continue;
    ++seen;
    expect_close("gradient of " + parameter.name, gradient_of(parameter.tensor), want->second, tolerance);
  }
  EXPECT_EQ(seen, gradients.size()) << "parameters of PyTorch's that the module does not have";
  const StateDict state = module->state_dict();
  for (const auto& [name, want] : below(arrays, "after/")) {
    ASSERT_TRUE(state.contains(name)) << name;
    expect_close(name + " afterwards", state.at(name), want, tolerance);
  }
}

void run_both(const std::string& family, const std::string& name, Module* module,
              const std::function<Tensors(const Tensors&)>& forward, double scale) {
  const Arrays arrays = below(fixture(family), name + "/");
  ASSERT_FALSE(arrays.empty()) << "tests/fixtures/nn/" << family << ".npz has no case " << name;
  {
    SCOPED_TRACE(name + " in float64");
    run_case(arrays, module, forward, DType::float64, scale * 1e-10);
  }
  {
    SCOPED_TRACE(name + " in float32");
    run_case(arrays, module, forward, DType::float32, scale * 1e-5);
  }
}

}  // namespace

void expect_parity(const std::string& family, const std::string& name, Module& module,
                   const std::function<Tensors(const Tensors&)>& forward, double scale) {
  run_both(family, name, &module, forward, scale);
}

void expect_parity(const std::string& family, const std::string& name,
                   const std::function<Tensors(const Tensors&)>& forward, double scale) {
  run_both(family, name, nullptr, forward, scale);
}

std::vector<std::string> parity_cases(const std::string& family) {
  std::set<std::string> names;
  for (const auto& [name, array] : fixture(family)) {
    const std::size_t slash = name.find('/');
    names.insert(name.substr(0, name.find('/', slash + 1)));
  }
  return {names.begin(), names.end()};
}

}  // namespace feral::nn
