// Recurrent layers: RNN, LSTM, GRU.
//
// The input is [steps, n, input_size], [n, steps, input_size] when batch_first, [steps, input_size] without a
// batch, or a PackedSequence; the output is laid out alike, its rows D * hidden_size wide, where D is 2 for
// bidirectional layers and else 1. States are [num_layers * D, n, hidden_size] ([num_layers * D, hidden_size]
// without a batch), in every case; an undefined initial state is 0. Sequences that had to be sorted are given and
// answered in the caller's order. Formulas: tensor/kernels/recurrent.hpp.
//
// Parameters are PyTorch's: weight_ih_l0 [gates * hidden_size, input], weight_hh_l0, bias_ih_l0, bias_hh_l0,
// weight_ih_l0_reverse, …, drawn from within ±1/√hidden_size. proj_size is not supported.
#pragma once

#include <vector>

#include "autograd/ops/recurrent.hpp"
#include "nn/module.hpp"
#include "nn/packed_sequence.hpp"

namespace feral::nn {

struct RecurrentOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;  // of the output of each layer but the last, while training
  bool bidirectional = false;
};

enum class Nonlinearity : std::uint8_t { tanh, relu };

struct RNNOptions {
  std::int64_t num_layers = 1;
  Nonlinearity nonlinearity = Nonlinearity::tanh;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
};

// Sequence is Tensor or PackedSequence.
template <class Sequence>
struct RecurrentOutput {
  Sequence output;
  Tensor h_n;
};
template <class Sequence>
struct LSTMOutput {
  Sequence output;
  Tensor h_n;
  Tensor c_n;
};

struct LSTMState {
  Tensor hidden;
  Tensor cell;
};

// What the three share.
class RecurrentBase : public Module {
 public:
  // The output alone, from initial states of 0: for Sequential.
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

  std::int64_t input_size() const noexcept { return input_size_; }
  std::int64_t hidden_size() const noexcept { return hidden_size_; }
  const RecurrentOptions& options() const noexcept { return options_; }
  // Of a layer, in the direction of time or against it.
  RecurrentWeights& weights(std::int64_t layer, bool reverse = false);

 protected:
  RecurrentBase(std::string_view name, CellKernel cell, std::int64_t input_size, std::int64_t hidden_size,
                const RecurrentOptions& options);

  LSTMOutput<Tensor> run(const Tensor& x, const Tensor& hidden, const Tensor& cell);
  LSTMOutput<PackedSequence> run(const PackedSequence& x, const Tensor& hidden, const Tensor& cell);

 private:
  // All layers; x [rows, input], states [layers * D, n, hidden].
  LSTMOutput<Tensor> run_layers(Tensor x, const Tensor& sizes, std::int64_t n, const Tensor& hidden,
                                const Tensor& cell);
  void check_state(std::string_view what, const Tensor& state, const Shape& shape) const;
  std::int64_t directions() const noexcept { return options_.bidirectional ? 2 : 1; }

  std::string_view name_;
  CellKernel cell_;
  std::int64_t input_size_;
  std::int64_t hidden_size_;
  RecurrentOptions options_;
  std::vector<RecurrentWeights> weights_;          // layer by layer, direction by direction
  std::vector<Tensor> hidden_parts_, cell_parts_;  // memory for run_layers
};

class RNN : public RecurrentBase {
 public:
  RNN(std::int64_t input_size, std::int64_t hidden_size, const RNNOptions& options = {});
  using RecurrentBase::forward;
  RecurrentOutput<Tensor> forward(const Tensor& x, const Tensor& initial);
  RecurrentOutput<PackedSequence> forward(const PackedSequence& x, const Tensor& initial = {});
};

class GRU : public RecurrentBase {
 public:
  GRU(std::int64_t input_size, std::int64_t hidden_size, const RecurrentOptions& options = {});
  using RecurrentBase::forward;
  RecurrentOutput<Tensor> forward(const Tensor& x, const Tensor& initial);
  RecurrentOutput<PackedSequence> forward(const PackedSequence& x, const Tensor& initial = {});
};

class LSTM : public RecurrentBase {
 public:
  LSTM(std::int64_t input_size, std::int64_t hidden_size, const RecurrentOptions& options = {});
  using RecurrentBase::forward;
  LSTMOutput<Tensor> forward(const Tensor& x, const LSTMState& initial);
  LSTMOutput<PackedSequence> forward(const PackedSequence& x, const LSTMState& initial = {});
};

}  // namespace feral::nn
