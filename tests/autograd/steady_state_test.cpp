// Law 5: a training step after warm-up asks the heap for nothing. Two counters watch it: the caching allocator's,
// and one over malloc itself, which sees what std::vector, std::function and the libraries take.
#include <cblas.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "autograd/ops/choice.hpp"
#include "autograd/ops/classification.hpp"
#include "autograd/ops/convolution.hpp"
#include "autograd/ops/einsum.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/linalg.hpp"
#include "autograd/ops/pooling.hpp"
#include "models/embedding_bag.hpp"
#include "models/lenet.hpp"
#include "models/lstm_lm.hpp"
#include "models/resnet.hpp"
#include "models/transformer.hpp"
#include "nn/activation.hpp"
#include "nn/attention.hpp"
#include "nn/bilinear.hpp"
#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/layer_norm.hpp"
#include "nn/loss.hpp"
#include "nn/packed_sequence.hpp"
#include "nn/pooling.hpp"
#include "nn/recurrent_cells.hpp"
#include "nn/reshaping.hpp"
#include "optim/adam.hpp"
#include "optim/clip_grad.hpp"
#include "optim/ema.hpp"
#include "optim/schedules.hpp"
#include "optim/sgd.hpp"
#include "tensor/allocator.hpp"
#include "tests/tensor/operands.hpp"

namespace {

thread_local std::uint64_t mallocs = 0;

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// The sanitizers own malloc and offer a hook.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, std::size_t),
                                                         void (*free_hook)(const volatile void*));
namespace {
const int hooked = __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) { ++mallocs; },
                                                             [](const volatile void*) {});
}  // namespace
#else
// glibc lets a program put its own malloc in front of its; operator new comes through here as well.
extern "C" void* __libc_malloc(std::size_t bytes);
extern "C" void* __libc_calloc(std::size_t count, std::size_t bytes);
extern "C" void* __libc_realloc(void* block, std::size_t bytes);
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t bytes);
extern "C" void* malloc(std::size_t bytes) {
  ++mallocs;
  return __libc_malloc(bytes);
}
extern "C" void* calloc(std::size_t count, std::size_t bytes) {
  ++mallocs;
  return __libc_calloc(count, bytes);
}
extern "C" void* realloc(void* block, std::size_t bytes) {
  ++mallocs;
  return __libc_realloc(block, bytes);
}
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++mallocs;
  return __libc_memalign(alignment, bytes);
}
namespace {
const int hooked = 1;
}  // namespace
#endif

namespace feral {
namespace {

using testing_support::Numbers;

TEST(SteadyState, TheCounterSeesTheHeap) {
  ASSERT_NE(hooked, 0);
  const std::uint64_t before = mallocs;
  std::vector<int> grown(1000);
  EXPECT_GT(mallocs, before);
  const std::uint64_t between = mallocs;
  deallocate_block(allocate_block(std::size_t{1} << 22), std::size_t{1} << 22);
  EXPECT_GT(mallocs, between);
  EXPECT_EQ(grown.size(), 1000U);
  release_cached_blocks();
}

// Heap allocations of 20 steps after 3 to warm up.
template <class Step>
void expect_no_allocation(Step&& step) {
  openblas_set_num_threads(1);  // as workers run; with more, OpenBLAS allocates its job lists at every call
  for (int i = 0; i < 3; ++i) step();
  const std::uint64_t mallocs_before = mallocs;
  const AllocatorStatistics before = allocator_statistics();
  for (int i = 0; i < 20; ++i) step();
  const std::uint64_t mallocs_after = mallocs;
  const AllocatorStatistics after = allocator_statistics();
  EXPECT_EQ(after.heap_allocations - before.heap_allocations, 0U);
  EXPECT_EQ(mallocs_after - mallocs_before, 0U);
  EXPECT_GT(after.requests, before.requests);
  EXPECT_EQ(after.cached_bytes, before.cached_bytes);
}

TEST(SteadyState, ATrainingStepOfLeNetAllocatesNothing) {
  manual_seed(1);
  models::LeNet model;
  optim::SGD optimizer(model.parameters(), {.lr = 0.01, .momentum = 0.5, .weight_decay = 1e-4});
  Numbers numbers(81);
  const Tensor x = numbers.tensor<float>({16, 1, 28, 28});
  const Tensor target = numbers.tensor<std::int64_t>({16}, 0, 10);
  expect_no_allocation([&] {
    optimizer.zero_grad();
    nll_loss(model(x), target).backward();
    optimizer.step();
  });
}

TEST(SteadyState, NeitherDoAdamAScheduleClippingAndAnAverageOfWeights) {
  manual_seed(1);
  models::LeNet model;
  optim::Adam optimizer(model.parameters(), {.lr = 0.01, .amsgrad = true});
  optim::EMA average(model.parameters());
  const optim::LRSchedule schedule =
      optim::WarmupLR{.steps = 10, .then = optim::OneCycleLR{.max_lr = 0.01, .total_steps = 100}};
  Numbers numbers(85);
  const Tensor x = numbers.tensor<float>({16, 1, 28, 28});
  const Tensor target = numbers.tensor<std::int64_t>({16}, 0, 10);
  std::uint64_t step = 0;
  expect_no_allocation([&] {
    optimizer.zero_grad();
    nll_loss(model(x), target).backward();
    optim::clip_grad_norm_(optimizer.parameters(), 1);
    optim::clip_grad_value_(optimizer.parameters(), 0.1);
    schedule.apply(optimizer, step++);
    optimizer.step();
    average.update();
  });
}

TEST(SteadyState, NeitherDoesAResidualNetwork) {
  manual_seed(1);
  models::ResNet model({.channels = {4, 8}});
  optim::SGD optimizer(model.parameters(), {.lr = 0.01, .momentum = 0.5});
  Numbers numbers(85);
  const Tensor x = numbers.tensor<float>({8, 1, 14, 14});
  const Tensor target = numbers.tensor<std::int64_t>({8}, 0, 10);
  expect_no_allocation([&] {
    optimizer.zero_grad();
    nll_loss(model(x), target).backward();
    optimizer.step();
  });
}

TEST(SteadyState, NorDoLayersOfAllKinds) {
  nn::Embedding embedding(20, 6, {.padding_idx = 0, .max_norm = 1});
  nn::EmbeddingBag bag(20, 6);
  nn::Bilinear bilinear(6, 6, 4);
  nn::LayerNorm layer_norm(4);
  nn::RMSNorm rms_norm(4);
  nn::BatchNorm1d batch_norm(4);
  nn::Sequential images(
      std::make_shared<nn::Conv2d>(2, 4, 3, nn::Conv2dOptions{.padding = "same"}),
      std::make_shared<nn::GroupNorm>(2, 4), std::make_shared<nn::AvgPool2d>(2),
      std::make_shared<nn::Conv2d>(4, 4, 2, nn::Conv2dOptions{.padding = "same"}),
      std::make_shared<nn::InstanceNorm2d>(4, nn::InstanceNormOptions{.track_running_stats = true}),
      std::make_shared<nn::PixelShuffle>(2), std::make_shared<nn::ConvTranspose2d>(1, 2, 2),
      std::make_shared<nn::Upsample>(InterpolateOptions{.scale = 2}), std::make_shared<nn::AdaptiveAvgPool2d>(2),
      std::make_shared<nn::Flatten>());
  Numbers numbers(86);
  const Tensor rows = numbers.tensor<std::int64_t>({5, 3}, 0, 20);
  const Tensor x = numbers.tensor<float>({5, 2, 8, 8});
  std::vector<Tensor> parameters;
  for (nn::Module* module : std::initializer_list<nn::Module*>{&embedding, &bag, &bilinear, &layer_norm, &rms_norm,
                                                               &batch_norm, &images}) {
    for (const Tensor& parameter : module->parameters()) parameters.push_back(parameter);
  }
  expect_no_allocation([&] {
    const Tensor words = bilinear.forward(embedding(rows).mean(1), bag(rows));
    const Tensor normal = batch_norm(rms_norm(layer_norm(words)));
    (normal.square().sum() + images(x).sum()).backward();
    for (const Tensor& parameter : parameters) parameter.set_grad({});
  });
}

TEST(SteadyState, NeitherDoesALanguageModel) {
  manual_seed(1);
  models::LSTMLanguageModel model({.vocabulary = 40, .width = 16, .hidden = 24, .layers = 2, .dropout = 0.1});
  optim::SGD optimizer(model.parameters(), {.lr = 0.01, .momentum = 0.5});
  Numbers numbers(91);
  const Tensor tokens = numbers.tensor<std::int64_t>({4, 11}, 0, 40);
  const Tensor target = numbers.tensor<std::int64_t>({44}, 0, 40);
  expect_no_allocation([&] {
    optimizer.zero_grad();
    nll_loss(model(tokens), target).backward();
    optimizer.step();
  });
}

TEST(SteadyState, NeitherDoesATransformer) {
  manual_seed(1);
  models::ImageTransformer model({.dropout = 0.1});
  optim::SGD optimizer(model.parameters(), {.lr = 0.01, .momentum = 0.5});
  Numbers numbers(92);
  const Tensor x = numbers.tensor<float>({4, 1, 28, 28});
  const Tensor target = numbers.tensor<std::int64_t>({4}, 0, 10);
  expect_no_allocation([&] {
    optimizer.zero_grad();
    nll_loss(model(x), target).backward();
    optimizer.step();
  });
}

TEST(SteadyState, NeitherDoesABagOfWordsWithSparseGradients) {
  manual_seed(1);
  models::EmbeddingBagClassifier model({.vocabulary = 500, .width = 16, .padding_idx = 0, .sparse = true});
  optim::SGD optimizer(model.parameters(), {.lr = 0.01});
  Numbers numbers(94);
  const Tensor tokens = numbers.tensor<std::int64_t>({32, 12}, 0, 500);
  const Tensor target = numbers.tensor<std::int64_t>({32}, 0, 4);
  expect_no_allocation([&] {
    optimizer.zero_grad();
    nll_loss(model(tokens), target).backward();
    optimizer.step();
  });
}

TEST(SteadyState, NorDoPackedSequencesCellsAndAttention) {
  manual_seed(1);
  nn::GRU gru(3, 8, {.num_layers = 2, .dropout = 0.2, .bidirectional = true});
  nn::LSTMCell cell(16, 8);
  nn::MultiheadAttention attention(8, 2, {.dropout = 0.2});
  nn::TransformerDecoderLayer decoder(8, 2, {.dim_feedforward = 16});
  Numbers numbers(93);
  std::vector<Tensor> parameters;
  for (nn::Module* module : std::initializer_list<nn::Module*>{&gru, &cell, &attention, &decoder}) {
    for (const Tensor& parameter : module->parameters()) parameters.push_back(parameter);
  }
  const Tensor x = numbers.tensor<float>({5, 3, 3});
  const Tensor lengths = Tensor::from_vector<std::int64_t>({2, 5, 4}, {3});
  const Tensor padding = numbers.tensor<float>({3, 5}).gt(0.5);
  expect_no_allocation([&] {
    const auto packed = gru.forward(nn::pack_padded_sequence(x, lengths, {.enforce_sorted = false}));
    const Tensor states = nn::pad_packed_sequence(packed.output).padded;
    const nn::LSTMState state = cell.forward(states.select(0, 0), nn::LSTMState());
    const Tensor seen = states.narrow(2, 0, 8);
    const auto looked = attention.forward(seen, seen, seen, {.key_padding_mask = padding});
    const Tensor decoded = decoder.forward(looked.output, seen, {.tgt_is_causal = true});
    (decoded.sum() + looked.weights.sum() + state.cell.sum() + packed.h_n.sum()).backward();
    for (const Tensor& parameter : parameters) parameter.set_grad({});
  });
}

TEST(SteadyState, NeitherDoesAnEvaluation) {
  models::LeNet model;
  model.eval();
  Numbers numbers(82);
  const Tensor x = numbers.tensor<float>({16, 1, 28, 28});
  expect_no_allocation([&] {
    const NoGradGuard no_grad;
    (void)model(x).argmax(1).data<std::int64_t>();
  });
}

TEST(SteadyState, NorAGradientOfAGradient) {
  Numbers numbers(83);
  const Tensor x = numbers.tensor<float>({4, 5}).set_requires_grad(true);
  expect_no_allocation([&] {
    (x.exp() * x).sum().backward({}, false, true);
    const Tensor first = x.grad();
    x.set_grad({});
    (first * first).sum().backward();
    x.set_grad({});
  });
}

TEST(SteadyState, NorDoProductsAndLinearAlgebra) {
  Numbers numbers(84);
  const Tensor x = numbers.tensor<float>({3, 5, 5}).set_requires_grad(true);
  const Tensor y = numbers.tensor<float>({3, 5, 2});
  const Tensor symmetric = x.matmul(x.transpose(1, 2)).detach();
  const Tensor shifted = symmetric.affine(1, 0.5).detach();
  expect_no_allocation([&] {
    const auto [q, r] = linalg::qr(x);
    const auto [u, s, vh] = linalg::svd(x);
    const auto [values, vectors] = linalg::eigh(symmetric);
    (void)linalg::cholesky(shifted);
    (linalg::solve(x, y).sum() + linalg::det(x).sum() + linalg::slogdet(x).logabsdet.sum() +
     linalg::inv(x).matmul(q).sum() + linalg::pinv(x).sum() + linalg::lstsq(x, y).sum() + s.sum() +
     einsum("bij,bjk,ck->ic", {x, y, vh.narrow(2, 0, 2).select(0, 0)}).sum() + (r * u).sum())
        .backward();
    x.set_grad({});
  });
}

TEST(SteadyState, NorDoLosses) {
  Numbers numbers(85);
  const Tensor x = numbers.tensor<float>({8, 5}).set_requires_grad(true);
  const Tensor y = numbers.tensor<float>({8, 5}, 0.1, 0.9);
  const Tensor image = numbers.tensor<float>({2, 5, 2, 2}).set_requires_grad(true);
  const Tensor labels = numbers.tensor<std::int64_t>({8}, 0, 5);
  const Tensor places = labels.reshape({2, 2, 2});
  const Tensor spoken = numbers.tensor<std::int64_t>({1, 2}, 1, 5);
  const Tensor steps = Tensor::full({1}, 8, DType::int64);
  const Tensor lengths = Tensor::full({1}, 2, DType::int64);
  const nn::CrossEntropyLossOptions options = {.weight = y[0].clone(), .label_smoothing = 0.1};
  const nn::NLLLossOptions weighted = {.weight = y[0].clone(), .ignore_index = 0};
  expect_no_allocation([&] {
    (nn::cross_entropy(x, labels) + nn::cross_entropy(x, labels, options) + nn::cross_entropy(image, places) +
     nll_loss(x, labels, weighted) + nn::mse_loss(x, y) + nn::huber_loss(x, y) +
     nn::binary_cross_entropy(x.sigmoid(), y) + nn::binary_cross_entropy_with_logits(x, y) + nn::kl_div(x, y) +
     nn::multi_margin_loss(x, labels) + nn::triplet_margin_loss(x, y, y.flip(0)) +
     nn::ctc_loss(x.log_softmax(1).unsqueeze(1), spoken, steps, lengths))
        .backward();
    x.set_grad({});
    image.set_grad({});
  });
}

TEST(SteadyState, NorDoActivationsAndDropouts) {
  Numbers numbers(86);
  const Tensor x = numbers.tensor<float>({4, 6, 2}).set_requires_grad(true);
  nn::PReLU prelu({.num_parameters = 6});
  nn::AlphaDropout alpha(0.3);
  nn::Dropout1d channels(0.3);
  expect_no_allocation([&] {
    const Tensor y = prelu(x) + nn::selu(x) + nn::celu(x, 0.5) + nn::softplus(x, 2, 3) + nn::softsign(x) +
                     nn::softshrink(x) + nn::hardshrink(x) + nn::hardswish(x) + nn::threshold(x, 0, 1) +
                     nn::tanhshrink(x) + nn::softmin(x, 1) + alpha(x) + channels(x);
    (y.sum() + nn::glu(x, 1).sum()).backward();
    x.set_grad({});
    prelu.weight.set_grad({});
  });
}

TEST(SteadyState, NorALoopOfThirtyDifferentOps) {
  Numbers numbers(84);
  const Tensor x = numbers.tensor<float>({8, 12});
  const Tensor y = numbers.tensor<float>({12});
  const Tensor images = numbers.tensor<float>({2, 3, 8, 8});
  const Tensor filters = numbers.tensor<float>({4, 3, 3, 3});
  const Tensor rows = Tensor::from_vector<std::int64_t>({3, 0, 3}, {3});
  const Tensor total = Tensor::zeros({8, 12});
  const NoGradGuard no_grad;
  expect_no_allocation([&] {
    const Tensor a = x + y;
    const Tensor b = a * x - y / 3;
    total.add_(b.tanh()).mul_(0.5);
    const Tensor gates = b.sigmoid() * a.exp().clamp(0, 4).sqrt();
    const Tensor chosen = where(gates.gt(0.5), a.maximum(b), x.gelu());
    const Tensor scaled = chosen.softmax(1).log_softmax(0);
    const Tensor moments = scaled.var({0, 1}) + scaled.mean() + scaled.sum(0).amax(0) + scaled.logsumexp({0, 1});
    const Tensor product = x.matmul(x.transpose(0, 1)).cumsum(0).permute({1, 0}).contiguous();
    const Tensor picked = product.index_select(0, rows).slice(1, 0, 8, 2).flip(1);
    const Tensor order = picked.argmax(1).to(DType::float32).norm();
    const Tensor joined = cat({x, a}, 0).sort(1).values.topk(3).values.prod(1);
    const Tensor pixels = max_pool2d(conv2d(images, filters, {}, {.padding = 1})).flatten(1);
    EXPECT_EQ((moments + order + joined.sum() + pixels.std() + y.dot(y)).numel(), 1);
  });
}

}  // namespace
}  // namespace feral
