// The bag-of-words classifier: twenty training steps beside PyTorch's (tests/fixtures/parity/embedding_bag.py).
#include "models/embedding_bag.hpp"

#include <gtest/gtest.h>

#include "autograd/ops/classification.hpp"
#include "optim/sgd.hpp"
#include "tensor/generator.hpp"
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

TEST(EmbeddingBagClassifier, LeavesPaddingOut) {
  manual_seed(4);
  EmbeddingBagClassifier model({.vocabulary = 40, .width = 8, .padding_idx = 0});
  const Tensor padded = Tensor::from_vector<std::int64_t>({7, 3, 0, 0, 5, 0, 0, 0}, {2, 4});
  const Tensor texts = model.forward(Tensor::from_vector<std::int64_t>({7, 3, 5}, {3}),
                                     Tensor::from_vector<std::int64_t>({0, 2}, {2}));
  EXPECT_TRUE(model(padded).allclose(texts));
}

TEST(EmbeddingBagClassifier, MayGatherTheRowsOfABatchAlone) {
  manual_seed(4);
  EmbeddingBagClassifier sparse({.vocabulary = 40, .width = 8, .sparse = true});
  EmbeddingBagClassifier dense({.vocabulary = 40, .width = 8});
  dense.load_state_dict(sparse.state_dict());
  const Tensor tokens = Tensor::from_vector<std::int64_t>({7, 3, 3, 1}, {2, 2});
  const Tensor target = Tensor::from_vector<std::int64_t>({1, 2}, {2});
  nll_loss(sparse(tokens), target).backward();
  nll_loss(dense(tokens), target).backward();
  const Tensor table = sparse.named_parameters().front().tensor;
  EXPECT_FALSE(table.grad().defined());
  EXPECT_EQ(table.sparse_grad().rows.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 3, 7}));
  const Tensor whole = dense.named_parameters().front().tensor.grad();
  EXPECT_TRUE(table.sparse_grad().values.allclose(whole.index_select(0, table.sparse_grad().rows)));
}

TEST(EmbeddingBagClassifier, RefusesSizesOutOfRange) {
  EXPECT_TRUE(
      contains(error_of([] { EmbeddingBagClassifier({.vocabulary = 0}); }), "0 embeddings of dimension 64"));
  EXPECT_TRUE(contains(error_of([] { EmbeddingBagClassifier({.classes = 0}); }), "Linear"));
  EmbeddingBagClassifier model(options);
  EXPECT_TRUE(contains(error_of([&] { model(Tensor::full({1, 2}, 40, DType::int64)); }), "40"));
}

}  // namespace
}  // namespace feral::models
