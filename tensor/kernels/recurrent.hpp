// Recurrent layers: all steps of one layer in one direction.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

// The cells, with PyTorch's order of gates in rows of `gates` and of the weights:
//   rnn_tanh, rnn_relu  h' = f(a);                                                        1 gate
//   lstm                i, f, g, o: c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c');       4 gates
//   gru                 r, z, n: n' = tanh(n_x + σ(r) n_h), h' = n' + σ(z) (h - n');      3 gates
// with a = x × w_ihᵀ + b_ih + h × w_hhᵀ + b_hh; for the GRU's n the parts of x and h are n_x and n_h. (Hochreiter
// and Schmidhuber, "Long short-term memory", 1997, with forget gates; Cho et al., "Learning phrase
// representations using RNN encoder-decoder", 2014, in cuDNN's form.)
enum class CellKernel : std::uint8_t { rnn_tanh, rnn_relu, lstm, gru };

inline std::int64_t gates_of(CellKernel cell) noexcept {
  return cell == CellKernel::lstm ? 4 : cell == CellKernel::gru ? 3 : 1;
}

// Where the steps' rows stand: step t has sizes[t] of them, one behind the other, for the first sizes[t] of n
// sequences; sizes never grow, and all are n where `sizes` is null.
struct RecurrentSteps {
  CellKernel cell = CellKernel::lstm;
  bool reverse = false;  // from the last step to the first
  std::int64_t n = 0;
  std::int64_t hidden = 0;
  std::int64_t steps = 0;
  const std::int64_t* sizes = nullptr;

  std::int64_t size_of_step(std::int64_t step) const noexcept { return sizes == nullptr ? n : sizes[step]; }
};

// All contiguous but for input_side and hidden_side, of one type, float32 or float64; [rows] are those of all
// steps, h is `hidden`.
struct RecurrentForward {
  Tensor output;           // [rows, h]
  Tensor hidden;           // [n, h]: the initial state, which becomes the final one
  Tensor cell;             // [n, h], lstm alone: the same
  Tensor gates;            // [rows, gates * h]: x × w_ihᵀ, which becomes the gates
  Tensor weight;           // w_hh [gates * h, h]; may be a live shared parameter, as the biases
  Tensor bias_input;       // [gates * h] or undefined
  Tensor bias_hidden;      // the same
  bool from_zero = false;  // the initial hidden state is known to be 0
  // Left for the way back, [rows, h]; undefined where it is not wanted.
  Tensor hidden_before;
  Tensor cell_before;  // lstm alone
  Tensor extra;        // lstm: tanh(c'); gru: n_h
};

struct RecurrentBackward {
  Tensor gradient;  // [rows, h] of the output
  Tensor hidden;    // [n, h]: the gradient of the final state, which becomes that of the initial one
  Tensor cell;      // the same, lstm alone
  Tensor gates, weight, hidden_before, cell_before, extra;  // as forward left them
  Tensor input_side;                                        // out, [rows, gates * h]: the gradient of x × w_ihᵀ
  Tensor hidden_side;  // out, of h × w_hhᵀ where it is another one: gru alone. These two have rows of one distance.
  bool initial_wanted = true;  // false: what `hidden` becomes is of no interest
};

struct RecurrentKernels {
  void (*recurrent)(const RecurrentSteps& steps, const RecurrentForward& tensors);
  void (*recurrent_backward)(const RecurrentSteps& steps, const RecurrentBackward& tensors);
};

}  // namespace feral
