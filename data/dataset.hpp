// Datasets: where samples come from, and the memory they are written into.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::data {

// One named tensor of a sample: {"data", float32, [1, 28, 28]}, {"target", int64, []}.
struct Field {
  std::string name;
  DType dtype = DType::float32;
  Shape shape;  // of one sample
};

// Where each field of a batch stands in its memory: field by field, each on tensor_alignment_bytes, sample after
// sample within it.
class BatchLayout {
 public:
  BatchLayout() = default;
  // Throws feral::Error for no fields, a name twice, or sizes that overflow.
  BatchLayout(std::vector<Field> fields, std::int64_t capacity);

  const std::vector<Field>& fields() const noexcept { return fields_; }
  std::int64_t capacity() const noexcept { return capacity_; }  // samples
  std::size_t offset_bytes(std::size_t field) const noexcept { return offsets_[field]; }
  std::size_t sample_bytes(std::size_t field) const noexcept { return sample_bytes_[field]; }
  std::size_t size_bytes() const noexcept { return size_bytes_; }

 private:
  std::vector<Field> fields_;
  std::int64_t capacity_ = 0;
  std::vector<std::size_t> offsets_;
  std::vector<std::size_t> sample_bytes_;
  std::size_t size_bytes_ = 0;
};

// The memory of one sample about to be filled, inside a batch.
class Sample {
 public:
  Sample(const BatchLayout& layout, std::byte* memory, std::int64_t position) noexcept
      : layout_(layout), memory_(memory), position_(position) {}

  // The elements of field number `field`, row-major. Throws when T is not its type.
  template <class T>
  std::span<T> field(std::size_t field) const;

 private:
  const BatchLayout& layout_;
  std::byte* memory_;
  std::int64_t position_;
};

// A filled batch: tensors over its memory.
class Batch {
 public:
  Batch() = default;
  // Views the first `size` samples in `memory` (layout.size_bytes() long), which must outlive the batch.
  Batch(const BatchLayout& layout, std::byte* memory, std::int64_t size);

  std::int64_t size() const noexcept { return size_; }
  // By position; throws feral::Error when there are fewer.
  const Tensor& field(std::size_t position) const;
  // By name; throws feral::Error naming those there are.
  const Tensor& operator[](std::string_view name) const;
  const Tensor& data() const { return field(0); }    // the first field
  const Tensor& target() const { return field(1); }  // the second field

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::string> names_;
  std::int64_t size_ = 0;
};

// A set of numbered samples. Each process that needs one builds its own; calls come from one thread.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::int64_t size() const = 0;
  // What a sample consists of; the same at every call.
  virtual std::vector<Field> fields() const = 0;
  // Writes sample `index` of [0, size()) into every field of `into`.
  virtual void get(std::int64_t index, Sample& into) const = 0;

  // How much memory the set is going to take beyond what it takes now: of what is read when it is first asked for.
  virtual std::size_t bytes_to_come() const { return 0; }

  // Writes the samples `indices` one after the other; override it where a batch can be made faster.
  virtual void fill(std::span<const std::int64_t> indices, const BatchLayout& layout, std::byte* memory) const;
};

}  // namespace feral::data
