// One step of a recurrent layer.
//
// x [n, input_size] or [input_size]; states [n, hidden_size] or [hidden_size], 0 where undefined. Parameters are
// PyTorch's: weight_ih [gates * hidden_size, input_size], weight_hh, bias_ih, bias_hh, drawn from within
// ±1/√hidden_size.
#pragma once

#include "nn/recurrent.hpp"

namespace feral::nn {

struct RNNCellOptions {
  bool bias = true;
  Nonlinearity nonlinearity = Nonlinearity::tanh;
};

class RecurrentCellBase : public Module {
 public:
  // The new hidden state, from states of 0.
  Tensor forward(const Tensor& x) override { return step(x, {}).hidden; }
  std::string extra_repr() const override;

  RecurrentWeights weights;

 protected:
  RecurrentCellBase(std::string_view name, CellKernel cell, std::int64_t input_size, std::int64_t hidden_size,
                    bool bias);
  LSTMState step(const Tensor& x, const LSTMState& state) const;

 private:
  std::string_view name_;
  CellKernel cell_;
  std::int64_t input_size_;
  std::int64_t hidden_size_;
};

class RNNCell : public RecurrentCellBase {
 public:
  RNNCell(std::int64_t input_size, std::int64_t hidden_size, const RNNCellOptions& options = {});
  using RecurrentCellBase::forward;
  Tensor forward(const Tensor& x, const Tensor& hidden) { return step(x, {hidden, {}}).hidden; }
};

class GRUCell : public RecurrentCellBase {
 public:
  GRUCell(std::int64_t input_size, std::int64_t hidden_size, bool bias = true);
  using RecurrentCellBase::forward;
  Tensor forward(const Tensor& x, const Tensor& hidden) { return step(x, {hidden, {}}).hidden; }
};

class LSTMCell : public RecurrentCellBase {
 public:
  LSTMCell(std::int64_t input_size, std::int64_t hidden_size, bool bias = true);
  using RecurrentCellBase::forward;
  LSTMState forward(const Tensor& x, const LSTMState& state) { return step(x, state); }
};

}  // namespace feral::nn
