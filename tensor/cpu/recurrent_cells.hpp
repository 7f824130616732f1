// One step of a recurrent cell, element by element, behind the products.
#pragma once

#include <cstdint>

#include "tensor/kernels/recurrent.hpp"

namespace feral::cpu {

// `rows` rows one behind the other; pointers may be null where tensor/kernels/recurrent.hpp says "undefined".
template <class T>
struct CellStep {
  std::int64_t rows, hidden;
  T* gates;
  const T* products;  // h × w_hhᵀ [rows, gates * hidden]
  const T* bias;      // [gates * hidden], both biases' sum; the GRU's n: that of the input alone
  const T* bias_new;  // [hidden], the GRU's n: that of the hidden side
  T* state;           // h, then h'
  T* cell;            // c, then c'
  T* output;
  T *hidden_before, *cell_before, *extra;
};

// The way back. state: the gradient of h' from later steps, then the part of h's gradient that does not go through
// the products; cell: of c', then of c.
template <class T>
struct CellStepBack {
  std::int64_t rows, hidden;
  const T* gradient;  // of h', from the output
  T *state, *cell;
  const T *gates, *hidden_before, *cell_before, *extra;
  T *input_side, *hidden_side;
  std::int64_t side_row;  // elements from one row of these two to the next
};

void run_cell(CellKernel cell, const CellStep<float>& step);
void run_cell(CellKernel cell, const CellStep<double>& step);
void run_cell_back(CellKernel cell, const CellStepBack<float>& step);
void run_cell_back(CellKernel cell, const CellStepBack<double>& step);

}  // namespace feral::cpu
