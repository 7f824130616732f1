// The table of a job's tensors in its arena: names, types, shapes and places, for those who attach from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nn/flat_parameters.hpp"

namespace feral {

// One parameter or buffer of the model, as it lies in the region "parameters".
struct TensorEntry {
  std::string name;  // PyTorch's: "hidden.weight"
  DType dtype = DType::float32;
  Shape shape;
  std::size_t offset_bytes = 0;  // from the region's start
  bool is_buffer = false;        // else a parameter
};

// The region "tensors": one record each. Written once by the evaluator before it publishes the parameters
// (ControlBlock::published, release), read-only afterwards; zeroes until then.
struct TensorRecord {
  static constexpr std::size_t name_bytes = 192;
  char name[name_bytes];  // ends with a zero byte; of a longer one its end
  std::uint64_t offset_bytes;
  std::int64_t sizes[Shape::max_dims];
  std::int32_t dims;
  std::uint32_t is_buffer;
  std::uint32_t dtype;
  std::uint32_t reserved;
};

// How many records a model takes.
std::uint32_t tensor_record_count(const nn::FlatLayout& layout) noexcept;

// `records` has tensor_record_count(layout) entries.
void write_tensor_table(const nn::FlatLayout& layout, std::span<TensorRecord> records);

// Throws feral::Error for a record that contradicts itself or reaches beyond `parameter_bytes` (law 10).
std::vector<TensorEntry> read_tensor_table(std::span<const TensorRecord> records, std::size_t parameter_bytes);

}  // namespace feral
