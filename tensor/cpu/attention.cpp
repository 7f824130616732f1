// Attention head by head: each one's matrices are read where they lie, and its scores are still in the cache when
// the softmax and the values come.
#include <algorithm>

#include "tensor/cpu/attention_rows.hpp"
#include "tensor/cpu/blas.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {
namespace {

// One head's matrix.
template <class T>
struct Head {
  T* data;
  std::int64_t row;  // elements from one row to the next
};

template <class T>
Head<T> head(const Tensor& x, std::int64_t batch, std::int64_t number) {
  return {x.data<T>() + batch * x.strides()[0] + number * x.strides()[1],
          std::max(x.strides()[2], x.shape()[3])};  // a single row's stride means nothing
}

struct Sizes {
  std::int64_t batch, heads, rows, columns, width, value_width;
  explicit Sizes(const AttentionTensors& t)
      : batch(t.query.shape()[0]),
        heads(t.query.shape()[1]),
        rows(t.query.shape()[2]),
        columns(t.key.shape()[2]),
        width(t.query.shape()[3]),
        value_width(t.value.shape()[3]) {}
  template <class Visit>
  void for_each_head(const Visit& visit) const {
    for (std::int64_t b = 0; b < batch; ++b) {
      for (std::int64_t h = 0; h < heads; ++h) visit(b, h);
    }
  }
};

template <class T>
T* weights_at(const Tensor& weights, const Sizes& s, std::int64_t b, std::int64_t h) {
  return weights.data<T>() + (b * s.heads + h) * s.rows * s.columns;
}

template <class T>
void weights_of_head(T* weights, const AttentionTensors& t, const Sizes& s, std::int64_t b, std::int64_t h) {
  const Head<T> query = head<T>(t.query, b, h);
  const Head<T> key = head<T>(t.key, b, h);
  gemm(false, true, s.rows, s.columns, s.width, query.data, query.row, key.data, key.row, T{0}, weights, s.columns);
  AttentionRows<T> rows{s.rows, s.columns, weights, static_cast<T>(t.scale), t.causal, nullptr, 0, 0};
  if (t.mask.defined()) {
    rows.mask = t.mask.data<T>() + b * t.mask.strides()[0] + h * t.mask.strides()[1];
    rows.mask_row = t.mask.strides()[2];
    rows.mask_column = t.mask.strides()[3];
  }
  attention_rows(rows);
}

template <class T>
void values_of_head(const Tensor& out, const T* weights, const AttentionTensors& t, const Sizes& s, std::int64_t b,
                    std::int64_t h) {
  const Head<T> value = head<T>(t.value, b, h);
  const Head<T> to = head<T>(out, b, h);
  gemm(false, false, s.rows, s.value_width, s.columns, weights, s.columns, value.data, value.row, T{0}, to.data,
       to.row);
}

Tensor dropped_weights(const AttentionTensors& t) {
  if (t.dropout == nullptr) return t.weights;
  const Tensor dropped = Tensor::empty(t.weights.shape(), t.weights.dtype());
  dropout(dropped, t.weights, *t.dropout);
  return dropped;
}

template <class T>
void forward(const Tensor& out, const AttentionTensors& t, const Sizes& s) {
  if (t.dropout == nullptr) {
    const Workspace scratch(t.weights.defined() ? 0 : static_cast<std::size_t>(s.rows * s.columns) * sizeof(T));
    s.for_each_head([&](std::int64_t b, std::int64_t h) {
      T* weights = t.weights.defined() ? weights_at<T>(t.weights, s, b, h) : reinterpret_cast<T*>(scratch.get());
      weights_of_head(weights, t, s, b, h);
      values_of_head(out, weights, t, s, b, h);
    });
    return;
  }
  s.for_each_head(
      [&](std::int64_t b, std::int64_t h) { weights_of_head(weights_at<T>(t.weights, s, b, h), t, s, b, h); });
  const Tensor dropped = dropped_weights(t);
  s.for_each_head(
      [&](std::int64_t b, std::int64_t h) { values_of_head<T>(out, weights_at<T>(dropped, s, b, h), t, s, b, h); });
}

// gradient × valueᵀ: of the weights that met the values.
template <class T>
void gradient_of_weights(T* to, const AttentionTensors& t, const Tensor& gradient, const Sizes& s, std::int64_t b,
                         std::int64_t h) {
  const Head<T> from = head<T>(gradient, b, h);
  const Head<T> value = head<T>(t.value, b, h);
  gemm(false, true, s.rows, s.columns, s.value_width, from.data, from.row, value.data, value.row, T{0}, to,
       s.columns);
}

template <class T>
void backward(const AttentionGradients& out, const AttentionTensors& t, const Tensor& gradient, const Sizes& s) {
  const Tensor used = dropped_weights(t);
  Tensor of_weights;  // of all heads at once where dropout stands between: its draws count through all of them
  if (t.dropout != nullptr) {
    const Tensor met = Tensor::empty(t.weights.shape(), t.weights.dtype());
    s.for_each_head([&](std::int64_t b, std::int64_t h) {
      gradient_of_weights(weights_at<T>(met, s, b, h), t, gradient, s, b, h);
    });
    of_weights = Tensor::empty(t.weights.shape(), t.weights.dtype());
    dropout(of_weights, met, *t.dropout);
  }
  const Workspace scratch(of_weights.defined() ? 0 : static_cast<std::size_t>(s.rows * s.columns) * sizeof(T));
  s.for_each_head([&](std::int64_t b, std::int64_t h) {
    T* scores = of_weights.defined() ? weights_at<T>(of_weights, s, b, h) : reinterpret_cast<T*>(scratch.get());
    if (!of_weights.defined()) gradient_of_weights(scores, t, gradient, s, b, h);
    attention_rows_back(weights_at<T>(t.weights, s, b, h), scores, s.rows, s.columns, static_cast<T>(t.scale));
    const Head<T> query = head<T>(t.query, b, h), key = head<T>(t.key, b, h), from = head<T>(gradient, b, h);
    const Head<T> to_query = head<T>(out.query, b, h), to_key = head<T>(out.key, b, h);
    const Head<T> to_value = head<T>(out.value, b, h);
    gemm(false, false, s.rows, s.width, s.columns, scores, s.columns, key.data, key.row, T{0}, to_query.data,
         to_query.row);
    gemm(true, false, s.columns, s.width, s.rows, scores, s.columns, query.data, query.row, T{0}, to_key.data,
         to_key.row);
    gemm(true, false, s.columns, s.value_width, s.rows, weights_at<T>(used, s, b, h), s.columns, from.data,
         from.row, T{0}, to_value.data, to_value.row);
  });
}

}  // namespace

void attention(const Tensor& out, const AttentionTensors& tensors) {
  visit_floating(out.dtype(), [&]<class T>() { forward<T>(out, tensors, Sizes(tensors)); });
}

void attention_backward(const AttentionGradients& out, const AttentionTensors& tensors, const Tensor& gradient) {
  visit_floating(gradient.dtype(), [&]<class T>() { backward<T>(out, tensors, gradient, Sizes(tensors)); });
}

}  // namespace feral::cpu
