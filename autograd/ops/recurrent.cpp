#include "autograd/ops/recurrent.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/view.hpp"

namespace feral::ops {
namespace {

void check_part(std::string_view what, const Tensor& x, const Tensor& part, const Shape& shape) {
  if (!part.defined()) return;
  check_same_dtype(Recurrent::name, x, part);
  if (!(part.shape() == shape)) {
    fail("{}: {} is of shape {}, expected {}", Recurrent::name, what, part.shape().to_string(), shape.to_string());
  }
}

// The kernels trust these numbers.
void check_sizes(const Tensor& sizes, std::int64_t rows, std::int64_t n) {
  constexpr std::string_view op = Recurrent::name;
  if (!sizes.defined()) {
    if (n < 1 || rows % n != 0) fail("{}: {} rows are no whole number of steps of {}", op, rows, n);
    return;
  }
  if (sizes.dtype() != DType::int64 || sizes.dims() != 1 || !sizes.is_contiguous()) {
    fail("{}: the sizes of the steps must be a contiguous int64 vector, got {}", op, sizes.to_string());
  }
  const std::int64_t* size = sizes.data<std::int64_t>();
  std::int64_t before = n;
  std::int64_t total = 0;
  for (std::int64_t t = 0; t < sizes.numel(); ++t) {
    if (size[t] < 1 || size[t] > before || (t == 0 && size[t] != n)) {
      fail("{}: step {} has size {} behind {}: sizes start at {}, the number of sequences, and never grow", op, t,
           size[t], before, n);
    }
    before = size[t];
    total += size[t];
  }
  if (total != rows) fail("{}: sizes of {} rows in all do not fit an input of {}", op, total, rows);
}

RecurrentSteps steps_of(const Recurrent::Attributes& attributes, std::int64_t rows, std::int64_t hidden,
                        const Tensor& sizes) {
  return {.cell = attributes.cell,
          .reverse = attributes.reverse,
          .n = attributes.n,
          .hidden = hidden,
          .steps = sizes.defined() ? sizes.numel() : rows / attributes.n,
          .sizes = sizes.defined() ? sizes.data<std::int64_t>() : nullptr};
}

// `rows` rows of x from `first` on.
Tensor rows_from(const Tensor& x, std::int64_t first, std::int64_t rows) {
  const std::int64_t width = x.shape()[1];
  return look(x, {.shape = {rows, width}, .strides = {width, 1}, .offset = first * width});
}

Tensor swapped(const Tensor& x) { return Transpose::view({.dim0 = 0, .dim1 = 1}, x); }

// x, or a contiguous copy.
Tensor packed(const Tensor& x) {
  if (!x.defined() || x.is_contiguous()) return x;
  const Tensor copy = Tensor::empty(x.shape(), x.dtype());
  kernels(x.device()).copy(copy, x);
  return copy;
}

// A matrix whose rows do not lie a multiple of 4 KiB apart: products that go down its columns would find all of
// them in the same few lines of the cache.
Tensor staggered(std::int64_t rows, std::int64_t columns, DType dtype) {
  const std::int64_t apart = columns % 512 == 0 ? columns + 16 : columns;
  return look(Tensor::empty({rows, apart}, dtype), {.shape = {rows, columns}, .strides = {apart, 1}});
}

}  // namespace

Result Recurrent::infer(const Attributes& attributes, const Tensor& x, const Tensor& hidden, const Tensor& cell,
                        const Tensor& weight_ih, const Tensor& weight_hh, const Tensor& bias_ih,
                        const Tensor& bias_hh, const Tensor& sizes) {
  check_floating(name, x);
  check_dims(name, "the input", x, 2);
  check_same_dtype(name, x, weight_ih);
  check_same_dtype(name, x, weight_hh);
  check_dims(name, "weight_hh", weight_hh, 2);
  const std::int64_t h = weight_hh.shape()[1];
  const std::int64_t all = gates_of(attributes.cell) * h;
  check_part("weight_hh", x, weight_hh, {all, h});
  check_part("weight_ih", x, weight_ih, {all, x.shape()[1]});
  check_part("bias_ih", x, bias_ih, {all});
  check_part("bias_hh", x, bias_hh, {all});
  check_part("the initial hidden state", x, hidden, {attributes.n, h});
  check_part("the initial cell state", x, cell, {attributes.n, h});
  const bool lstm = attributes.cell == CellKernel::lstm;
  if (cell.defined() && !lstm) fail("{}: only an LSTM has a cell state", name);
  const std::int64_t rows = x.shape()[0];
  check_sizes(sizes, rows, attributes.n);
  return {{rows + (lstm ? 2 : 1) * attributes.n, h}, x.dtype(), x.device()};
}

void Recurrent::run(const Attributes& attributes, const Tensor& out, Aux<Recurrent>& aux, const Tensor& x,
                    const Tensor& hidden, const Tensor& cell, const Tensor& weight_ih, const Tensor& weight_hh,
                    const Tensor& bias_ih, const Tensor& bias_hh, const Tensor& sizes) {
  const Kernels& device = kernels(out.device());
  const std::int64_t rows = x.shape()[0];
  const std::int64_t h = out.shape()[1];
  const std::int64_t n = attributes.n;
  const bool lstm = attributes.cell == CellKernel::lstm;
  RecurrentForward tensors{.output = rows_from(out, 0, rows),
                           .hidden = rows_from(out, rows, n),
                           .cell = lstm ? rows_from(out, rows + n, n) : Tensor(),
                           .gates = Tensor::empty({rows, gates_of(attributes.cell) * h}, out.dtype()),
                           .weight = packed(weight_hh),
                           .bias_input = packed(bias_ih),
                           .bias_hidden = packed(bias_hh),
                           .from_zero = !hidden.defined(),
                           .hidden_before = {},
                           .cell_before = {},
                           .extra = {}};
  const auto start = [&](const Tensor& state, const Tensor& initial) {
    if (initial.defined()) {
      device.copy(state, initial);
    } else {
      device.fill(state, 0);
    }
  };
  start(tensors.hidden, hidden);
  if (lstm) start(tensors.cell, cell);
  if (aux.wanted) {
    const auto kept = [&] { return Tensor::empty({rows, h}, out.dtype()); };
    tensors.hidden_before = kept();
    if (lstm) tensors.cell_before = kept();
    if (lstm || attributes.cell == CellKernel::gru) tensors.extra = kept();
    aux[0] = tensors.gates;
    aux[1] = tensors.hidden_before;
    aux[2] = tensors.cell_before;
    aux[3] = tensors.extra;
  }
  device.matmul(tensors.gates, x, swapped(weight_ih), false);
  device.recurrent(steps_of(attributes, rows, h, sizes), tensors);
}

Gradients<8> Recurrent::gradient(const Saved<Recurrent>& saved, const Tensor& gradient) {
  if (GradMode::enabled()) return recorded_gradient(saved, gradient);
  const Attributes& attributes = saved.attributes();
  const Kernels& device = kernels(gradient.device());
  const Tensor whole = packed(gradient);
  const Tensor& gates = saved.aux(0);
  const std::int64_t rows = gates.shape()[0];
  const std::int64_t h = gradient.shape()[1];
  const std::int64_t n = attributes.n;
  const bool lstm = attributes.cell == CellKernel::lstm;
  // A tensor that an op has saved may have been written since, and the kernels trust it.
  check_sizes(saved.input(7), rows, n);
  RecurrentBackward tensors{.gradient = rows_from(whole, 0, rows),
                            .hidden = Tensor::empty({n, h}, gradient.dtype()),
                            .cell = lstm ? Tensor::empty({n, h}, gradient.dtype()) : Tensor(),
                            .gates = gates,
                            .weight = packed(saved.input(4)),
                            .hidden_before = saved.aux(1),
                            .cell_before = saved.aux(2),
                            .extra = saved.aux(3),
                            .input_side = staggered(rows, gates.shape()[1], gradient.dtype()),
                            .hidden_side = attributes.cell == CellKernel::gru
                                               ? staggered(rows, gates.shape()[1], gradient.dtype())
                                               : Tensor(),
                            .initial_wanted = saved.needs(1)};
  device.copy(tensors.hidden, rows_from(whole, rows, n));
  if (lstm) device.copy(tensors.cell, rows_from(whole, rows + n, n));
  device.recurrent_backward(steps_of(attributes, rows, h, saved.input(7)), tensors);
  const Tensor& input_side = tensors.input_side;
  const Tensor& hidden_side = tensors.hidden_side.defined() ? tensors.hidden_side : tensors.input_side;
  Gradients<8> result;
  if (saved.needs(0)) result[0] = input_side.matmul(saved.input(3));
  if (saved.needs(1)) result[1] = tensors.hidden;
  if (saved.needs(2)) result[2] = tensors.cell;
  if (saved.needs(3)) result[3] = swapped(input_side).matmul(saved.input(0));
  if (saved.needs(4)) {
    // The first step comes from 0 and adds nothing; in reverse it is the last one, of as many rows unless they
    // differ.
    const bool from_zero = !saved.input(1).defined() && !(attributes.reverse && saved.input(7).defined());
    const std::int64_t first = from_zero && !attributes.reverse ? n : 0;
    const std::int64_t count = from_zero ? rows - n : rows;
    const Tensor sides = look(hidden_side, {.shape = {count, hidden_side.shape()[1]},
                                            .strides = hidden_side.strides(),
                                            .offset = first * hidden_side.strides()[0]});
    result[4] = swapped(sides).matmul(rows_from(saved.aux(1), first, count));
  }
  if (saved.needs(5)) result[5] = input_side.sum({0});
  if (saved.needs(6)) {
    result[6] = result[5].defined() && !tensors.hidden_side.defined() ? result[5].clone() : hidden_side.sum({0});
  }
  return result;
}

}  // namespace feral::ops

namespace feral {

RecurrentResult recurrent(CellKernel kind, const Tensor& x, const RecurrentWeights& weights, const Tensor& hidden,
                          const Tensor& cell, const Tensor& sizes, std::int64_t n, bool reverse) {
  const Tensor all =
      apply<ops::Recurrent>({.cell = kind, .reverse = reverse, .n = n}, x, hidden, cell, weights.weight_ih,
                            weights.weight_hh, weights.bias_ih, weights.bias_hh, sizes);
  const std::int64_t rows = x.shape()[0];
  return {.output = all.narrow(0, 0, rows),
          .hidden = all.narrow(0, rows, n),
          .cell = kind == CellKernel::lstm ? all.narrow(0, rows + n, n) : Tensor()};
}

}  // namespace feral
