#include "autograd/ops/join.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/tensor_list.hpp"
#include "autograd/ops/view_part.hpp"
#include "tensor/kernels.hpp"
#include "tensor/promotion.hpp"

namespace feral::ops {
namespace {

// Fits everywhere.
bool is_nothing(const Shape& shape) { return shape.dims() == 1 && shape[0] == 0; }

void check_list(std::string_view op, std::span<const Tensor> tensors) {
  if (tensors.empty()) fail("{}: the list is empty", op);
  for (const Tensor& tensor : tensors) check_defined(op, tensor);
}

// The first tensor that says what the others must be like.
const Tensor& leading(std::span<const Tensor> tensors) {
  for (const Tensor& tensor : tensors) {
    if (!is_nothing(tensor.shape())) return tensor;
  }
  return tensors[0];
}

int cat_dim(std::span<const Tensor> tensors, std::int64_t dim) {
  check_list(Cat::name, tensors);
  const Tensor& first = leading(tensors);
  // PyTorch's: nothing joined to nothing is nothing along any dimension.
  if (is_nothing(first.shape())) return 0;
  if (first.dims() == 0) fail("{}: a tensor without dimensions cannot be joined; use stack", Cat::name);
  return normalize_dim(Cat::name, dim, first.dims());
}

}  // namespace

Result Cat::infer(const Attributes& attributes, std::span<const Tensor> inputs) {
  const Tensor& first = leading(inputs);
  Result result{first.shape(), inputs[0].dtype(), first.device()};
  std::int64_t& length = result.shape[attributes.dim];
  length = 0;
  for (const Tensor& input : inputs) {
    result.dtype = promote(result.dtype, input.dtype());
    if (is_nothing(input.shape())) continue;
    Shape others = input.shape();
    if (others.dims() == first.dims()) others[attributes.dim] = first.shape()[attributes.dim];
    if (!(others == first.shape())) {
      fail("{}: shapes {} and {} differ outside of dimension {}", name, first.shape().to_string(),
           input.shape().to_string(), attributes.dim);
    }
    if (__builtin_add_overflow(length, input.shape()[attributes.dim], &length)) {
      fail("{}: dimension {} becomes too large", name, attributes.dim);
    }
  }
  return result;
}

void Cat::run(const Attributes& attributes, const Tensor& out, std::span<const Tensor> inputs) {
  const Kernels& device = kernels(out.device());
  std::int64_t start = 0;
  for (const Tensor& input : inputs) {
    if (is_nothing(input.shape())) continue;
    const std::int64_t length = input.shape()[attributes.dim];
    device.copy(Narrow::view({.dim = attributes.dim, .start = start, .length = length}, out), input);
    start += length;
  }
}

void Cat::gradient(const SavedList<Cat>& saved, const Tensor& gradient, std::span<Tensor> out) {
  const int dim = saved.attributes().dim;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Shape& shape = saved.input_shape(i);
    const std::int64_t length = is_nothing(shape) ? 0 : shape[dim];
    if (saved.needs(i)) {
      out[i] = is_nothing(shape) ? Tensor::zeros(shape, saved.input_dtype(i))
                                 : gradient.narrow(dim, start, length).to(saved.input_dtype(i));
    }
    start += length;
  }
}

}  // namespace feral::ops

namespace feral {

Tensor cat(std::span<const Tensor> tensors, std::int64_t dim) {
  return apply_list<ops::Cat>({.dim = ops::cat_dim(tensors, dim)}, tensors);
}

Tensor stack(std::span<const Tensor> tensors, std::int64_t dim) {
  ops::check_list("stack", tensors);
  const Shape& shape = tensors[0].shape();
  for (const Tensor& tensor : tensors) {
    if (!(tensor.shape() == shape)) {
      fail("stack: shapes {} and {} differ", shape.to_string(), tensor.shape().to_string());
    }
  }
  const int at = normalize_dim("stack", dim, shape.dims() + 1);
  Shape raised;
  for (int i = 0; i <= shape.dims(); ++i) {
    if (i == at) raised.push_back(1);
    if (i < shape.dims()) raised.push_back(shape[i]);
  }
  ops::TensorList views(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) views[i] = tensors[i].reshape(raised);
  return apply_list<ops::Cat>({.dim = at}, views.span());
}

Tensor hstack(std::span<const Tensor> tensors) {
  ops::check_list("hstack", tensors);
  ops::TensorList views(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    views[i] = tensors[i].dims() == 0 ? tensors[i].reshape({1}) : tensors[i];
  }
  return cat(views.span(), views[0].dims() == 1 ? 0 : 1);
}

Tensor vstack(std::span<const Tensor> tensors) {
  ops::check_list("vstack", tensors);
  ops::TensorList views(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    views[i] = tensors[i].dims() < 2 ? tensors[i].reshape({1, tensors[i].numel()}) : tensors[i];
  }
  return cat(views.span(), 0);
}

std::vector<Tensor> meshgrid(std::span<const Tensor> tensors, std::string_view indexing) {
  ops::check_list("meshgrid", tensors);
  if (indexing != "ij" && indexing != "xy") fail("meshgrid: indexing is \"ij\" or \"xy\", not \"{}\"", indexing);
  Shape grid;
  for (const Tensor& tensor : tensors) {
    if (tensor.dims() > 1) fail("meshgrid: expected vectors, got shape {}", tensor.shape().to_string());
    if (tensor.dtype() != tensors[0].dtype()) {
      fail("meshgrid: types {} and {} differ", name_of(tensors[0].dtype()), name_of(tensor.dtype()));
    }
    grid.push_back(tensor.numel());
  }
  const bool swapped = indexing == "xy" && tensors.size() > 1;
  std::vector<Tensor> grids;
  grids.reserve(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Shape own;
    for (std::size_t k = 0; k < tensors.size(); ++k) own.push_back(k == i ? tensors[i].numel() : 1);
    const Tensor view = tensors[i].reshape(own).expand(grid);
    grids.push_back(swapped ? view.transpose(0, 1) : view);
  }
  return grids;
}

std::vector<Tensor> broadcast_tensors(std::span<const Tensor> tensors) {
  ops::check_list("broadcast_tensors", tensors);
  Shape shape = tensors[0].shape();
  for (const Tensor& tensor : tensors) shape = broadcast_shapes("broadcast_tensors", shape, tensor.shape());
  std::vector<Tensor> views;
  views.reserve(tensors.size());
  for (const Tensor& tensor : tensors) views.push_back(tensor.expand(shape));
  return views;
}

}  // namespace feral
