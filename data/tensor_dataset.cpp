#include "data/tensor_dataset.hpp"

#include <cstring>

#include "core/fail.hpp"

namespace feral::data {

TensorDataset::TensorDataset(std::vector<Named> tensors) : tensors_(std::move(tensors)) {
  if (tensors_.empty()) fail("TensorDataset: no tensors");
  for (Named& named : tensors_) {
    if (!named.tensor.defined() || named.tensor.dims() == 0)
      fail("TensorDataset: '{}' has no first dimension", named.name);
    if (named.tensor.size(0) != size()) {
      fail("TensorDataset: '{}' has {} rows, '{}' has {}", named.name, named.tensor.size(0), tensors_.front().name,
           size());
    }
    named.tensor = named.tensor.detach().contiguous();
  }
}

std::vector<Field> TensorDataset::fields() const {
  std::vector<Field> fields;
  for (const Named& named : tensors_) {
    Shape shape;
    for (int i = 1; i < named.tensor.dims(); ++i) shape.push_back(named.tensor.shape()[i]);
    fields.push_back({named.name, named.tensor.dtype(), shape});
  }
  return fields;
}

void TensorDataset::get(std::int64_t index, Sample& into) const {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& tensor = tensors_[i].tensor;
    visit_dtype(tensor.dtype(), [&]<class T>() {
      const std::span<T> to = into.field<T>(i);
      std::memcpy(to.data(), tensor.data<T>() + static_cast<std::size_t>(index) * to.size(), to.size_bytes());
    });
  }
}

}  // namespace feral::data
