#include "autograd/ops/attention.hpp"

#include <cmath>
#include <limits>

#include "autograd/ops/check.hpp"
#include "autograd/ops/dropout.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/view.hpp"

namespace feral::ops {
namespace {

constexpr std::string_view op = Attention::name;

// Dimensions [b, h, rows, columns] of a tensor [b, l, h, d] or [l, b, h, d], off the tape; of a packed one
// [., ., 3, h, d] the part of that number.
Tensor by_head(const Attention::Attributes& attributes, const Tensor& x, std::int64_t part = 0) {
  const Shape& shape = x.shape();
  const Shape& stride = x.strides();
  const int batch = attributes.sequence_first ? 1 : 0;
  const int row = 1 - batch;
  const int head = x.dims() - 2;
  return look(x, {.shape = {shape[batch], shape[head], shape[row], shape[head + 1]},
                  .strides = {stride[batch], stride[head], stride[row], stride[head + 1]},
                  .offset = x.dims() == 5 ? part * stride[2] : 0});
}

// The same on the tape.
Tensor by_head_recorded(const Attention::Attributes& attributes, const Tensor& x, std::int64_t part = 0) {
  const Tensor one = x.dims() == 5 ? x.select(2, part) : x;
  return attributes.sequence_first ? one.permute({1, 2, 0, 3}) : one.transpose(1, 2);
}

// x [b, l, …, d] or [l, b, …, d] with rows that are contiguous and do not overlap, as the kernels want it.
Tensor with_rows(const Attention::Attributes& attributes, const Tensor& x) {
  const int last = x.dims() - 1;
  const int row = attributes.sequence_first ? 0 : 1;
  const bool contiguous = x.strides()[last] == 1 || x.shape()[last] == 1;
  if (contiguous && (x.strides()[row] >= x.shape()[last] || x.shape()[row] == 1)) return x;
  const Tensor copy = Tensor::empty(x.shape(), x.dtype());
  kernels(x.device()).copy(copy, x);
  return copy;
}

struct Parts {
  Tensor query, key, value;
};

Parts parts_of(const Attention::Attributes& attributes, const Tensor& query, const Tensor& key,
               const Tensor& value) {
  const Tensor first = with_rows(attributes, query);
  if (attributes.packed)
    return {by_head(attributes, first, 0), by_head(attributes, first, 1), by_head(attributes, first, 2)};
  return {by_head(attributes, first), by_head(attributes, with_rows(attributes, key)),
          by_head(attributes, with_rows(attributes, value))};
}

AttentionTensors tensors_of(const Attention::Attributes& attributes, const Parts& parts, const Tensor& mask) {
  AttentionTensors tensors{.query = parts.query,
                           .key = parts.key,
                           .value = parts.value,
                           .mask = {},
                           .weights = {},
                           .scale = attributes.scale,
                           .causal = attributes.causal,
                           .dropout = attributes.drops ? &attributes.draw : nullptr};
  if (mask.defined()) {
    const Shape all{parts.query.shape()[0], parts.query.shape()[1], parts.query.shape()[2], parts.key.shape()[2]};
    Shape strides = mask.strides();
    for (int i = 0; i < 4; ++i) {
      if (mask.shape()[i] != all[i]) strides[i] = 0;
    }
    tensors.mask = look(mask, {.shape = all, .strides = strides});
  }
  return tensors;
}

Shape weights_shape(const Parts& parts) {
  return {parts.query.shape()[0], parts.query.shape()[1], parts.query.shape()[2], parts.key.shape()[2]};
}

// The way back in ordinary ops.
Gradients<4> recorded(const Saved<Attention>& saved, const Tensor& gradient) {
  const Attention::Attributes& attributes = saved.attributes();
  const auto part = [&](int i) {
    return by_head_recorded(attributes, saved.input(attributes.packed ? 0 : i), attributes.packed ? i : 0);
  };
  const Tensor query = part(0), key = part(1), value = part(2);
  const ComposedAttention forward = composed_attention(attributes, query, key, value, saved.input(3));
  const Tensor arrived = by_head_recorded(attributes, gradient);
  const auto drop = [&](const Tensor& x) { return attributes.drops ? apply<Dropout>(attributes.draw, x) : x; };
  const Tensor of_weights = drop(arrived.matmul(value.transpose(2, 3)));
  const Tensor of_scores = forward.weights * (of_weights - (of_weights * forward.weights).sum({3}, true));
  const Tensor scaled = of_scores.affine(attributes.scale, 0);
  // A permutation of two dimensions, or of three: its own inverse, or not.
  const auto back = [&](const Tensor& x) {
    return attributes.sequence_first ? x.permute({2, 0, 1, 3}) : x.transpose(1, 2);
  };
  const Tensor of_query = back(scaled.matmul(key));
  const Tensor of_key = back(scaled.transpose(2, 3).matmul(query));
  const Tensor of_value = back(forward.dropped.transpose(2, 3).matmul(arrived));
  Gradients<4> result;
  if (attributes.packed) {
    if (saved.needs(0)) result[0] = stack({of_query, of_key, of_value}, 2);
  } else {
    if (saved.needs(0)) result[0] = of_query;
    if (saved.needs(1)) result[1] = of_key;
    if (saved.needs(2)) result[2] = of_value;
  }
  if (saved.needs(3)) result[3] = of_scores.sum_to(saved.input(3).shape());
  return result;
}

}  // namespace

Result Attention::infer(const Attributes& attributes, const Tensor& query, const Tensor& key, const Tensor& value,
                        const Tensor& mask) {
  check_floating(name, query);
  check_dims(name, "the query", query, attributes.packed ? 5 : 4);
  const int head = query.dims() - 2;
  const int batch = attributes.sequence_first ? 1 : 0;
  std::int64_t columns = query.shape()[1 - batch];
  std::int64_t width = query.shape()[head + 1];
  if (attributes.packed) {
    if (query.shape()[2] != 3) fail("{}: {} parts in {}, expected 3", name, query.shape()[2], query.to_string());
  } else {
    for (const Tensor* other : {&key, &value}) {
      check_same_dtype(name, query, *other);
      check_dims(name, other == &key ? "the key" : "the value", *other, 4);
      if (other->shape()[batch] != query.shape()[batch] || other->shape()[2] != query.shape()[2]) {
        fail("{}: query {} and {} {} differ in batches or heads", name, query.shape().to_string(),
             other == &key ? "key" : "value", other->shape().to_string());
      }
    }
    columns = key.shape()[1 - batch];
    if (key.shape()[3] != width || value.shape()[1 - batch] != columns) {
      fail("{}: query {}, key {} and value {} do not fit each other", name, query.shape().to_string(),
           key.shape().to_string(), value.shape().to_string());
    }
    width = value.shape()[3];
  }
  if (mask.defined()) {
    check_same_dtype(name, query, mask);
    const Shape all{query.shape()[batch], query.shape()[head], query.shape()[1 - batch], columns};
    bool fits = mask.dims() == 4;
    for (int i = 0; fits && i < 4; ++i) fits = mask.shape()[i] == all[i] || mask.shape()[i] == 1;
    if (!fits) fail("{}: a mask of shape {} does not fit {}", name, mask.shape().to_string(), all.to_string());
  }
  if (!(attributes.draw.probability >= 0 && attributes.draw.probability <= 1)) {
    fail("{}: dropout {} is outside of [0, 1]", name, attributes.draw.probability);
  }
  return {{query.shape()[0], query.shape()[1], query.shape()[head], width}, query.dtype(), query.device()};
}

void Attention::run(const Attributes& attributes, const Tensor& out, Aux<Attention>& aux, const Tensor& query,
                    const Tensor& key, const Tensor& value, const Tensor& mask) {
  const Parts parts = parts_of(attributes, query, key, value);
  AttentionTensors tensors = tensors_of(attributes, parts, mask);
  if (aux.wanted || attributes.drops) tensors.weights = Tensor::empty(weights_shape(parts), out.dtype());
  if (aux.wanted) aux[0] = tensors.weights;
  kernels(out.device()).attention(by_head(attributes, out), tensors);
}

Gradients<4> Attention::gradient(const Saved<Attention>& saved, const Tensor& gradient) {
  if (GradMode::enabled() || saved.needs(3)) return recorded(saved, gradient);
  const Attributes& attributes = saved.attributes();
  const Parts parts = parts_of(attributes, saved.input(0), saved.input(1), saved.input(2));
  AttentionTensors tensors = tensors_of(attributes, parts, saved.input(3));
  tensors.weights = saved.aux(0);
  Gradients<4> result;
  const auto fresh = [&](int i) { return Tensor::empty(saved.input(i).shape(), gradient.dtype()); };
  for (int i = 0; i < (attributes.packed ? 1 : 3); ++i) result[static_cast<std::size_t>(i)] = fresh(i);
  const Parts out = attributes.packed ? parts_of(attributes, result[0], {}, {})
                                      : parts_of(attributes, result[0], result[1], result[2]);
  kernels(gradient.device())
      .attention_backward({out.query, out.key, out.value}, tensors,
                          by_head(attributes, with_rows(attributes, gradient)));
  return result;
}

ComposedAttention composed_attention(const Attention::Attributes& attributes, const Tensor& query,
                                     const Tensor& key, const Tensor& value, const Tensor& mask) {
  const double nothing = -std::numeric_limits<double>::infinity();
  Tensor scores = query.matmul(key.transpose(2, 3)).affine(attributes.scale, 0);
  if (mask.defined()) scores = scores + mask;
  if (attributes.causal) {
    const Shape plane{scores.shape()[2], scores.shape()[3]};
    scores = scores.masked_fill(Tensor::ones(plane, DType::uint8).triu(1).gt(0), nothing);
  }
  ComposedAttention result;
  if (mask.defined()) {  // rows of -inf alone
    const Tensor blind = scores.detach().eq(nothing).all({3}, true);
    result.weights = scores.masked_fill(blind, 0).softmax(3).masked_fill(blind, 0);
  } else {
    result.weights = scores.softmax(3);
  }
  result.dropped = attributes.drops ? apply<Dropout>(attributes.draw, result.weights) : result.weights;
  result.output = result.dropped.matmul(value);
  return result;
}

DropoutDraw next_draw(double probability, const Generator& generator) {
  return {.probability = static_cast<float>(probability),
          .group = 1,
          .position = {generator.seed(), generator.stream(), generator.next_block()}};
}

}  // namespace feral::ops

namespace feral {
namespace {

using ops::check_defined;

// x as [b, l, h, d]; from [l, d], [h, l, d] or [b, h, l, d].
Tensor as_rows(const Tensor& x) {
  const Tensor all = x.dims() == 2   ? x.reshape({1, 1, x.shape()[0], x.shape()[1]})
                     : x.dims() == 3 ? x.unsqueeze(0)
                                     : x;
  return all.transpose(1, 2);
}

// What is added to the scores, in four dimensions.
Tensor as_addend(const Tensor& mask, DType dtype) {
  Tensor addend = mask;
  if (mask.dtype() == DType::boolean) {
    addend = Tensor::zeros(mask.shape(), dtype)
                 .masked_fill(mask.logical_not(), -std::numeric_limits<double>::infinity());
  }
  while (addend.dims() < 4) addend = addend.unsqueeze(0);
  return addend;
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask,
                                    const AttentionOptions& options, Generator& generator) {
  constexpr std::string_view op = ops::Attention::name;
  for (const Tensor* x : {&query, &key, &value}) {
    check_defined(op, *x);
    if (x->dims() != query.dims() || x->dims() < 2 || x->dims() > 4) {
      fail("{}: query {}, key {} and value {} must have 2, 3 or 4 dimensions each", op, query.shape().to_string(),
           key.defined() ? key.shape().to_string() : "undefined",
           value.defined() ? value.shape().to_string() : "undefined");
    }
  }
  if (mask.defined() && options.is_causal) fail("{}: is_causal and a mask exclude each other", op);
  if (mask.defined() && mask.dims() > 4) {
    fail("{}: a mask of shape {} has more than four dimensions", op, mask.shape().to_string());
  }
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    fail("{}: dropout {} is outside of [0, 1]", op, options.dropout);
  }
  const int last = query.dims() - 1;
  ops::Attention::Attributes attributes{
      .scale = options.scale != 0 ? options.scale : 1 / std::sqrt(static_cast<double>(query.shape()[last])),
      .causal = options.is_causal};
  attributes.drops = options.dropout > 0;
  if (attributes.drops) attributes.draw = ops::next_draw(options.dropout, generator);
  const Tensor out = apply<ops::Attention>(attributes, as_rows(query), as_rows(key), as_rows(value),
                                           mask.defined() ? as_addend(mask, query.dtype()) : mask)
                         .transpose(1, 2);
  // Not before: a call that is refused takes no numbers from the generator.
  if (attributes.drops) {
    const Shape& rows = out.shape();
    generator.reserve(static_cast<std::uint64_t>(rows[0] * rows[1] * rows[2] * key.shape()[last - 1]));
  }
  if (query.dims() == 4) return out;
  return query.dims() == 3 ? out.squeeze(0) : out.reshape({out.shape()[2], out.shape()[3]});
}

}  // namespace feral
