#include "autograd/ops/contraction.hpp"

#include <algorithm>

#include "tensor/promotion.hpp"

namespace feral::ops {
namespace {

bool has(std::string_view labels, char label) { return labels.find(label) != std::string_view::npos; }

std::int64_t size_along(const Labelled& x, char label) {
  return x.tensor.shape()[static_cast<int>(x.labels.find(label))];
}

std::int64_t product_of(const Shape& sizes) {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) product *= size;
  return product;
}

void append(Shape& shape, const Shape& more) {
  for (const std::int64_t size : more) shape.push_back(size);
}

Shape sizes_of(const Labelled& x, std::string_view labels) {
  Shape sizes;
  for (const char label : labels) sizes.push_back(size_along(x, label));
  return sizes;
}

// Which labels a pair of operands shares, and what becomes of them.
struct ContractionPlan {
  std::string batch, contracted, left, right;

  ContractionPlan(const Labelled& a, const Labelled& b, std::string_view keep) {
    for (const char label : a.labels)
      (!has(b.labels, label) ? left : has(keep, label) ? batch : contracted) += label;
    for (const char label : b.labels) {
      if (!has(a.labels, label)) right += label;
    }
  }
};

// A contracted dimension that has size 1 on one side: sum_i a_i b = (sum_i a_i) b.
void sum_where_broadcast(Labelled& a, Labelled& b) {
  std::string keep_a = a.labels;
  std::string keep_b = b.labels;
  for (const char label : a.labels) {
    if (!has(b.labels, label) || size_along(a, label) == size_along(b, label)) continue;
    std::erase(keep_a, label);
    std::erase(keep_b, label);
  }
  a = summed(a, keep_a);
  b = summed(b, keep_b);
}

// No dimension is summed: elements times elements.
Tensor multiply(const Labelled& a, const Labelled& b, const ContractionPlan& plan) {
  Shape left = sizes_of(a, plan.batch + plan.left);
  for (std::size_t i = 0; i < plan.right.size(); ++i) left.push_back(1);
  Shape right = sizes_of(b, plan.batch);
  for (std::size_t i = 0; i < plan.left.size(); ++i) right.push_back(1);
  append(right, sizes_of(b, plan.right));
  return in_order(a, plan.batch + plan.left).reshape(left).mul(in_order(b, plan.batch + plan.right).reshape(right));
}

// [batch..., left, contracted] × [batch..., contracted, right], each group but the batch's merged into one
// dimension.
Tensor multiply_matrices(const Labelled& a, const Labelled& b, const ContractionPlan& plan) {
  const Shape left = sizes_of(a, plan.left);
  const Shape right = sizes_of(b, plan.right);
  const std::int64_t depth = product_of(sizes_of(a, plan.contracted));
  Tensor x = in_order(a, plan.batch + plan.left + plan.contracted);
  Tensor y = in_order(b, plan.batch + plan.contracted + plan.right);
  Shape batch_x = sizes_of(a, plan.batch);
  Shape batch_y = sizes_of(b, plan.batch);
  const Shape batch = broadcast_shapes("einsum", batch_x, batch_y);
  if (batch.dims() > Shape::max_dims - 2) {  // too many to stand beside the matrices' own
    const auto spread = [&](const Tensor& tensor) {
      Shape shape = batch;
      for (int i = batch.dims(); i < tensor.dims(); ++i) shape.push_back(tensor.shape()[i]);
      return tensor.expand(shape);
    };
    x = spread(x);
    y = spread(y);
    batch_x = batch_y = {product_of(batch)};
  }
  append(batch_x, {product_of(left), depth});
  append(batch_y, {depth, product_of(right)});
  Shape result = batch;
  append(result, left);
  append(result, right);
  return x.reshape(batch_x).matmul(y.reshape(batch_y)).reshape(result);
}

}  // namespace

Labelled summed(const Labelled& x, std::string_view keep) {
  Dims dims;
  std::string kept;
  for (std::size_t i = 0; i < x.labels.size(); ++i) {
    if (has(keep, x.labels[i])) {
      kept += x.labels[i];
    } else {
      dims.push_back(static_cast<std::int64_t>(i));
    }
  }
  if (dims.dims() == 0) return x;
  return {x.tensor.sum(dims), kept};
}

Tensor in_order(const Labelled& x, std::string_view labels) {
  if (labels == x.labels) return x.tensor;
  Dims dims;
  for (const char label : labels) dims.push_back(static_cast<std::int64_t>(x.labels.find(label)));
  return x.tensor.permute(dims);
}

Labelled contract(Labelled a, Labelled b, std::string_view keep) {
  const std::string in_a = a.labels;
  a = summed(a, std::string(keep) + b.labels);
  b = summed(b, std::string(keep) + in_a);
  for (const char label : ContractionPlan(a, b, keep).contracted) {
    if (size_along(a, label) == size_along(b, label)) continue;
    sum_where_broadcast(a, b);
    break;
  }
  if (a.tensor.dtype() != b.tensor.dtype()) {  // integers that have been summed
    const DType common = promote(a.tensor.dtype(), b.tensor.dtype());
    a.tensor = a.tensor.to(common);
    b.tensor = b.tensor.to(common);
  }
  const ContractionPlan plan(a, b, keep);
  return {plan.contracted.empty() ? multiply(a, b, plan) : multiply_matrices(a, b, plan),
          plan.batch + plan.left + plan.right};
}

}  // namespace feral::ops
