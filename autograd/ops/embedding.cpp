#include "autograd/ops/embedding.hpp"

#include "autograd/engine.hpp"
#include "autograd/ops/check.hpp"
#include "autograd/ops/gather.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/index_check.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/masked.hpp"
#include "tensor/gradient_extras.hpp"

namespace feral::ops {
namespace {

// The gradient of a table of shape [n, d] whose rows `rows` [...] met `gradient` [..., d].
Tensor table_gradient(const Shape& table, const Tensor& rows, const Tensor& gradient) {
  const IndexAdd::Attributes attributes{{.first = 0, .count = 1, .caller = "embedding"}, table};
  return apply<IndexAdd>(attributes, Tensor(), rows, gradient);
}

void check_sparse(std::string_view op, const Tensor& weight) {
  check_floating(op, weight);
  if (weight.requires_grad() && !weight.is_leaf()) {
    fail("{}: sparse gradients are for a weight that is a leaf, this one of shape {} was made by an op", op,
         weight.shape().to_string());
  }
}

// Adds to the sparse gradient of `table`: row rows[i] gets line source[i] (or i) of `lines`, times scales[i].
void add_sparse(std::string_view op, const Tensor& table, const Tensor& rows, const Tensor& source,
                const Tensor& scales, const Tensor& lines, std::int64_t padding) {
  if (GradMode::enabled()) fail("{}: a sparse gradient has no gradient of its own (create_graph)", op);
  if (collects_answers()) fail("{}: autograd::grad does not see sparse gradients; use backward()", op);
  const GradientExtras* extras = table.impl()->extras;
  if (extras != nullptr && !extras->hooks.empty()) {
    fail("{}: the table has hooks, which do not see sparse gradients; remove them, or leave sparse off", op);
  }
  const auto merge = [&](const Tensor& at, const Tensor& from, const Tensor& factors, const Tensor& what,
                         std::int64_t without) {
    const Tensor merged = Tensor::empty({at.numel()}, DType::int64);
    const Tensor sums = Tensor::empty({at.numel(), what.shape()[1]}, what.dtype());
    const std::int64_t count = kernels(what.device()).merge_rows(merged, sums, at, from, factors, what, without);
    return SparseGradient{merged.narrow(0, 0, count), sums.narrow(0, 0, count)};
  };
  SparseGradient sum = merge(rows, source, scales, lines.contiguous(), padding);
  if (const SparseGradient before = table.sparse_grad(); before.defined()) {
    sum = merge(cat({before.rows, sum.rows}), {}, {}, cat({before.values, sum.values}), -1);
  }
  table.set_sparse_grad(sum);
}

void check_padding(std::string_view op, std::int64_t padding, const Tensor& weight) {
  if (padding < -1 || padding >= weight.shape()[0]) {
    fail("{}: padding_idx {} is no row of a table of shape {}", op, padding, weight.shape().to_string());
  }
}

Tensor rows_of(const Tensor& table, const Tensor& rows) {
  return apply<Pick>({.first = 0, .count = 1, .caller = "embedding_bag"}, table, rows);
}

// Where the indices stand that take part, and the bag of each.
struct BagEntries {
  Tensor places;  // in `indices`
  Tensor bags;
  Tensor rows;    // indices[places]
  Tensor counts;  // a bag
};

// Bags must be stretches of the `count` indices, one behind the other from 0 on. Checked again on the way back: a
// tensor that an op has saved may have been written since, and the kernels trust it.
void check_bounds(const Tensor& bounds, std::int64_t count) {
  constexpr std::string_view op = EmbeddingBag::name;
  check_indices(op, bounds, 0, count + 1);
  const std::int64_t bags = bounds.numel() - 1;
  if (bags < 0) fail("{}: no end of the last bag among the offsets", op);
  const std::int64_t step = bounds.strides()[0];
  const std::int64_t* bound = bounds.data<std::int64_t>();
  if (bound[0] != 0) fail("{}: the first offset is {}, not 0", op, bound[0]);
  for (std::int64_t b = 0; b < bags; ++b) {
    if (bound[(b + 1) * step] < bound[b * step]) {
      fail("{}: offset {} at position {} is less than {} before it", op, bound[(b + 1) * step], b + 1,
           bound[b * step]);
    }
  }
}

BagEntries entries_of(const Tensor& indices, const Tensor& bounds, std::int64_t padding) {
  check_bounds(bounds, indices.numel());
  const Kernels& device = kernels(indices.device());
  BagEntries entries;
  entries.counts = Tensor::empty({bounds.numel() - 1}, DType::int64);
  device.bag_counts(entries.counts, indices, bounds, padding);
  std::int64_t total = 0;
  for (std::int64_t b = 0; b < entries.counts.numel(); ++b) total += entries.counts.data<std::int64_t>()[b];
  entries.places = Tensor::empty({total}, DType::int64);
  entries.bags = Tensor::empty({total}, DType::int64);
  device.bag_entries(entries.places, entries.bags, indices, bounds, padding);
  entries.rows = rows_of(indices, entries.places);
  return entries;
}

// The elements of max came from rows `winners` [bags, d], but in empty bags.
Tensor max_gradient(const Shape& table, const Tensor& winners, const BagEntries& entries, const Tensor& gradient) {
  const Tensor full = apply<Nonzero>({.flat = true}, entries.counts);
  const ScatterAdd::Attributes attributes{{.dim = 0}, table};
  return apply<ScatterAdd>(attributes, Tensor(), rows_of(winners, full), rows_of(gradient, full));
}

Tensor as_column(const Tensor& x) { return x.reshape({x.numel(), 1}); }

}  // namespace

Result Embedding::infer(const Attributes& attributes, const Tensor& weight, const Tensor& indices) {
  check_dims(name, "the table", weight, 2);
  check_padding(name, attributes.padding_idx, weight);
  if (attributes.sparse) check_sparse(name, weight);
  check_indices(name, indices, 0, weight.shape()[0]);
  return {picked_shape(weight.shape(), indices.shape(), 0, 1), weight.dtype(), weight.device()};
}

void Embedding::run(const Attributes&, const Tensor& out, Aux<Embedding>&, const Tensor& weight,
                    const Tensor& indices) {
  kernels(out.device()).index(out, weight, indices.contiguous(), 0);
}

Gradients<2> Embedding::gradient(const Saved<Embedding>& saved, const Tensor& gradient) {
  const Tensor& indices = saved.input(1);
  const std::int64_t padding = saved.attributes().padding_idx;
  if (saved.attributes().sparse) {
    const Tensor rows = indices.reshape({-1}).contiguous();
    add_sparse(name, saved.leaf(0), rows, {}, {}, gradient.reshape({rows.numel(), saved.input_shape(0)[1]}),
               padding);
    return {};
  }
  if (padding < 0) return {table_gradient(saved.input_shape(0), indices, gradient), Tensor()};
  // Only what is not padding: a 0 in the place of its gradient would keep a NaN.
  const Tensor rows = indices.reshape({-1});
  const Tensor kept =
      apply<Nonzero>({.flat = true}, rows.ne(Tensor::full({}, static_cast<double>(padding), DType::int64)));
  const Tensor lines = gradient.reshape({rows.numel(), saved.input_shape(0)[1]});
  return {table_gradient(saved.input_shape(0), rows_of(rows, kept), rows_of(lines, kept)), Tensor()};
}

Result EmbeddingBag::infer(const Attributes& attributes, const Tensor& weight, const Tensor& indices,
                           const Tensor& bounds, const Tensor& scales) {
  check_floating(name, weight);
  check_dims(name, "the table", weight, 2);
  check_dims(name, "the indices", indices, 1);
  check_dims(name, "the offsets", bounds, 1);
  check_padding(name, attributes.padding_idx, weight);
  if (attributes.sparse) {
    check_sparse(name, weight);
    if (attributes.mode == Bag::max) fail("{}: sparse gradients are for Bag::sum and Bag::mean", name);
  }
  check_indices(name, indices, 0, weight.shape()[0]);
  check_bounds(bounds, indices.numel());
  const std::int64_t bags = bounds.numel() - 1;
  if (scales.defined()) {
    check_same_dtype(name, weight, scales);
    if (attributes.mode != Bag::sum) fail("{}: per_sample_weights are for Bag::sum alone", name);
    if (!(scales.shape() == indices.shape())) {
      fail("{}: per_sample_weights of shape {} do not fit indices of shape {}", name, scales.shape().to_string(),
           indices.shape().to_string());
    }
  }
  return {{bags, weight.shape()[1]}, weight.dtype(), weight.device()};
}

void EmbeddingBag::run(const Attributes& attributes, const Tensor& out, Aux<EmbeddingBag>& aux,
                       const Tensor& weight, const Tensor& indices, const Tensor& bounds, const Tensor& scales) {
  const NoGradGuard no_grad;
  if (aux.wanted && attributes.mode == Bag::max) aux[0] = Tensor::empty(out.shape(), DType::int64);
  const BagKernel kernel = attributes.mode == Bag::sum    ? BagKernel::sum
                           : attributes.mode == Bag::mean ? BagKernel::mean
                                                          : BagKernel::max;
  kernels(out.device())
      .embedding_bag(kernel, out, aux[0], weight, indices.contiguous(), bounds.contiguous(),
                     scales.defined() ? scales.contiguous() : scales, attributes.padding_idx);
}

Gradients<4> EmbeddingBag::gradient(const Saved<EmbeddingBag>& saved, const Tensor& gradient) {
  const Bag mode = saved.attributes().mode;
  const Tensor& scales = saved.input(3);
  const BagEntries entries =
      entries_of(saved.input(1).contiguous(), saved.input(2).contiguous(), saved.attributes().padding_idx);
  Gradients<4> result;
  if (saved.needs(0) && mode == Bag::max) {
    result[0] = max_gradient(saved.input_shape(0), saved.aux(0), entries, gradient);
  } else if (saved.needs(0)) {
    Tensor share = gradient;
    if (mode == Bag::mean) {
      const Tensor counts = entries.counts.masked_fill(entries.counts.eq(0), 1);
      share = gradient.div(as_column(counts.to(gradient.dtype())));
    }
    const Tensor factors = scales.defined() ? rows_of(scales, entries.places) : Tensor();
    if (saved.attributes().sparse) {
      add_sparse(name, saved.leaf(0), entries.rows, entries.bags, factors, share, -1);
    } else {
      Tensor lines = rows_of(share, entries.bags);
      if (scales.defined()) lines = lines.mul(as_column(factors));
      result[0] = table_gradient(saved.input_shape(0), entries.rows, lines);
    }
  }
  if (saved.needs(3)) {
    // d/d scale = the row's product with its bag's gradient; 0 for what took no part.
    const Tensor products = rows_of(saved.input(0), entries.rows).mul(rows_of(gradient, entries.bags)).sum({1});
    result[3] = table_gradient(saved.input_shape(3), entries.places, products);
  }
  return result;
}

}  // namespace feral::ops

namespace feral {

Tensor embedding(const Tensor& weight, const Tensor& indices, const EmbeddingOptions& options) {
  return apply<ops::Embedding>({.padding_idx = options.padding_idx, .sparse = options.sparse}, weight,
                               ops::int64_index(ops::Embedding::name, indices));
}

Tensor embedding_bag(const Tensor& weight, const Tensor& indices, const Tensor& offsets,
                     const EmbeddingBagOptions& options, const Tensor& per_sample_weights) {
  constexpr std::string_view op = ops::EmbeddingBag::name;
  Tensor flat = ops::int64_index(op, indices);
  Tensor scales = per_sample_weights;
  Tensor bounds;
  if (!offsets.defined()) {
    if (flat.dims() != 2) {
      fail("{}: without offsets the indices must have two dimensions, got {}", op, indices.to_string());
    }
    const std::int64_t bags = flat.shape()[0];
    const std::int64_t length = flat.shape()[1];
    bounds = Tensor::empty({bags + 1}, DType::int64);
    for (std::int64_t b = 0; b <= bags; ++b) bounds.data<std::int64_t>()[b] = b * length;
    if (scales.defined() && scales.shape() == flat.shape()) scales = scales.reshape({flat.numel()});
    flat = flat.reshape({flat.numel()});
  } else {
    const Tensor begins = ops::int64_index(op, offsets);
    ops::check_dims(op, "the indices", flat, 1);
    ops::check_dims(op, "the offsets", begins, 1);
    bounds = begins;
    if (!options.include_last_offset) {
      bounds = Tensor::empty({begins.numel() + 1}, DType::int64);
      bounds.narrow(0, 0, begins.numel()).copy_(begins);
      bounds.data<std::int64_t>()[begins.numel()] = flat.numel();
      if (begins.numel() == 0) bounds.data<std::int64_t>()[0] = 0;
    }
  }
  return apply<ops::EmbeddingBag>(
      {.mode = options.mode, .padding_idx = options.padding_idx, .sparse = options.sparse}, weight, flat, bounds,
      scales);
}

}  // namespace feral
