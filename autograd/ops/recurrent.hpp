// Recurrent layers: one direction of one layer over all its steps.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral {

// PyTorch's, for the cells of tensor/kernels/recurrent.hpp: gates * h rows each; biases may be undefined.
struct RecurrentWeights {
  Tensor weight_ih;  // [gates * h, in]
  Tensor weight_hh;  // [gates * h, h]
  Tensor bias_ih;    // [gates * h]
  Tensor bias_hh;
};

struct RecurrentResult {
  Tensor output;  // [rows, h]
  Tensor hidden;  // [n, h], after each sequence's last step (its first one in reverse)
  Tensor cell;    // the same, LSTM alone
};

// x [rows, in] holds the steps one behind the other: `sizes`, int64 [steps] and never growing, says how many of the
// n sequences are left at each; where it is undefined, all are at every step. hidden and cell [n, h]: the initial
// states, 0 where undefined; `cell` is for the LSTM alone. One type, float32 or float64.
RecurrentResult recurrent(CellKernel kind, const Tensor& x, const RecurrentWeights& weights, const Tensor& hidden,
                          const Tensor& cell, const Tensor& sizes, std::int64_t n, bool reverse);

namespace ops {

// Inputs: x, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh, sizes. The result holds output, final hidden
// state and, for the LSTM, final cell state below each other: [rows + n (+ n), h].
struct Recurrent {
  static constexpr std::string_view name = "recurrent";
  static constexpr int arity = 8;
  static constexpr unsigned saved_inputs = 0xFF;
  static constexpr int aux = 4;  // gates, and the states before each step: tensor/kernels/recurrent.hpp
  struct Attributes {
    CellKernel cell = CellKernel::lstm;
    bool reverse = false;
    std::int64_t n = 1;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& hidden, const Tensor& cell,
                      const Tensor& weight_ih, const Tensor& weight_hh, const Tensor& bias_ih,
                      const Tensor& bias_hh, const Tensor& sizes);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Recurrent>& aux, const Tensor& x,
                  const Tensor& hidden, const Tensor& cell, const Tensor& weight_ih, const Tensor& weight_hh,
                  const Tensor& bias_ih, const Tensor& bias_hh, const Tensor& sizes);
  static Gradients<8> gradient(const Saved<Recurrent>& saved, const Tensor& gradient);
};

// The same gradient as a composition of ordinary ops: what is recorded for second derivatives.
Gradients<8> recorded_gradient(const Saved<Recurrent>& saved, const Tensor& gradient);

}  // namespace ops
}  // namespace feral
