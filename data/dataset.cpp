#include "data/dataset.hpp"

#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral::data {

BatchLayout::BatchLayout(std::vector<Field> fields, std::int64_t capacity)
    : fields_(std::move(fields)), capacity_(capacity) {
  if (fields_.empty()) fail("batch: a sample needs at least one field");
  if (capacity < 1) fail("batch: {} samples a batch, at least 1 is needed", capacity);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (fields_[k].name == fields_[i].name) fail("batch: two fields are named '{}'", fields_[i].name);
    }
    const std::size_t sample_bytes =
        checked_multiply(static_cast<std::size_t>(fields_[i].shape.numel()), size_of(fields_[i].dtype));
    sample_bytes_.push_back(sample_bytes);
    offsets_.push_back(size_bytes_);
    size_bytes_ =
        align_up(checked_add(size_bytes_, checked_multiply(sample_bytes, static_cast<std::size_t>(capacity))),
                 tensor_alignment_bytes);
  }
}

template <class T>
std::span<T> Sample::field(std::size_t field) const {
  if (field >= layout_.fields().size()) {
    fail("sample: field {} of {}", field, layout_.fields().size());
  }
  const Field& described = layout_.fields()[field];
  if (described.dtype != dtype_of<T>) {
    fail("sample: field '{}' holds {}, not {}", described.name, name_of(described.dtype), name_of(dtype_of<T>));
  }
  const std::size_t bytes = layout_.sample_bytes(field);
  std::byte* start = memory_ + layout_.offset_bytes(field) + static_cast<std::size_t>(position_) * bytes;
  return {reinterpret_cast<T*>(start), bytes / sizeof(T)};
}

template std::span<float> Sample::field<float>(std::size_t) const;
template std::span<double> Sample::field<double>(std::size_t) const;
template std::span<std::int32_t> Sample::field<std::int32_t>(std::size_t) const;
template std::span<std::int64_t> Sample::field<std::int64_t>(std::size_t) const;
template std::span<std::uint8_t> Sample::field<std::uint8_t>(std::size_t) const;
template std::span<std::int8_t> Sample::field<std::int8_t>(std::size_t) const;
template std::span<std::int16_t> Sample::field<std::int16_t>(std::size_t) const;
template std::span<bool> Sample::field<bool>(std::size_t) const;
template std::span<Float16> Sample::field<Float16>(std::size_t) const;
template std::span<BFloat16> Sample::field<BFloat16>(std::size_t) const;

Batch::Batch(const BatchLayout& layout, std::byte* memory, std::int64_t size) : size_(size) {
  FERAL_ASSERT(size >= 0 && size <= layout.capacity());
  for (std::size_t i = 0; i < layout.fields().size(); ++i) {
    const Field& field = layout.fields()[i];
    Shape shape{size};
    for (const std::int64_t dim : field.shape) shape.push_back(dim);
    tensors_.push_back(Tensor::borrow(memory + layout.offset_bytes(i), shape, field.dtype));
    names_.push_back(field.name);
  }
}

const Tensor& Batch::field(std::size_t position) const {
  if (position >= tensors_.size()) fail("batch: field {} of {}", position, tensors_.size());
  return tensors_[position];
}

const Tensor& Batch::operator[](std::string_view name) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) return tensors_[i];
  }
  fail("batch: there is no field '{}', only: {}", name, fmt::join(names_, ", "));
}

void Dataset::fill(std::span<const std::int64_t> indices, const BatchLayout& layout, std::byte* memory) const {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    Sample sample(layout, memory, static_cast<std::int64_t>(i));
    get(indices[i], sample);
  }
}

}  // namespace feral::data
