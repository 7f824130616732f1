#include "nn/packed_sequence.hpp"

#include "autograd/ops/join.hpp"
#include "core/fail.hpp"

namespace feral::nn {
namespace {

constexpr std::string_view pack = "pack_padded_sequence";

Tensor longs(std::int64_t n) { return Tensor::empty({n}, DType::int64); }

void check_lengths(std::string_view op, const Tensor& lengths, std::int64_t n, std::int64_t longest) {
  if (!lengths.defined() || lengths.dtype() != DType::int64 || lengths.dims() != 1 || lengths.shape()[0] != n) {
    fail("{}: lengths must be int64 [{}], one for each sequence, got {}", op, n,
         lengths.defined() ? lengths.to_string() : "an undefined tensor");
  }
  const std::int64_t* length = lengths.data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    if (length[i] < 1 || length[i] > longest) {
      fail("{}: length {} of sequence {} is outside of [1, {}]", op, length[i], i, longest);
    }
  }
}

// Fills in order and step sizes; `lengths` contiguous, in the caller's order. Returns lengths as they stand packed.
Tensor sort(std::string_view op, PackedSequence& result, const Tensor& lengths, bool enforce_sorted) {
  const std::int64_t n = lengths.numel();
  Tensor sorted = lengths;
  if (enforce_sorted) {
    const std::int64_t* length = lengths.data<std::int64_t>();
    for (std::int64_t i = 1; i < n; ++i) {
      if (length[i] > length[i - 1]) {
        fail("{}: lengths grow from {} to {} at sequence {}; sort the sequences or pass enforce_sorted = false", op,
             length[i - 1], length[i], i);
      }
    }
  } else {
    result.sorted_indices = lengths.argsort(0, true);
    result.unsorted_indices = longs(n);
    const std::int64_t* from = result.sorted_indices.data<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) result.unsorted_indices.data<std::int64_t>()[from[i]] = i;
    sorted = lengths.index_select(0, result.sorted_indices);
  }
  const std::int64_t* length = sorted.data<std::int64_t>();
  result.batch_sizes = longs(length[0]);
  std::int64_t size = n;
  for (std::int64_t t = 0; t < length[0]; ++t) {
    while (length[size - 1] <= t) --size;
    result.batch_sizes.data<std::int64_t>()[t] = size;
  }
  return sorted;
}

// Where the packed rows stand among the rows [steps, n] or [n, steps] of a padded tensor in the caller's order.
Tensor places(const PackedSequence& sequence, std::int64_t rows, std::int64_t steps, bool batch_first) {
  const std::int64_t n = sequence.sequences();
  const Tensor result = longs(rows);
  std::int64_t* to = result.data<std::int64_t>();
  const std::int64_t* order =
      sequence.sorted_indices.defined() ? sequence.sorted_indices.data<std::int64_t>() : nullptr;
  for (std::int64_t t = 0; t < sequence.batch_sizes.numel(); ++t) {
    for (std::int64_t i = 0; i < sequence.batch_sizes.data<std::int64_t>()[t]; ++i) {
      const std::int64_t place = order == nullptr ? i : order[i];
      *to++ = batch_first ? place * steps + t : t * n + place;
    }
  }
  return result;
}

std::int64_t rows_of(const PackedSequence& sequence) {
  std::int64_t rows = 0;
  for (std::int64_t t = 0; t < sequence.batch_sizes.numel(); ++t)
    rows += sequence.batch_sizes.data<std::int64_t>()[t];
  return rows;
}

// x's sizes with the first `replaced` ones in place of those given.
Shape with_front(const Shape& shape, int replaced, std::initializer_list<std::int64_t> front) {
  Shape result(front);
  for (int i = replaced; i < shape.dims(); ++i) result.push_back(shape[i]);
  return result;
}

void check_packed(std::string_view op, const PackedSequence& sequence) {
  const Tensor& sizes = sequence.batch_sizes;
  if (!sequence.data.defined() || !sizes.defined() || sizes.dtype() != DType::int64 || sizes.dims() != 1 ||
      sizes.numel() == 0 || !sizes.is_contiguous() || sequence.data.dims() == 0) {
    fail("{}: this is no packed sequence: data and int64 batch_sizes are needed", op);
  }
  const std::int64_t n = sequence.sequences();
  for (std::int64_t t = 0; t < sizes.numel(); ++t) {
    const std::int64_t size = sizes.data<std::int64_t>()[t];
    if (size < 1 || size > (t == 0 ? n : sizes.data<std::int64_t>()[t - 1])) {
      fail("{}: batch size {} of step {} is below 1 or larger than the one before it", op, size, t);
    }
  }
  if (rows_of(sequence) != sequence.data.shape()[0]) {
    fail("{}: batch sizes of {} rows in all do not fit data of shape {}", op, rows_of(sequence),
         sequence.data.shape().to_string());
  }
  for (const Tensor* order : {&sequence.sorted_indices, &sequence.unsorted_indices}) {
    if (!order->defined()) continue;
    bool fits = order->dtype() == DType::int64 && order->shape() == Shape{n} && order->is_contiguous();
    for (std::int64_t i = 0; fits && i < n; ++i) {
      const std::int64_t place = order->data<std::int64_t>()[i];
      fits = place >= 0 && place < n;
    }
    if (!fits) fail("{}: the order of the sequences must be int64 [{}] with numbers below {}", op, n, n);
  }
}

}  // namespace

std::int64_t PackedSequence::sequences() const { return batch_sizes.data<std::int64_t>()[0]; }

PackedSequence pack_padded_sequence(const Tensor& input, const Tensor& lengths, const PackOptions& options) {
  if (!input.defined() || input.dims() < 2) {
    fail("{}: the input must have at least two dimensions, got {}", pack,
         input.defined() ? input.shape().to_string() : "an undefined tensor");
  }
  const std::int64_t n = input.shape()[options.batch_first ? 0 : 1];
  const std::int64_t steps = input.shape()[options.batch_first ? 1 : 0];
  if (n == 0) fail("{}: an input of shape {} holds no sequence", pack, input.shape().to_string());
  check_lengths(pack, lengths, n, steps);
  PackedSequence result;
  (void)sort(pack, result, lengths.contiguous(), options.enforce_sorted);
  const Tensor rows = input.reshape(with_front(input.shape(), 2, {n * steps}));
  result.data = rows.index_select(0, places(result, rows_of(result), steps, options.batch_first));
  return result;
}

PaddedSequence pad_packed_sequence(const PackedSequence& sequence, const PadOptions& options) {
  constexpr std::string_view op = "pad_packed_sequence";
  check_packed(op, sequence);
  const std::int64_t n = sequence.sequences();
  const std::int64_t longest = sequence.batch_sizes.numel();
  if (options.total_length >= 0 && options.total_length < longest) {
    fail("{}: total_length {} is less than the longest sequence's {}", op, options.total_length, longest);
  }
  const std::int64_t steps = options.total_length < 0 ? longest : options.total_length;
  const Tensor& data = sequence.data;
  const Tensor padding =
      Tensor::full(with_front(data.shape(), 1, {n * steps}), options.padding_value, data.dtype());
  const Tensor filled = padding.index_copy(0, places(sequence, data.shape()[0], steps, options.batch_first), data);
  PaddedSequence result;
  result.padded = filled.reshape(options.batch_first ? with_front(data.shape(), 1, {n, steps})
                                                     : with_front(data.shape(), 1, {steps, n}));
  result.lengths = longs(n);
  for (std::int64_t i = 0, length = longest; i < n; ++i) {
    while (sequence.batch_sizes.data<std::int64_t>()[length - 1] <= i) --length;
    const std::int64_t place =
        sequence.sorted_indices.defined() ? sequence.sorted_indices.data<std::int64_t>()[i] : i;
    result.lengths.data<std::int64_t>()[place] = length;
  }
  return result;
}

PackedSequence pack_sequence(std::span<const Tensor> sequences, bool enforce_sorted) {
  constexpr std::string_view op = "pack_sequence";
  if (sequences.empty()) fail("{}: the list is empty", op);
  const auto n = static_cast<std::int64_t>(sequences.size());
  const Tensor lengths = longs(n);
  const Tensor starts = longs(n);  // of each sequence among all rows joined
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const Tensor& sequence = sequences[static_cast<std::size_t>(i)];
    if (!sequence.defined() || sequence.dims() == 0 || sequence.shape()[0] == 0) {
      fail("{}: sequence {} has no steps", op, i);
    }
    lengths.data<std::int64_t>()[i] = sequence.shape()[0];
    starts.data<std::int64_t>()[i] = total;
    total += sequence.shape()[0];
  }
  PackedSequence result;
  (void)sort(op, result, lengths, enforce_sorted);
  const Tensor rows = cat(sequences, 0);
  const Tensor order = longs(total);
  std::int64_t* to = order.data<std::int64_t>();
  for (std::int64_t t = 0; t < result.batch_sizes.numel(); ++t) {
    for (std::int64_t i = 0; i < result.batch_sizes.data<std::int64_t>()[t]; ++i) {
      const std::int64_t place =
          result.sorted_indices.defined() ? result.sorted_indices.data<std::int64_t>()[i] : i;
      *to++ = starts.data<std::int64_t>()[place] + t;
    }
  }
  result.data = rows.index_select(0, order);
  return result;
}

}  // namespace feral::nn
