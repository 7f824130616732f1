// The bag-of-words classifier: twenty training steps beside PyTorch's (tests/fixtures/parity/embedding_bag.py).
#include "models/embedding_bag.hpp"

#include <gtest/gtest.h>

#include "autograd/ops/classification.hpp"
#include "optim/sgd.hpp"
#include "tensor/npz.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::models {
namespace {

using testing_support::contains;
using testing_support::error_of;

constexpr EmbeddingBagOptions options = {.vocabulary = 40, .width = 8, .classes = 4};

TEST(EmbeddingBagParity, TwentyStepsOfTrainingAgreeWithPyTorch) {
  auto arrays = load_npz(FERAL_SOURCE_DIR "/tests/fixtures/parity/embedding_bag.npz");
  const auto take = [&](const char* name, DType dtype) {
    const Tensor result = arrays.at(name).to(dtype);
    arrays.erase(name);
    return result;
  };
  const Tensor tokens = take("tokens", DType::int64);
  const Tensor offsets = take("offsets", DType::int64);
  const Tensor labels = take("labels", DType::int64);
  const Tensor losses = take("losses", DType::float64);
  EmbeddingBagClassifier model(options);
  model.load_state_dict(arrays);  // PyTorch's names and layouts, and no others
  optim::SGD optimizer(model.parameters(), {.lr = 0.5, .momentum = 0.9});
  ASSERT_EQ(losses.numel(), 20);
  double last = 0;
  for (std::int64_t step = 0; step < losses.numel(); ++step) {
    optimizer.zero_grad();
    const Tensor loss = nll_loss(model.forward(tokens[step], offsets[step]), labels[step]);
    loss.backward();
    optimizer.step();
    last = loss.item();
    EXPECT_NEAR(last, losses[step].item(), 1e-4) << "step " << step;
  }
  EXPECT_LT(last, losses[0].item() / 2) << "the training learns";
}

TEST(EmbeddingBagClassifier, ReadsRowsAsTexts) {
  EmbeddingBagClassifier model(options);
  const Tensor tokens = Tensor::arange(6);
  const Tensor rows = model(tokens.reshape({2, 3}));
  const Tensor texts = model.forward(tokens, Tensor::from_vector<std::int64_t>({0, 3}, {2}));
  EXPECT_EQ(rows.shape(), (Shape{2, 4}));
  EXPECT_TRUE(rows.equal(texts));
  EXPECT_TRUE(rows.exp().sum(1).allclose(Tensor::ones({2})));
}

TEST(EmbeddingBagClassifier, RefusesSizesOutOfRange) {
  EXPECT_TRUE(contains(error_of([] { EmbeddingBagClassifier({.vocabulary = 0}); }), "a vocabulary of 0"));
  EXPECT_TRUE(contains(error_of([] { EmbeddingBagClassifier({.width = 0}); }), "vectors of 0"));
  EmbeddingBagClassifier model(options);
  EXPECT_TRUE(contains(error_of([&] { model(Tensor::full({1, 2}, 40, DType::int64)); }), "40"));
}

}  // namespace
}  // namespace feral::models
