#include "nn/recurrent.hpp"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops/dropout.hpp"
#include "autograd/ops/join.hpp"
#include "core/fail.hpp"
#include "nn/init.hpp"

namespace feral::nn {

RecurrentBase::RecurrentBase(std::string_view name, CellKernel cell, std::int64_t input_size,
                             std::int64_t hidden_size, const RecurrentOptions& options)
    : name_(name), cell_(cell), input_size_(input_size), hidden_size_(hidden_size), options_(options) {
  if (input_size < 1 || hidden_size < 1 || options.num_layers < 1) {
    fail("{}: {} layers from {} to {} features; each must be at least 1", name, options.num_layers, input_size,
         hidden_size);
  }
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    fail("{}: dropout {} is outside of [0, 1]", name, options.dropout);
  }
  const std::int64_t rows = gates_of(cell) * hidden_size;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  weights_.resize(static_cast<std::size_t>(options.num_layers * directions()));
  for (std::int64_t layer = 0; layer < options.num_layers; ++layer) {
    for (std::int64_t direction = 0; direction < directions(); ++direction) {
      RecurrentWeights& all = weights(layer, direction == 1);
      const auto add = [&](std::string_view what, Tensor& parameter, const Shape& shape) {
        parameter = Tensor::empty(shape);
        init::uniform_(parameter, -bound, bound);
        register_parameter(fmt::format("{}_l{}{}", what, layer, direction == 1 ? "_reverse" : ""), parameter);
      };
      add("weight_ih", all.weight_ih, {rows, layer == 0 ? input_size : hidden_size * directions()});
      add("weight_hh", all.weight_hh, {rows, hidden_size});
      if (!options.bias) continue;
      add("bias_ih", all.bias_ih, {rows});
      add("bias_hh", all.bias_hh, {rows});
    }
  }
}

RecurrentWeights& RecurrentBase::weights(std::int64_t layer, bool reverse) {
  if (layer < 0 || layer >= options_.num_layers || (reverse && !options_.bidirectional)) {
    fail("{}: no layer {}{} among {} {}", name_, layer, reverse ? " in reverse" : "", options_.num_layers,
         options_.bidirectional ? "bidirectional ones" : "in one direction");
  }
  return weights_[static_cast<std::size_t>(layer * directions() + (reverse ? 1 : 0))];
}

std::string RecurrentBase::extra_repr() const {
  std::string text = fmt::format("{}, {}", input_size_, hidden_size_);
  if (options_.num_layers != 1) text += fmt::format(", num_layers={}", options_.num_layers);
  if (!options_.bias) text += ", bias=false";
  if (options_.batch_first) text += ", batch_first=true";
  if (options_.dropout != 0) text += fmt::format(", dropout={}", options_.dropout);
  if (options_.bidirectional) text += ", bidirectional=true";
  return text;
}

Tensor RecurrentBase::forward(const Tensor& x) { return run(x, {}, {}).output; }

void RecurrentBase::check_state(std::string_view what, const Tensor& state, const Shape& shape) const {
  if (state.defined() && !(state.shape() == shape)) {
    fail("{}: the initial {} state is of shape {}, expected {}", name_, what, state.shape().to_string(),
         shape.to_string());
  }
}

LSTMOutput<Tensor> RecurrentBase::run_layers(Tensor x, const Tensor& sizes, std::int64_t n, const Tensor& hidden,
                                             const Tensor& cell) {
  const std::int64_t count = options_.num_layers * directions();
  check_state("hidden", hidden, {count, n, hidden_size_});
  check_state("cell", cell, {count, n, hidden_size_});
  hidden_parts_.clear();
  cell_parts_.clear();
  const auto part = [](const Tensor& states, std::int64_t i) {
    return states.defined() ? states.select(0, i) : states;
  };
  for (std::int64_t layer = 0; layer < options_.num_layers; ++layer) {
    Tensor output;
    for (std::int64_t direction = 0; direction < directions(); ++direction) {
      const std::int64_t i = layer * directions() + direction;
      RecurrentResult result = recurrent(cell_, x, weights_[static_cast<std::size_t>(i)], part(hidden, i),
                                         part(cell, i), sizes, n, direction == 1);
      output = direction == 0 ? std::move(result.output) : cat({output, result.output}, 1);
      hidden_parts_.push_back(std::move(result.hidden));
      if (result.cell.defined()) cell_parts_.push_back(std::move(result.cell));
    }
    x = std::move(output);
    if (layer + 1 < options_.num_layers) x = dropout(x, options_.dropout, is_training());
  }
  const auto joined = [&](const std::vector<Tensor>& parts) {
    if (parts.empty()) return Tensor();
    return (parts.size() == 1 ? parts[0] : cat(parts, 0)).reshape({count, n, hidden_size_});
  };
  LSTMOutput<Tensor> result{std::move(x), joined(hidden_parts_), joined(cell_parts_)};
  hidden_parts_.clear();
  cell_parts_.clear();
  return result;
}

LSTMOutput<Tensor> RecurrentBase::run(const Tensor& x, const Tensor& hidden, const Tensor& cell) {
  if (!x.defined() || x.dims() < 2 || x.dims() > 3 || x.shape()[x.dims() - 1] != input_size_) {
    fail("{}: an input of shape {} does not fit, expected {} or [steps, {}]", name_,
         x.defined() ? x.shape().to_string() : "undefined",
         fmt::format("[{}, {}]", options_.batch_first ? "n, steps" : "steps, n", input_size_), input_size_);
  }
  const bool batched = x.dims() == 3;
  const bool turned = batched && options_.batch_first;
  const std::int64_t steps = x.shape()[turned ? 1 : 0];
  const std::int64_t n = batched ? x.shape()[turned ? 0 : 1] : 1;
  if (steps == 0 || n == 0) fail("{}: an input of shape {} holds no step", name_, x.shape().to_string());
  if (!batched) {
    const Shape expected{options_.num_layers * directions(), hidden_size_};
    check_state("hidden", hidden, expected);
    check_state("cell", cell, expected);
  }
  const auto with_batch = [&](const Tensor& state) {
    return state.defined() && !batched ? state.unsqueeze(1) : state;
  };
  const Tensor rows = (turned ? x.transpose(0, 1) : x).reshape({steps * n, input_size_});
  LSTMOutput<Tensor> result = run_layers(rows, {}, n, with_batch(hidden), with_batch(cell));
  const std::int64_t width = hidden_size_ * directions();
  if (!batched) {
    result.h_n = result.h_n.squeeze(1);
    if (result.c_n.defined()) result.c_n = result.c_n.squeeze(1);
    return result;
  }
  result.output = result.output.reshape({steps, n, width});
  if (turned) result.output = result.output.transpose(0, 1);
  return result;
}

LSTMOutput<PackedSequence> RecurrentBase::run(const PackedSequence& x, const Tensor& hidden, const Tensor& cell) {
  if (!x.data.defined() || x.data.dims() != 2 || x.data.shape()[1] != input_size_ || !x.batch_sizes.defined() ||
      x.batch_sizes.numel() == 0) {
    fail("{}: a packed input of shape {} does not fit, expected [rows, {}]", name_,
         x.data.defined() ? x.data.shape().to_string() : "undefined", input_size_);
  }
  const auto in_order = [](const Tensor& states, const Tensor& order) {
    return states.defined() && order.defined() ? states.index_select(1, order) : states;
  };
  const std::int64_t n = x.sequences();
  // Before the order is applied: a state of the wrong size is an error of this module.
  const Shape expected{options_.num_layers * directions(), n, hidden_size_};
  check_state("hidden", hidden, expected);
  check_state("cell", cell, expected);
  LSTMOutput<Tensor> result =
      run_layers(x.data, x.batch_sizes, n, in_order(hidden, x.sorted_indices), in_order(cell, x.sorted_indices));
  return {.output = {.data = std::move(result.output),
                     .batch_sizes = x.batch_sizes,
                     .sorted_indices = x.sorted_indices,
                     .unsorted_indices = x.unsorted_indices},
          .h_n = in_order(result.h_n, x.unsorted_indices),
          .c_n = in_order(result.c_n, x.unsorted_indices)};
}

namespace {

template <class Sequence>
RecurrentOutput<Sequence> without_cell(LSTMOutput<Sequence>&& result) {
  return {.output = std::move(result.output), .h_n = std::move(result.h_n)};
}

CellKernel cell_of(Nonlinearity nonlinearity) {
  return nonlinearity == Nonlinearity::tanh ? CellKernel::rnn_tanh : CellKernel::rnn_relu;
}

}  // namespace

RNN::RNN(std::int64_t input_size, std::int64_t hidden_size, const RNNOptions& options)
    : RecurrentBase("RNN", cell_of(options.nonlinearity), input_size, hidden_size,
                    {.num_layers = options.num_layers,
                     .bias = options.bias,
                     .batch_first = options.batch_first,
                     .dropout = options.dropout,
                     .bidirectional = options.bidirectional}) {}

RecurrentOutput<Tensor> RNN::forward(const Tensor& x, const Tensor& initial) {
  return without_cell(run(x, initial, {}));
}
RecurrentOutput<PackedSequence> RNN::forward(const PackedSequence& x, const Tensor& initial) {
  return without_cell(run(x, initial, {}));
}

GRU::GRU(std::int64_t input_size, std::int64_t hidden_size, const RecurrentOptions& options)
    : RecurrentBase("GRU", CellKernel::gru, input_size, hidden_size, options) {}

RecurrentOutput<Tensor> GRU::forward(const Tensor& x, const Tensor& initial) {
  return without_cell(run(x, initial, {}));
}
RecurrentOutput<PackedSequence> GRU::forward(const PackedSequence& x, const Tensor& initial) {
  return without_cell(run(x, initial, {}));
}

LSTM::LSTM(std::int64_t input_size, std::int64_t hidden_size, const RecurrentOptions& options)
    : RecurrentBase("LSTM", CellKernel::lstm, input_size, hidden_size, options) {}

LSTMOutput<Tensor> LSTM::forward(const Tensor& x, const LSTMState& initial) {
  return run(x, initial.hidden, initial.cell);
}
LSTMOutput<PackedSequence> LSTM::forward(const PackedSequence& x, const LSTMState& initial) {
  return run(x, initial.hidden, initial.cell);
}

}  // namespace feral::nn
