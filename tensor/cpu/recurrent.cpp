// The steps of a recurrent layer: one product with the packed weight each, then the cell.
#include <algorithm>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/recurrent_cells.hpp"
#include "tensor/cpu/step_product.hpp"
#include "tensor/cpu/workspace.hpp"
#include "tensor/racy.hpp"

namespace feral::cpu {
namespace {

// Calls visit(size, row) for each step in the order of the layer, or against it: how many rows the step has, and
// where its first one stands.
template <class Visit>
void for_each_step(const RecurrentSteps& steps, bool against, const Visit& visit) {
  if (steps.reverse != against) {
    std::int64_t end = 0;
    for (std::int64_t t = 0; t < steps.steps; ++t) end += steps.size_of_step(t);
    for (std::int64_t t = steps.steps - 1; t >= 0; --t) {
      const std::int64_t size = steps.size_of_step(t);
      end -= size;
      visit(size, end);
    }
  } else {
    std::int64_t row = 0;
    for (std::int64_t t = 0; t < steps.steps; ++t) {
      const std::int64_t size = steps.size_of_step(t);
      visit(size, row);
      row += size;
    }
  }
}

template <class T>
T* data_or_null(const Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

// The sum of the biases, which may be changing while they are read; only for the GRU's n they stay apart.
template <class T>
void gather_bias(const RecurrentSteps& steps, const RecurrentForward& tensors, T* bias, T* bias_new) {
  const std::int64_t all = gates_of(steps.cell) * steps.hidden;
  std::fill_n(bias, all, T{0});
  std::fill_n(bias_new, steps.hidden, T{0});
  if (tensors.bias_input.defined()) {
    racy_copy(bias, tensors.bias_input.data<T>(), static_cast<std::size_t>(all));
  }
  if (!tensors.bias_hidden.defined()) return;
  const Workspace scratch(static_cast<std::size_t>(all) * sizeof(T));
  T* other = reinterpret_cast<T*>(scratch.get());
  racy_copy(other, tensors.bias_hidden.data<T>(), static_cast<std::size_t>(all));
  const std::int64_t added = steps.cell == CellKernel::gru ? 2 * steps.hidden : all;
  for (std::int64_t j = 0; j < added; ++j) bias[j] += other[j];
  if (added < all) std::copy_n(other + added, steps.hidden, bias_new);
}

template <class T>
T* at(T* pointer, std::int64_t by) {
  return pointer == nullptr ? nullptr : pointer + by;
}

template <class T>
void forward(const RecurrentSteps& steps, const RecurrentForward& tensors) {
  const std::int64_t h = steps.hidden;
  const std::int64_t all = gates_of(steps.cell) * h;
  const PackedMatrix<T> weight(tensors.weight.data<T>(), h, all, 1, h);
  const Workspace scratch(static_cast<std::size_t>(all + h + steps.n * all) * sizeof(T));
  T* bias = reinterpret_cast<T*>(scratch.get());
  T* bias_new = bias + all;
  T* products = bias_new + h;
  gather_bias(steps, tensors, bias, bias_new);
  CellStep<T> step{.rows = 0,
                   .hidden = h,
                   .gates = nullptr,
                   .products = products,
                   .bias = bias,
                   .bias_new = bias_new,
                   .state = tensors.hidden.data<T>(),
                   .cell = data_or_null<T>(tensors.cell),
                   .output = nullptr,
                   .hidden_before = nullptr,
                   .cell_before = nullptr,
                   .extra = nullptr};
  bool first = tensors.from_zero;
  for_each_step(steps, false, [&](std::int64_t size, std::int64_t row) {
    if (first) {
      std::fill_n(products, size * all, T{0});
    } else {
      weight.multiply(size, step.state, h, products, all, false);
    }
    first = false;
    step.rows = size;
    step.gates = tensors.gates.data<T>() + row * all;
    step.output = tensors.output.data<T>() + row * h;
    step.hidden_before = at(data_or_null<T>(tensors.hidden_before), row * h);
    step.cell_before = at(data_or_null<T>(tensors.cell_before), row * h);
    step.extra = at(data_or_null<T>(tensors.extra), row * h);
    run_cell(steps.cell, step);
  });
}

template <class T>
void backward(const RecurrentSteps& steps, const RecurrentBackward& tensors) {
  const std::int64_t h = steps.hidden;
  const std::int64_t all = gates_of(steps.cell) * h;
  const PackedMatrix<T> weight(tensors.weight.data<T>(), all, h, h, 1);
  CellStepBack<T> step{};
  step.hidden = h;
  step.state = tensors.hidden.data<T>();
  step.cell = data_or_null<T>(tensors.cell);
  step.side_row = tensors.input_side.strides()[0];
  std::int64_t left = steps.steps;
  for_each_step(steps, true, [&](std::int64_t size, std::int64_t row) {
    step.rows = size;
    step.gradient = tensors.gradient.data<T>() + row * h;
    step.gates = tensors.gates.data<T>() + row * all;
    step.hidden_before = tensors.hidden_before.data<T>() + row * h;
    step.cell_before = at(data_or_null<T>(tensors.cell_before), row * h);
    step.extra = at(data_or_null<T>(tensors.extra), row * h);
    step.input_side = tensors.input_side.data<T>() + row * step.side_row;
    step.hidden_side = at(data_or_null<T>(tensors.hidden_side), row * step.side_row);
    run_cell_back(steps.cell, step);
    if (--left == 0 && !tensors.initial_wanted) return;  // whom it would be for
    const T* side = step.hidden_side != nullptr ? step.hidden_side : step.input_side;
    weight.multiply(size, side, step.side_row, step.state, h, true);
  });
}

}  // namespace

void recurrent(const RecurrentSteps& steps, const RecurrentForward& tensors) {
  visit_floating(tensors.output.dtype(), [&]<class T>() { forward<T>(steps, tensors); });
}

void recurrent_backward(const RecurrentSteps& steps, const RecurrentBackward& tensors) {
  visit_floating(tensors.gradient.dtype(), [&]<class T>() { backward<T>(steps, tensors); });
}

}  // namespace feral::cpu
