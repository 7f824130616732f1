// A model's parameters and buffers as one flat region: what the arena holds and what processes share.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "nn/module.hpp"

namespace feral::nn {

// Where each tensor stands in the region: one after the other, the parameters in the order of named_parameters(),
// then the buffers (running statistics, of any type) in that of named_buffers(), each on a boundary of
// tensor_alignment_bytes, a tied one once. The same in every process that builds the same model. Optimizers see the
// parameters alone.
struct FlatLayout {
  std::vector<NamedTensor> parameters;
  std::vector<std::size_t> offsets_bytes;  // of the parameters
  std::vector<NamedTensor> buffers;
  std::vector<std::size_t> buffer_offsets_bytes;
  std::size_t parameter_bytes = 0;  // where the buffers begin
  std::size_t size_bytes = 0;
  std::int64_t elements = 0;  // of all parameters, without padding
};

FlatLayout flat_layout(const Module& module);

// Copies the values of parameters and buffers into `region` (flat_layout(module).size_bytes long).
void copy_parameters(const FlatLayout& layout, std::span<std::byte> region);

// Makes parameters and buffers views of `region`, whose values they take on; the region must outlive the module.
// Every Tensor that shares one of them follows.
void bind_parameters(const FlatLayout& layout, std::span<std::byte> region);

}  // namespace feral::nn
