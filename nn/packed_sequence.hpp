// Sequences of different lengths, step by step without padding, for the recurrent modules.
#pragma once

#include <span>

#include "tensor/tensor.hpp"

namespace feral::nn {

// PyTorch's. Sequences stand in the order of falling length; step t holds batch_sizes[t] rows, those of the
// sequences that are longer than t.
struct PackedSequence {
  Tensor data;         // [rows, ...]
  Tensor batch_sizes;  // int64 [steps], never growing, at least 1
  // int64 [n]: which of the caller's sequences stands where, and the way back. Undefined: they were in order.
  Tensor sorted_indices;
  Tensor unsorted_indices;

  std::int64_t sequences() const;  // n
};

struct PackOptions {
  bool batch_first = false;
  bool enforce_sorted = true;  // lengths that grow are an error; otherwise sequences are sorted here
};

struct PadOptions {
  bool batch_first = false;
  double padding_value = 0;
  std::int64_t total_length = -1;  // steps of the result; -1: as many as the longest sequence has
};

struct PaddedSequence {
  Tensor padded;   // [steps, n, ...], or [n, steps, ...]
  Tensor lengths;  // int64 [n], in the caller's order
};

// input [steps, n, ...] ([n, steps, ...] when batch_first) of which sequence i has lengths[i] steps; lengths, int64
// [n], are at least 1. Throws feral::Error for lengths that do not fit. Recorded.
PackedSequence pack_padded_sequence(const Tensor& input, const Tensor& lengths, const PackOptions& options = {});

// The way back, with padding_value behind the ends. Recorded.
PaddedSequence pad_packed_sequence(const PackedSequence& sequence, const PadOptions& options = {});

// Sequences [length, ...] of one type. Recorded.
PackedSequence pack_sequence(std::span<const Tensor> sequences, bool enforce_sorted = true);

}  // namespace feral::nn
