#include "nn/recurrent_cells.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/fail.hpp"
#include "nn/init.hpp"

namespace feral::nn {

RecurrentCellBase::RecurrentCellBase(std::string_view name, CellKernel cell, std::int64_t input_size,
                                     std::int64_t hidden_size, bool bias)
    : name_(name), cell_(cell), input_size_(input_size), hidden_size_(hidden_size) {
  if (input_size < 1 || hidden_size < 1) {
    fail("{}: from {} to {} features; each must be at least 1", name, input_size, hidden_size);
  }
  const std::int64_t rows = gates_of(cell) * hidden_size;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  const auto add = [&](const char* what, Tensor& parameter, const Shape& shape) {
    parameter = Tensor::empty(shape);
    init::uniform_(parameter, -bound, bound);
    register_parameter(what, parameter);
  };
  add("weight_ih", weights.weight_ih, {rows, input_size});
  add("weight_hh", weights.weight_hh, {rows, hidden_size});
  if (!bias) return;
  add("bias_ih", weights.bias_ih, {rows});
  add("bias_hh", weights.bias_hh, {rows});
}

std::string RecurrentCellBase::extra_repr() const {
  return fmt::format("{}, {}{}", input_size_, hidden_size_, weights.bias_ih.defined() ? "" : ", bias=false");
}

LSTMState RecurrentCellBase::step(const Tensor& x, const LSTMState& state) const {
  if (!x.defined() || x.dims() < 1 || x.dims() > 2 || x.shape()[x.dims() - 1] != input_size_) {
    fail("{}: an input of shape {} does not fit, expected [n, {}] or [{}]", name_,
         x.defined() ? x.shape().to_string() : "undefined", input_size_, input_size_);
  }
  const bool batched = x.dims() == 2;
  const std::int64_t n = batched ? x.shape()[0] : 1;
  if (n == 0) fail("{}: an input of shape {} holds no row", name_, x.shape().to_string());
  const Shape expected = batched ? Shape{n, hidden_size_} : Shape{hidden_size_};
  const auto rows = [&](const Tensor& part) {
    if (part.defined() && !(part.shape() == expected)) {
      fail("{}: a state is of shape {}, expected {}", name_, part.shape().to_string(), expected.to_string());
    }
    return part.defined() && !batched ? part.unsqueeze(0) : part;
  };
  RecurrentResult result =
      recurrent(cell_, batched ? x : x.unsqueeze(0), weights, rows(state.hidden), rows(state.cell), {}, n, false);
  if (batched) return {std::move(result.hidden), std::move(result.cell)};
  return {result.hidden.squeeze(0), result.cell.defined() ? result.cell.squeeze(0) : Tensor()};
}

RNNCell::RNNCell(std::int64_t input_size, std::int64_t hidden_size, const RNNCellOptions& options)
    : RecurrentCellBase("RNNCell",
                        options.nonlinearity == Nonlinearity::tanh ? CellKernel::rnn_tanh : CellKernel::rnn_relu,
                        input_size, hidden_size, options.bias) {}

GRUCell::GRUCell(std::int64_t input_size, std::int64_t hidden_size, bool bias)
    : RecurrentCellBase("GRUCell", CellKernel::gru, input_size, hidden_size, bias) {}

LSTMCell::LSTMCell(std::int64_t input_size, std::int64_t hidden_size, bool bias)
    : RecurrentCellBase("LSTMCell", CellKernel::lstm, input_size, hidden_size, bias) {}

}  // namespace feral::nn
