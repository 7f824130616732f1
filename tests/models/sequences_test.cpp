// The language model and the Transformer: twenty training steps beside PyTorch's
// (tests/fixtures/parity/sequences.py).
#include <gtest/gtest.h>

#include "autograd/ops/classification.hpp"
#include "models/lstm_lm.hpp"
#include "models/transformer.hpp"
#include "optim/adam.hpp"
#include "optim/adamw.hpp"
#include "tensor/npz.hpp"
#include "tests/support/messages.hpp"

namespace feral::models {
namespace {

using support::error_of;
using support::has;

void expect_parity(const std::string& name, nn::Module& model, optim::Optimizer& optimizer) {
  auto arrays = load_npz(FERAL_SOURCE_DIR "/tests/fixtures/parity/" + name + ".npz");
  const auto take = [&](const char* what) {
    const Tensor result = arrays.at(what);
    arrays.erase(what);
    return result;
  };
  Tensor data = take("data");
  if (data.dtype() == DType::uint8) data = data.to(DType::int64);
  const Tensor labels = take("labels").to(DType::int64);
  const Tensor losses = take("losses");
  model.load_state_dict(arrays);  // PyTorch's names and layouts, and no others
  ASSERT_EQ(losses.numel(), 20);
  double last = 0;
  for (std::int64_t step = 0; step < losses.numel(); ++step) {
    optimizer.zero_grad();
    const Tensor loss = nll_loss(model(data[step]), labels[step].flatten(0));
    loss.backward();
    optimizer.step();
    last = loss.item();
    EXPECT_NEAR(last, losses[step].item(), 1e-4) << "step " << step;
  }
  EXPECT_LT(last, losses[0].item() * 0.8) << "the training learns";
}

TEST(LSTMLanguageModel, TwentyStepsOfTrainingAgreeWithPyTorch) {
  LSTMLanguageModel model({.vocabulary = 12, .width = 8, .hidden = 16, .layers = 2});
  optim::Adam optimizer(model.parameters(), {.lr = 0.02});
  expect_parity("lstm", model, optimizer);
}

TEST(ImageTransformer, TwentyStepsOfTrainingAgreeWithPyTorch) {
  ImageTransformer model({.image = 8,
                          .patch = 4,
                          .width = 16,
                          .heads = 2,
                          .feed_forward = 24,
                          .layers = 2,
                          .classes = 4,
                          .dropout = 0});
  optim::AdamW optimizer(model.parameters(), {.lr = 0.01});
  expect_parity("transformer", model, optimizer);
}

TEST(LSTMLanguageModel, RefusesWhatIsNoBatchOfTokens) {
  LSTMLanguageModel model({.vocabulary = 12, .width = 8, .hidden = 16});
  EXPECT_TRUE(has(error_of([&] { model(Tensor::zeros({4}, DType::int64)); }), {"LSTMLanguageModel: ", "[4]"}));
  EXPECT_TRUE(has(error_of([&] { model(Tensor::full({1, 4}, 12, DType::int64)); }), {"embedding: ", "12"}));
}

TEST(ImageTransformer, RefusesImagesThatAreNotMadeOfPatches) {
  EXPECT_TRUE(
      has(error_of([] { ImageTransformer({.image = 28, .patch = 8}); }), {"ImageTransformer: ", "28", "8"}));
}

}  // namespace
}  // namespace feral::models
