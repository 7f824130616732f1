// A model's parameters as one flat region: what the arena holds and what processes share.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "nn/module.hpp"

namespace feral::nn {

// Where each parameter stands in the region: one after the other in the order of named_parameters(), each on a
// boundary of tensor_alignment_bytes. The same in every process that builds the same model.
struct FlatLayout {
  std::vector<NamedTensor> parameters;
  std::vector<std::size_t> offsets_bytes;
  std::size_t size_bytes = 0;
  std::int64_t elements = 0;  // of all parameters, without padding
};

FlatLayout flat_layout(const Module& module);

// Copies the parameters' values into `region` (flat_layout(module).size_bytes long).
void copy_parameters(const FlatLayout& layout, std::span<std::byte> region);

// Makes the parameters views of `region`, whose values they take on; the region must outlive the module. Every
// Tensor that shares a parameter follows.
void bind_parameters(const FlatLayout& layout, std::span<std::byte> region);

}  // namespace feral::nn
