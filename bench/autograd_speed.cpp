// Times training steps, one thread. Prints one line of JSON a case: {"case": …, "ns": median, "low": …, "high": …}.
// Driven by autograd_vs_torch.py, which times the same cases in torch; by itself: `autograd_speed [SUBSTRING]`.
#include <feral/feral.hpp>

#include "bench/measure.hpp"

namespace {

using feral::DType;
using feral::Tensor;
using feral::bench::Case;
using feral::bench::Contestant;
using feral::bench::measure;

Tensor random(const feral::Shape& shape) { return Tensor::empty(shape).uniform_(-1, 1); }

void add_recording(std::vector<Case>& cases) {
  cases.push_back({"op recorded: a + b on 16 floats", [](const std::string& name) -> std::vector<Contestant> {
                     const Tensor a = random({16}).set_requires_grad(true);
                     const Tensor b = random({16});
                     return {{name, [=] { (void)(a + b); }}};
                   }});
  cases.push_back({"op recorded: a * b on 16 floats", [](const std::string& name) -> std::vector<Contestant> {
                     const Tensor a = random({16}).set_requires_grad(true);
                     const Tensor b = random({16});
                     return {{name, [=] { (void)(a * b); }}};
                   }});
}

struct Perceptron : feral::nn::Module {
  feral::nn::Linear fc1{4, 16};
  feral::nn::Linear fc2{16, 2};
  Perceptron() {
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }
  Tensor forward(const Tensor& x) override { return fc2(fc1(x).relu()); }
};

void add_perceptron(std::vector<Case>& cases) {
  cases.push_back({"mlp 4-16-2 step at batch 4", [](const std::string& name) -> std::vector<Contestant> {
                     auto model = std::make_shared<Perceptron>();
                     auto optimizer = std::make_shared<feral::optim::SGD>(model->parameters(),
                                                                          feral::optim::SGDOptions{.lr = 1e-3});
                     const Tensor x = random({4, 4});
                     const Tensor y = random({4, 2});
                     return {{name, [=] {
                                feral::nn::mse_loss((*model)(x), y).backward();
                                optimizer->step();
                                optimizer->zero_grad();
                              }}};
                   }});
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Case> cases;
  add_recording(cases);
  add_perceptron(cases);
  for (const Case& c : cases) {
    if (argc < 2 || c.name.find(argv[1]) != std::string::npos) measure(c.make(c.name));
  }
}
