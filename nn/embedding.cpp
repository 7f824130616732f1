#include "nn/embedding.hpp"

#include <cmath>

#include "autograd/grad_mode.hpp"
#include "autograd/ops/index_check.hpp"
#include "core/fail.hpp"
#include "nn/init.hpp"
#include "nn/repr.hpp"
#include "tensor/racy.hpp"

namespace feral::nn {
namespace {

// Checks what both modules are made with; a padding_idx that counts from the end is counted from the front then.
template <class Options>
void check_options(const char* kind, std::int64_t rows, std::int64_t columns, Options& options) {
  if (rows < 1 || columns < 1)
    fail("{}: {} embeddings of dimension {}; both must be at least 1", kind, rows, columns);
  if (options.padding_idx) {
    const std::int64_t padding = *options.padding_idx;
    if (padding < -rows || padding >= rows) {
      fail("{}: padding_idx {} is no row of a table of {}", kind, padding, rows);
    }
    if (padding < 0) options.padding_idx = padding + rows;
  }
  if (options.max_norm && !(*options.max_norm > 0))
    fail("{}: max_norm {} must be positive", kind, *options.max_norm);
  if (!(options.norm_type > 0)) fail("{}: norm_type {} must be positive", kind, options.norm_type);
}

void check_sparse(const EmbeddingBagOptions& options) {
  if (options.sparse && options.mode == Bag::max)
    fail("EmbeddingBag: sparse gradients are for sum and mean, not max");
}

template <class Options>
Tensor fresh_table(std::int64_t rows, std::int64_t columns, const Options& options) {
  Tensor table = Tensor::empty({rows, columns});
  init::normal_(table);
  if (options.padding_idx) table.select(0, *options.padding_idx).zero_();
  return table;
}

void check_table(const char* kind, const Tensor& table) {
  if (!table.defined() || table.dims() != 2 || !has_gradient(table.dtype())) {
    fail("{}: expected a floating table [n, d], got {}", kind, table.to_string());
  }
}

// Scales rows of the table that are looked up down to a norm of at most `most`. The table may be live.
void renormalize(const Tensor& table, const Tensor& indices, double most, double p) {
  const NoGradGuard no_grad;
  const Tensor rows = ops::int64_index("embedding", indices).contiguous();
  const std::int64_t count = table.shape()[0];
  const std::int64_t stride = table.strides()[1];
  bool changed = false;
  ops::check_indices("embedding", rows, 0, count);  // before a row is written that other workers may see
  visit_floating(table.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < rows.numel(); ++i) {
      const std::int64_t row = rows.data<std::int64_t>()[i];
      T* const values = table.data<T>() + row * table.strides()[0];
      double sum = 0;
      for (std::int64_t j = 0; j < table.shape()[1]; ++j) {
        const double size = std::abs(static_cast<double>(racy_load(values + j * stride)));
        sum = std::isinf(p) ? std::max(sum, size) : sum + std::pow(size, p);
      }
      const double norm = std::isinf(p) ? sum : std::pow(sum, 1 / p);
      if (!(norm > most)) continue;
      changed = true;
      const T scale = static_cast<T>(most / (norm + 1e-7));
      for (std::int64_t j = 0; j < table.shape()[1]; ++j) {
        racy_store(values + j * stride, scale * racy_load(values + j * stride));
      }
    }
  });
  if (changed) table.touch();
}

template <class Options>
std::string norm_repr(const Options& options) {
  std::string text;
  if (options.max_norm) text += ", max_norm=" + repr_of(*options.max_norm);
  if (options.norm_type != 2) text += ", norm_type=" + repr_of(options.norm_type);
  return text;
}

}  // namespace

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, const EmbeddingOptions& options)
    : options_(options) {
  check_options("Embedding", num_embeddings, embedding_dim, options_);
  weight = fresh_table(num_embeddings, embedding_dim, options_);
  register_parameter("weight", weight);
}

Embedding::Embedding(const Tensor& table, const EmbeddingOptions& options) : weight(table), options_(options) {
  check_options("Embedding", table.shape()[0], table.shape()[1], options_);
  register_parameter("weight", weight);
}

std::shared_ptr<Embedding> Embedding::from_pretrained(const Tensor& weight, bool freeze,
                                                      const EmbeddingOptions& options) {
  check_table("Embedding", weight);
  std::shared_ptr<Embedding> module(new Embedding(weight.detach(), options));
  module->requires_grad_(!freeze);
  return module;
}

Tensor Embedding::forward(const Tensor& indices) {
  if (options_.max_norm && indices.defined()) renormalize(weight, indices, *options_.max_norm, options_.norm_type);
  return embedding(weight, indices, {.padding_idx = options_.padding_idx.value_or(-1), .sparse = options_.sparse});
}

std::string Embedding::extra_repr() const {
  std::string text = fmt::format("{}, {}", weight.shape()[0], weight.shape()[1]);
  if (options_.padding_idx) text += fmt::format(", padding_idx={}", *options_.padding_idx);
  return text + norm_repr(options_) + (options_.sparse ? ", sparse=True" : "");
}

EmbeddingBag::EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim,
                           const EmbeddingBagOptions& options)
    : options_(options) {
  check_options("EmbeddingBag", num_embeddings, embedding_dim, options_);
  check_sparse(options_);
  weight = fresh_table(num_embeddings, embedding_dim, options_);
  register_parameter("weight", weight);
}

EmbeddingBag::EmbeddingBag(const Tensor& table, const EmbeddingBagOptions& options)
    : weight(table), options_(options) {
  check_options("EmbeddingBag", table.shape()[0], table.shape()[1], options_);
  check_sparse(options_);
  register_parameter("weight", weight);
}

std::shared_ptr<EmbeddingBag> EmbeddingBag::from_pretrained(const Tensor& weight, bool freeze,
                                                            const EmbeddingBagOptions& options) {
  check_table("EmbeddingBag", weight);
  std::shared_ptr<EmbeddingBag> module(new EmbeddingBag(weight.detach(), options));
  module->requires_grad_(!freeze);
  return module;
}

Tensor EmbeddingBag::forward(const Tensor& indices, const Tensor& offsets, const Tensor& per_sample_weights) {
  if (options_.max_norm && indices.defined()) renormalize(weight, indices, *options_.max_norm, options_.norm_type);
  return embedding_bag(weight, indices, offsets,
                       {.mode = options_.mode,
                        .include_last_offset = options_.include_last_offset && offsets.defined(),
                        .padding_idx = options_.padding_idx.value_or(-1),
                        .sparse = options_.sparse},
                       per_sample_weights);
}

std::string EmbeddingBag::extra_repr() const {
  constexpr const char* modes[] = {"sum", "mean", "max"};
  std::string text = fmt::format("{}, {}", weight.shape()[0], weight.shape()[1]) + norm_repr(options_) +
                     fmt::format(", mode='{}'", modes[static_cast<std::size_t>(options_.mode)]);
  if (options_.padding_idx) text += fmt::format(", padding_idx={}", *options_.padding_idx);
  return text;
}

}  // namespace feral::nn
