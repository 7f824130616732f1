// A dataset over tensors in memory.
#pragma once

#include "data/dataset.hpp"

namespace feral::data {

// Sample i is row i of each tensor; fields are named as given. All tensors have the same first size.
class TensorDataset : public Dataset {
 public:
  struct Named {
    std::string name;
    Tensor tensor;
  };
  explicit TensorDataset(std::vector<Named> tensors);
  // The common case: fields "data" and "target".
  TensorDataset(Tensor data, Tensor target)
      : TensorDataset({{"data", std::move(data)}, {"target", std::move(target)}}) {}

  std::int64_t size() const override { return tensors_.front().tensor.size(0); }
  std::vector<Field> fields() const override;
  void get(std::int64_t index, Sample& into) const override;

 private:
  std::vector<Named> tensors_;
};

}  // namespace feral::data
