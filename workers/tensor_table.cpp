#include "workers/tensor_table.hpp"

#include <algorithm>
#include <cstring>

#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral {
namespace {

TensorRecord record_of(const nn::NamedTensor& named, std::size_t offset_bytes, bool is_buffer) {
  TensorRecord record{};
  const std::size_t length = std::min(named.name.size(), TensorRecord::name_bytes - 1);
  std::memcpy(record.name, named.name.data() + named.name.size() - length, length);
  record.offset_bytes = offset_bytes;
  const Shape& shape = named.tensor.shape();
  std::copy(shape.begin(), shape.end(), record.sizes);
  record.dims = shape.dims();
  record.is_buffer = is_buffer ? 1 : 0;
  record.dtype = static_cast<std::uint32_t>(named.tensor.dtype());
  return record;
}

TensorEntry entry_of(const TensorRecord& record, std::size_t number, std::size_t parameter_bytes) {
  const std::size_t length = ::strnlen(record.name, TensorRecord::name_bytes);
  if (length == 0 || length == TensorRecord::name_bytes) fail("arena: corrupt tensor {}: its name", number);
  if (record.dims < 0 || record.dims > Shape::max_dims || record.dtype >= static_cast<std::uint32_t>(dtype_count)) {
    fail("arena: corrupt tensor {}: {} dimensions, type {}", number, record.dims, record.dtype);
  }
  TensorEntry entry{.name = std::string(record.name, length),
                    .dtype = static_cast<DType>(record.dtype),
                    .shape = {},
                    .offset_bytes = record.offset_bytes,
                    .is_buffer = record.is_buffer != 0};
  std::size_t bytes = size_of(entry.dtype);
  for (std::int32_t i = 0; i < record.dims; ++i) {
    if (record.sizes[i] < 0) fail("arena: corrupt tensor {}: a size of {}", number, record.sizes[i]);
    bytes = checked_multiply(bytes, static_cast<std::size_t>(record.sizes[i]));
  }
  entry.shape = Shape(std::span(record.sizes, static_cast<std::size_t>(record.dims)));
  if (record.offset_bytes % tensor_alignment_bytes != 0 || record.offset_bytes > parameter_bytes ||
      bytes > parameter_bytes - record.offset_bytes) {
    fail("arena: corrupt tensor {}: {} bytes at {} of {}", number, bytes, record.offset_bytes, parameter_bytes);
  }
  return entry;
}

}  // namespace

std::uint32_t tensor_record_count(const nn::FlatLayout& layout) noexcept {
  return static_cast<std::uint32_t>(layout.parameters.size() + layout.buffers.size());
}

void write_tensor_table(const nn::FlatLayout& layout, std::span<TensorRecord> records) {
  if (records.size() != tensor_record_count(layout)) {
    fail("tensors: the model has {}, the job was planned with {}: do all processes build the same model?",
         tensor_record_count(layout), records.size());
  }
  for (std::size_t i = 0; i < layout.parameters.size(); ++i) {
    records[i] = record_of(layout.parameters[i], layout.offsets_bytes[i], false);
  }
  for (std::size_t i = 0; i < layout.buffers.size(); ++i) {
    records[layout.parameters.size() + i] = record_of(layout.buffers[i], layout.buffer_offsets_bytes[i], true);
  }
}

std::vector<TensorEntry> read_tensor_table(std::span<const TensorRecord> records, std::size_t parameter_bytes) {
  std::vector<TensorEntry> entries;
  for (std::size_t i = 0; i < records.size(); ++i) entries.push_back(entry_of(records[i], i, parameter_bytes));
  return entries;
}

}  // namespace feral
