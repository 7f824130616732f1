// Twenty training steps against those of PyTorch (tests/fixtures/parity/generate.py, whose formula is repeated
// here).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "autograd/ops/classification.hpp"
#include "models/lenet.hpp"
#include "models/mlp.hpp"
#include "models/resnet.hpp"
#include "optim/sgd.hpp"
#include "tensor/kernels.hpp"

namespace feral::models {
namespace {

using nlohmann::json;

constexpr std::int64_t batch = 64;
constexpr std::int64_t side = 28;
constexpr std::uint64_t parameter_stream = 1;
constexpr std::uint64_t pixel_stream = 1000;
constexpr std::uint64_t label_stream = 2000;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

std::uint64_t hash(std::uint64_t stream, std::uint64_t i) { return mix(stream * 0x9E3779B97F4A7C15U + i); }

float unit(std::uint64_t stream, std::uint64_t i) { return static_cast<float>(hash(stream, i) >> 40) * 0x1.0p-24F; }

std::vector<std::int64_t> labels_of(std::uint64_t step) {
  std::vector<std::int64_t> labels(batch);
  for (std::uint64_t n = 0; n < labels.size(); ++n) {
    labels[n] = static_cast<std::int64_t>(hash(label_stream + step, n) % 10);
  }
  return labels;
}

std::vector<float> pixels_of(std::uint64_t step) {
  const std::vector<std::int64_t> labels = labels_of(step);
  std::vector<float> pixels(batch * side * side);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i) / side % side;
    const bool bright = row / 2 == labels[i / (side * side)];
    pixels[i] = unit(pixel_stream + step, i) + (bright ? 1.0F : 0.0F);
  }
  return pixels;
}

struct Magnitudes {
  double sum = 0;
  double sum_abs = 0;
};

Magnitudes magnitudes_of(const Tensor& tensor) {
  Magnitudes result;
  for (const double value : tensor.to_vector<double>()) {
    result.sum += value;
    result.sum_abs += std::abs(value);
  }
  return result;
}

class Parity : public testing::TestWithParam<std::string> {
 protected:
  Parity() {
    std::ifstream file(FERAL_SOURCE_DIR "/tests/fixtures/parity/" + GetParam() + ".json");
    reference_ = json::parse(file);
    if (GetParam() == "lenet") {
      model_ = std::make_unique<LeNet>(0);
    } else if (GetParam() == "resnet") {
      model_ = std::make_unique<ResNet>();
    } else {
      model_ = std::make_unique<MLP>();
    }
    const auto parameters = model_->named_parameters();
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      const float bound = reference_["parameters"][k]["bound"].get<float>();
      if (bound == 0) continue;  // of batch normalization: it stays as it was made
      const Tensor& tensor = parameters[k].tensor;
      for (std::int64_t i = 0; i < tensor.numel(); ++i) {
        const float u = unit(parameter_stream + k, static_cast<std::uint64_t>(i));
        tensor.data<float>()[i] = (2 * u - 1) * bound;
      }
    }
  }

  // The losses of the training, each before its step's update.
  std::vector<double> train() {
    const json& hyper = reference_["hyperparameters"];
    optim::SGD optimizer(model_->parameters(),
                         {.lr = hyper["lr"], .momentum = hyper["momentum"], .weight_decay = hyper["weight_decay"]});
    std::vector<double> losses;
    for (std::uint64_t step = 0; step < reference_["steps"].get<std::uint64_t>(); ++step) {
      const Tensor x = Tensor::from_vector(pixels_of(step), {batch, 1, side, side});
      const Tensor target = Tensor::from_vector(labels_of(step), {batch});
      optimizer.zero_grad();
      const Tensor loss = nll_loss((*model_)(x), target);
      loss.backward();
      optimizer.step();
      losses.push_back(loss.item());
    }
    return losses;
  }

  // Relative. PyTorch's float32 differs from its float64 by 4e-5 in resnet: batch normalization passes on what its
  // 64 samples are rounded by.
  double loss_tolerance() const { return GetParam() == "resnet" ? 1e-4 : 2e-5; }
  // Biases of batch normalization barely move, and by sums of gradients that cancel.
  double parameter_tolerance(const std::string& name) const {
    if (GetParam() != "resnet") return 1e-5;
    return name.ends_with("bias") ? 5e-3 : 1e-4;
  }

  json reference_;
  std::unique_ptr<nn::Module> model_;
};

TEST_P(Parity, TheFormulaGivesTheProbedValues) {
  const json& probe = reference_["probe"];
  const auto number = [](const json& hex) { return std::stoull(hex.get<std::string>(), nullptr, 16); };
  EXPECT_EQ(hash(1, 0), number(probe["h_stream_1_index_0"]));
  EXPECT_EQ(hash(1000, 1), number(probe["h_stream_1000_index_1"]));
  EXPECT_EQ(unit(1, 0), probe["u_stream_1_index_0"].get<float>());
  const std::vector<std::int64_t> labels = labels_of(0);
  EXPECT_EQ(std::vector<std::int64_t>(labels.begin(), labels.begin() + 8),
            probe["labels_of_step_0"].get<std::vector<std::int64_t>>());
  double sum = 0;
  for (const float pixel : pixels_of(0)) sum += pixel;
  EXPECT_NEAR(sum, probe["pixel_sum_of_step_0"].get<double>(), 1e-8);
}

TEST_P(Parity, ParametersHaveTheNamesShapesAndInitialValues) {
  const auto parameters = model_->named_parameters();
  ASSERT_EQ(parameters.size(), reference_["parameters"].size());
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const json& expected = reference_["parameters"][k];
    EXPECT_EQ(parameters[k].name, expected["name"].get<std::string>());
    const auto shape = expected["shape"].get<std::vector<std::int64_t>>();
    EXPECT_EQ(parameters[k].tensor.shape(), Shape(std::span(shape)));
    const Magnitudes initial = magnitudes_of(parameters[k].tensor);
    EXPECT_NEAR(initial.sum, expected["initial"]["sum"].get<double>(), 1e-9) << parameters[k].name;
    EXPECT_NEAR(initial.sum_abs, expected["initial"]["sum_abs"].get<double>(), 1e-9) << parameters[k].name;
  }
}

TEST_P(Parity, TwentyStepsOfTrainingAgreeWithPyTorch) {
  const std::vector<double> losses = train();
  ASSERT_EQ(losses.size(), 20U);
  ASSERT_EQ(reference_["losses"].size(), losses.size());
  double largest = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const double want = reference_["losses"][step].get<double>();
    EXPECT_NEAR(losses[step], want, loss_tolerance() * want) << "step " << step;
    largest = std::max(largest, std::abs(losses[step] - reference_["losses_float64"][step].get<double>()));
  }
  EXPECT_LT(losses.back(), losses.front() * (GetParam() == "resnet" ? 0.8 : 0.5)) << "the training learns";
  const auto parameters = model_->named_parameters();
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const json& expected = reference_["parameters"][k]["final"];
    const double sum_abs = expected["sum_abs"].get<double>();
    const double tolerance = parameter_tolerance(parameters[k].name);
    const Magnitudes final_values = magnitudes_of(parameters[k].tensor);
    EXPECT_NEAR(final_values.sum, expected["sum"].get<double>(), tolerance * sum_abs) << parameters[k].name;
    EXPECT_NEAR(final_values.sum_abs, sum_abs, tolerance * sum_abs) << parameters[k].name;
  }
  RecordProperty("largest_difference_from_float64", std::to_string(largest));
}

INSTANTIATE_TEST_SUITE_P(Models, Parity, testing::Values("lenet", "mlp", "resnet"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace feral::models
