// Times an optimizer's step, one thread, on the shapes of LeNet: 8 tensors of 21,840 parameters in one flat region,
// as a job's workers have them, each with a gradient. Prints the fastest and the median of many samples, and what
// the parts of one step share: the same elements as one tensor.
//
//   optim_speed [SUBSTRING]
#include <feral/feral.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/flat_parameters.hpp"

namespace {

using feral::Tensor;
namespace optim = feral::optim;
using Clock = std::chrono::steady_clock;

constexpr int samples = 400;
constexpr int steps_a_sample = 200;

void measure(const std::string& name, optim::Optimizer& optimizer) {
  for (int i = 0; i < 2000; ++i) optimizer.step();
  std::vector<double> nanoseconds;
  for (int s = 0; s < samples; ++s) {
    const auto start = Clock::now();
    for (int i = 0; i < steps_a_sample; ++i) optimizer.step();
    nanoseconds.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() / steps_a_sample);
  }
  std::sort(nanoseconds.begin(), nanoseconds.end());
  std::printf("%-28s %8.0f ns (median %.0f)\n", name.c_str(), nanoseconds.front(), nanoseconds[samples / 2]);
  std::fflush(stdout);
}

struct Contestant {
  std::string name;
  std::function<std::unique_ptr<optim::Optimizer>(std::vector<Tensor>)> make;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "";
  const std::vector<Contestant> contestants = {
      {"SGD", [](auto p) { return std::make_unique<optim::SGD>(std::move(p)); }},
      {"SGD, momentum",
       [](auto p) { return std::make_unique<optim::SGD>(std::move(p), optim::SGDOptions{.momentum = 0.9}); }},
      {"Adam", [](auto p) { return std::make_unique<optim::Adam>(std::move(p)); }},
      {"AdamW", [](auto p) { return std::make_unique<optim::AdamW>(std::move(p)); }},
      {"Adagrad", [](auto p) { return std::make_unique<optim::Adagrad>(std::move(p)); }},
      {"RMSprop", [](auto p) { return std::make_unique<optim::RMSprop>(std::move(p)); }},
  };
  feral::models::LeNet model;
  const feral::nn::FlatLayout layout = feral::nn::flat_layout(model);
  const Tensor region = Tensor::zeros({static_cast<std::int64_t>(layout.size_bytes)}, feral::DType::uint8);
  const std::span<std::byte> bytes(region.raw_data(), layout.size_bytes);
  feral::nn::copy_parameters(layout, bytes);
  feral::nn::bind_parameters(layout, bytes);
  for (const Tensor& parameter : model.parameters()) {
    parameter.set_grad(Tensor::empty(parameter.shape()).uniform_(-1, 1));
  }
  const Tensor whole = Tensor::zeros({layout.elements});
  whole.set_grad(Tensor::empty(whole.shape()).uniform_(-1, 1));
  for (const Contestant& contestant : contestants) {
    if (contestant.name.find(wanted) == std::string::npos) continue;
    measure(contestant.name, *contestant.make(model.parameters()));
    measure(contestant.name + ", one tensor", *contestant.make({whole}));
  }
}
