// Several tensors made one.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "autograd/op.hpp"

namespace feral::ops {

struct Cat {
  static constexpr std::string_view name = "cat";
  static constexpr int arity = variadic;
  struct Attributes {
    int dim = 0;
  };
  static Result infer(const Attributes& attributes, std::span<const Tensor> inputs);
  static void run(const Attributes& attributes, const Tensor& out, std::span<const Tensor> inputs);
  static void gradient(const SavedList<Cat>& saved, const Tensor& gradient, std::span<Tensor> out);
};

}  // namespace feral::ops

namespace feral {

// The tensors one behind the other along `dim`, in their common type; all other sizes must be equal. As in PyTorch
// a tensor of shape [0] fits everywhere and adds nothing.
Tensor cat(std::span<const Tensor> tensors, std::int64_t dim = 0);
inline Tensor cat(std::initializer_list<Tensor> tensors, std::int64_t dim = 0) {
  return cat(std::span(tensors.begin(), tensors.size()), dim);
}

// Tensors of one shape one behind the other along a new dimension.
Tensor stack(std::span<const Tensor> tensors, std::int64_t dim = 0);
inline Tensor stack(std::initializer_list<Tensor> tensors, std::int64_t dim = 0) {
  return stack(std::span(tensors.begin(), tensors.size()), dim);
}

// Side by side: along the second dimension, or the first of vectors and numbers.
Tensor hstack(std::span<const Tensor> tensors);
inline Tensor hstack(std::initializer_list<Tensor> tensors) {
  return hstack(std::span(tensors.begin(), tensors.size()));
}

// One below the other: along the first dimension; vectors and numbers are rows.
Tensor vstack(std::span<const Tensor> tensors);
inline Tensor vstack(std::initializer_list<Tensor> tensors) {
  return vstack(std::span(tensors.begin(), tensors.size()));
}

// Of vectors (or numbers) of n, m, … elements as many views of shape [n, m, …], each with one vector's elements
// along its own dimension. indexing "xy" swaps the first two dimensions: [m, n, …].
std::vector<Tensor> meshgrid(std::span<const Tensor> tensors, std::string_view indexing = "ij");
inline std::vector<Tensor> meshgrid(std::initializer_list<Tensor> tensors, std::string_view indexing = "ij") {
  return meshgrid(std::span(tensors.begin(), tensors.size()), indexing);
}

// Views of the shape that all broadcast to.
std::vector<Tensor> broadcast_tensors(std::span<const Tensor> tensors);
inline std::vector<Tensor> broadcast_tensors(std::initializer_list<Tensor> tensors) {
  return broadcast_tensors(std::span(tensors.begin(), tensors.size()));
}

}  // namespace feral
