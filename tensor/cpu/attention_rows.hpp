// The softmax of attention, with scale and mask, and its way back.
#pragma once

#include <cstdint>

namespace feral::cpu {

template <class T>
struct AttentionRows {
  std::int64_t rows, columns;
  T* scores;  // [rows, columns], contiguous; becomes the weights, or the gradient of what scale multiplied
  T scale;
  bool causal;
  const T* mask;  // or null
  std::int64_t mask_row, mask_column;
};

void attention_rows(const AttentionRows<float>& rows);
void attention_rows(const AttentionRows<double>& rows);

// gradient [rows, columns], of the weights, becomes scale × that of the scores.
void attention_rows_back(const float* weights, float* gradient, std::int64_t rows, std::int64_t columns,
                         float scale);
void attention_rows_back(const double* weights, double* gradient, std::int64_t rows, std::int64_t columns,
                         double scale);

}  // namespace feral::cpu
