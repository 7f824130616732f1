// Times tensor operations, one thread, and what they are measured against in the same process: plain loops and
// cblas_sgemm. Prints one line of JSON a case: {"case": …, "ns": median, "low": …, "high": …}. Driven by
// tensor_vs_torch.py, which times the same cases in torch; by itself: `tensor_speed [SUBSTRING]`.
#include <cblas.h>
#include <feral/feral.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "bench/plain_loops.hpp"

namespace {

using feral::Tensor;
using feral::bench::Case;
using feral::bench::Contestant;
using feral::bench::measure;

Tensor random(const feral::Shape& shape) { return Tensor::empty(shape).uniform_(-1, 1); }

void add_dispatch(std::vector<Case>& cases) {
  cases.push_back({"dispatch: a + b on 16 floats", [](const std::string& name) -> std::vector<Contestant> {
                     const Tensor a = random({16});
                     const Tensor b = random({16});
                     return {{name, [=] { (void)(a + b); }}};
                   }});
  cases.push_back(
      {"dispatch: a + b on 16 floats, recorded", [](const std::string& name) -> std::vector<Contestant> {
         const Tensor a = random({16}).set_requires_grad(true);
         const Tensor b = random({16});
         return {{name, [=] { (void)(a + b); }}};
       }});
}

void add_elementwise(std::vector<Case>& cases) {
  for (const auto& [label, n] : {std::pair<const char*, std::int64_t>{"1 M", 1 << 20}, {"64 M", 64 << 20}}) {
    const auto count = static_cast<std::size_t>(n);
    const auto binary = [&, n = n](const std::string& op, Tensor (Tensor::*method)(const Tensor&) const,
                                   auto loop) {
      cases.push_back({op + " " + label, [=](const std::string& name) -> std::vector<Contestant> {
                         const Tensor a = random({n});
                         const Tensor b = random({n});
                         const Tensor out = Tensor::zeros({n});
                         return {{name, [=] { (void)(a.*method)(b); }},
                                 {name + " / plain loop",
                                  [=] { loop(out.data<float>(), a.data<float>(), b.data<float>(), count); }}};
                       }});
    };
    binary("add", &Tensor::add, plain::add);
    binary("mul", &Tensor::mul, plain::mul);
    cases.push_back(
        {std::string("relu ") + label, [=, n = n](const std::string& name) -> std::vector<Contestant> {
           const Tensor x = random({n});
           const Tensor out = Tensor::zeros({n});
           return {{name, [=] { (void)x.relu(); }},
                   {name + " / plain loop", [=] { plain::relu(out.data<float>(), x.data<float>(), count); }}};
         }});
    cases.push_back(
        {std::string("x * 1.5 ") + label, [=, n = n](const std::string& name) -> std::vector<Contestant> {
           const Tensor x = random({n});
           const Tensor out = Tensor::zeros({n});
           return {
               {name, [=] { (void)(x * 1.5); }},
               {name + " / plain loop", [=] { plain::scale(out.data<float>(), x.data<float>(), 1.5F, count); }}};
         }});
  }
  const auto function = [&](const char* name, auto call) {
    cases.push_back({std::string(name) + " 1 M", [=](const std::string& label) -> std::vector<Contestant> {
                       const Tensor x = random({1 << 20});
                       return {{label, [=] { (void)call(x); }}};
                     }});
  };
  function("exp", [](const Tensor& x) { return x.exp(); });
  function("tanh", [](const Tensor& x) { return x.tanh(); });
  function("sigmoid", [](const Tensor& x) { return x.sigmoid(); });
  function("gelu", [](const Tensor& x) { return x.gelu(); });
  function("log", [](const Tensor& x) { return (x).log(); });
  function("sin", [](const Tensor& x) { return x.sin(); });
  function("to bfloat16", [](const Tensor& x) { return x.to(feral::DType::bfloat16); });

  const auto layout = [&](const char* name, auto make_a, auto make_b) {
    cases.push_back(
        {std::string("add 1024 x 1024, ") + name, [=](const std::string& label) -> std::vector<Contestant> {
           const Tensor a = make_a();
           const Tensor b = make_b();
           const Tensor c = random({1024, 1024});
           const Tensor d = random({1024, 1024});
           return {{label, [=] { (void)(a + b); }}, {label + " / contiguous", [=] { (void)(c + d); }}};
         }});
  };
  const auto square = [] { return random({1024, 1024}); };
  layout(
      "one transposed",
      [] {
        return random({1024, 1024}).transpose(0, 1);
      },
      square);
  layout(
      "both transposed",
      [] {
        return random({1024, 1024}).transpose(0, 1);
      },
      [] {
        return random({1024, 1024}).transpose(0, 1);
      });
  layout(
      "rows cut",
      [] {
        return random({1024, 1040}).narrow(1, 8, 1024);
      },
      square);
  layout(
      "a row broadcast", [] { return random({1024}); }, square);
  layout(
      "a column broadcast",
      [] {
        return random({1024, 1});
      },
      square);
}

void add_reductions(std::vector<Case>& cases) {
  const auto reduce = [&](const std::string& name, auto call) {
    cases.push_back({name + " of 1000 x 1000", [=](const std::string& label) -> std::vector<Contestant> {
                       const Tensor x = random({1000, 1000});
                       return {{label, [=] { (void)call(x); }}};
                     }});
  };
  for (const std::int64_t dim : {1, 0}) {
    const std::string where = dim == 1 ? "last dimension" : "first dimension";
    reduce("sum over the " + where, [=](const Tensor& x) { return x.sum(dim); });
    reduce("mean over the " + where, [=](const Tensor& x) { return x.mean(dim); });
    reduce("amax over the " + where, [=](const Tensor& x) { return x.amax(dim); });
  }
  reduce("sum of all", [](const Tensor& x) { return x.sum(); });
  reduce("softmax", [](const Tensor& x) { return x.softmax(1); });
  reduce("log_softmax", [](const Tensor& x) { return x.log_softmax(1); });
}

void add_products(std::vector<Case>& cases) {
  struct Product {
    std::int64_t m, n, k;
  };
  for (const auto& [m, n, k] : std::initializer_list<Product>{{1024, 1024, 1024},
                                                              {512, 512, 512},
                                                              {256, 256, 256},
                                                              {128, 128, 128},
                                                              {64, 128, 784},
                                                              {64, 10, 128},
                                                              {32, 32, 32},
                                                              {16, 16, 16},
                                                              {4, 16, 2},
                                                              {1, 128, 784}}) {
    const std::string name = "matmul " + std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k);
    cases.push_back({name, [=, m = m, n = n, k = k](const std::string& label) -> std::vector<Contestant> {
                       const Tensor a = random({m, k});
                       const Tensor b = random({k, n});
                       const Tensor out = Tensor::zeros({m, n});
                       const auto gemm = [=] {
                         cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(m),
                                     static_cast<int>(n), static_cast<int>(k), 1, a.data<float>(),
                                     static_cast<int>(k), b.data<float>(), static_cast<int>(n), 0,
                                     out.data<float>(), static_cast<int>(n));
                       };
                       return {{label, [=] { (void)a.matmul(b); }}, {label + " / cblas_sgemm", gemm}};
                     }});
  }
}

struct Layer {
  const char* name;
  std::int64_t batch, in, out, kernel, stride, padding, size;
};

constexpr Layer layers[] = {
    {"lenet 1", 64, 1, 10, 5, 1, 0, 28},
    {"lenet 2", 64, 10, 20, 5, 1, 0, 12},
    {"64 to 64, 3 x 3 at 32", 16, 64, 64, 3, 1, 1, 32},
    {"resnet18 stem 7 x 7 / 2", 4, 3, 64, 7, 2, 3, 224},
    {"resnet18 64 at 56", 4, 64, 64, 3, 1, 1, 56},
    {"resnet18 64 to 128 / 2", 4, 64, 128, 3, 2, 1, 56},
    {"resnet18 shortcut 64 to 128 / 2", 4, 64, 128, 1, 2, 0, 56},
    {"resnet18 128 at 28", 4, 128, 128, 3, 1, 1, 28},
    {"resnet18 128 to 256 / 2", 4, 128, 256, 3, 2, 1, 28},
    {"resnet18 256 at 14", 4, 256, 256, 3, 1, 1, 14},
    {"resnet18 256 to 512 / 2", 4, 256, 512, 3, 2, 1, 14},
    {"resnet18 512 at 7", 4, 512, 512, 3, 1, 1, 7},
};

void add_convolutions(std::vector<Case>& cases) {
  for (const Layer& layer : layers) {
    cases.push_back({std::string("conv2d ") + layer.name, [=](const std::string& label) -> std::vector<Contestant> {
                       const Tensor x = random({layer.batch, layer.in, layer.size, layer.size});
                       const Tensor weight = random({layer.out, layer.in, layer.kernel, layer.kernel});
                       const auto forward = [=](const Tensor& in, const Tensor& w) {
                         return feral::conv2d(in, w, {}, {.stride = layer.stride, .padding = layer.padding});
                       };
                       Tensor x_leaf = x.clone();
                       // Nobody asks for the gradient of the images themselves.
                       x_leaf.set_requires_grad(layer.in > 3);
                       Tensor weight_leaf = weight.clone();
                       weight_leaf.set_requires_grad(true);
                       const Tensor gradient = random(forward(x, weight).shape());
                       return {{label + ", forward", [=] { (void)forward(x, weight); }},
                               {label + ", forward and backward", [=] {
                                  forward(x_leaf, weight_leaf).backward(gradient);
                                  x_leaf.set_grad({});
                                  weight_leaf.set_grad({});
                                }}};
                     }});
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Case> cases;
  add_dispatch(cases);
  add_elementwise(cases);
  add_reductions(cases);
  add_products(cases);
  add_convolutions(cases);
  std::printf("{\"openblas\": \"%s\", \"threads\": %d}\n", openblas_get_corename(), openblas_get_num_threads());
  for (const Case& c : cases) {
    if (argc < 2 || c.name.find(argv[1]) != std::string::npos) measure(c.make(c.name));
  }
}
