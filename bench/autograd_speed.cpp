// Times training steps, one thread. Prints one line of JSON a case: {"case": …, "ns": median, "low": …, "high": …}.
// Driven by autograd_vs_torch.py, which times the same cases in torch; by itself: `autograd_speed [SUBSTRING]`.
#include <cblas.h>
#include <feral/feral.hpp>

#include "bench/measure.hpp"
#include "nn/flat_parameters.hpp"

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

// LeNet's tensors in one flat region, as a job's processes have them.
struct LeNetParameters {
  feral::models::LeNet model;
  feral::nn::FlatLayout layout = feral::nn::flat_layout(model);
  Tensor region = Tensor::empty({static_cast<std::int64_t>(layout.size_bytes)}, DType::uint8);
  LeNetParameters() {
    const std::span<std::byte> bytes(region.raw_data(), layout.size_bytes);
    feral::nn::copy_parameters(layout, bytes);
    feral::nn::bind_parameters(layout, bytes);
    for (const Tensor& parameter : model.parameters()) parameter.set_grad(random(parameter.shape()));
  }
};

template <class Optimizer, class Options>
Case update(const char* name, const Options& options) {
  return {name, [=](const std::string& title) -> std::vector<Contestant> {
            auto parameters = std::make_shared<LeNetParameters>();
            auto optimizer = std::make_shared<Optimizer>(parameters->model.parameters(), options);
            return {{title, [=] {
                       optimizer->step();
                       (void)parameters;
                     }}};
          }};
}

void add_optimizers(std::vector<Case>& cases) {
  namespace optim = feral::optim;
  cases.push_back(update<optim::SGD>("sgd with momentum, lenet's 21,840 parameters",
                                     optim::SGDOptions{.lr = 1e-6, .momentum = 0.9}));
  cases.push_back(update<optim::Adam>("adam, lenet's 21,840 parameters", optim::AdamOptions{.lr = 1e-6}));
  cases.push_back(update<optim::AdamW>("adamw, lenet's 21,840 parameters", optim::AdamWOptions{.lr = 1e-6}));
  cases.push_back(update<optim::Adagrad>("adagrad, lenet's 21,840 parameters", optim::AdagradOptions{.lr = 1e-6}));
  cases.push_back(update<optim::RMSprop>("rmsprop, lenet's 21,840 parameters", optim::RMSpropOptions{.lr = 1e-6}));
}

// Looks words up, goes back, updates the rows that were read.
template <class Optimizer, class Options>
Case embedding_step(const std::string& how, const Options& options) {
  return {"sparse embedding step, 100,000 x 64, 256 x 8 lookups, " + how,
          [=](const std::string& name) -> std::vector<Contestant> {
            const Tensor table = random({100'000, 64}).set_requires_grad(true);
            const Tensor words = Tensor::randint(0, 100'000, {256, 8});
            const Tensor gradient = random({256, 8, 64});
            auto optimizer = std::make_shared<Optimizer>(std::vector<Tensor>{table}, options);
            return {{name, [=] {
                       feral::embedding(table, words, {.sparse = true}).backward(gradient);
                       optimizer->step();
                       optimizer->zero_grad();
                     }}};
          }};
}

void add_embeddings(std::vector<Case>& cases) {
  cases.push_back(embedding_step<feral::optim::SGD>("sgd", feral::optim::SGDOptions{.lr = 0.1}));
  cases.push_back(
      embedding_step<feral::optim::SparseAdam>("sparse adam", feral::optim::SparseAdamOptions{.lr = 0.1}));
  cases.push_back(embedding_step<feral::optim::SGD>("sgd, torch's default dense gradients",
                                                    feral::optim::SGDOptions{.lr = 0.1}));
}

// Forward, and back to the input and all parameters.
template <class Module>
Case forward_and_backward(const std::string& name, std::shared_ptr<Module> (*make)(), const feral::Shape& shape) {
  return {name, [=](const std::string& title) -> std::vector<Contestant> {
            auto module = make();
            const Tensor x = random(shape).set_requires_grad(true);
            const Tensor gradient = random((*module)(x).shape());
            const std::vector<Tensor> parameters = module->parameters();
            return {{title, [=] {
                       (*module)(x).backward(gradient);
                       for (const Tensor& parameter : parameters) parameter.set_grad({});
                       x.set_grad({});
                     }}};
          }};
}

void add_sequences(std::vector<Case>& cases) {
  namespace nn = feral::nn;
  cases.push_back(forward_and_backward<nn::LSTM>("lstm 128 to 256, batch 16, 32 steps, forward and backward",
                                                 [] { return std::make_shared<nn::LSTM>(128, 256); },
                                                 {32, 16, 128}));
  cases.push_back(forward_and_backward<nn::TransformerEncoderLayer>(
      "transformer layer d = 128, batch 8 x 64, forward and backward",
      [] {
        return std::make_shared<nn::TransformerEncoderLayer>(
            128, 8, nn::TransformerLayerOptions{.dim_feedforward = 512, .dropout = 0, .batch_first = true});
      },
      {8, 64, 128}));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Case> cases;
  add_recording(cases);
  add_perceptron(cases);
  add_optimizers(cases);
  add_sequences(cases);
  add_embeddings(cases);
  std::printf("{\"openblas\": \"%s\", \"threads\": %d}\n", openblas_get_corename(), openblas_get_num_threads());
  for (const Case& c : cases) {
    if (argc < 2 || c.name.find(argv[1]) != std::string::npos) measure(c.make(c.name));
  }
}
