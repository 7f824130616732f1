#include "nn/flat_parameters.hpp"

#include <algorithm>

#include "core/fail.hpp"
#include "core/sizes.hpp"
#include "tensor/racy.hpp"

namespace feral::nn {
namespace {

void check_region(const FlatLayout& layout, std::span<std::byte> region) {
  if (region.size() != layout.size_bytes) {
    fail("parameters: the model needs {} bytes, the region has {}: do all processes build the same model?",
         layout.size_bytes, region.size());
  }
}

// The place of the next tensor; the layout grows by it.
std::size_t take_place(FlatLayout& layout, const NamedTensor& entry) {
  const Tensor& tensor = entry.tensor;
  if (!tensor.is_contiguous()) fail("parameters: '{}' is not contiguous", entry.name);
  const std::size_t bytes = checked_multiply(static_cast<std::size_t>(tensor.numel()), size_of(tensor.dtype()));
  const std::size_t place = layout.size_bytes;
  layout.size_bytes = align_up(checked_add(layout.size_bytes, bytes), tensor_alignment_bytes);
  return place;
}

// function(tensor, its place) for all of them.
template <class Function>
void each_tensor(const FlatLayout& layout, const Function& function) {
  for (std::size_t i = 0; i < layout.parameters.size(); ++i) {
    function(layout.parameters[i].tensor, layout.offsets_bytes[i]);
  }
  for (std::size_t i = 0; i < layout.buffers.size(); ++i) {
    function(layout.buffers[i].tensor, layout.buffer_offsets_bytes[i]);
  }
}

}  // namespace

FlatLayout flat_layout(const Module& module) {
  FlatLayout layout;
  layout.parameters = module.named_parameters();
  for (const NamedTensor& parameter : layout.parameters) {
    layout.offsets_bytes.push_back(take_place(layout, parameter));
    layout.elements += parameter.tensor.numel();
  }
  layout.parameter_bytes = layout.size_bytes;
  layout.buffers = module.named_buffers();
  // A buffer that is a parameter elsewhere has its place already.
  std::erase_if(layout.buffers, [&](const NamedTensor& buffer) {
    return std::ranges::any_of(layout.parameters,
                               [&](const NamedTensor& p) { return p.tensor.impl() == buffer.tensor.impl(); });
  });
  for (const NamedTensor& buffer : layout.buffers)
    layout.buffer_offsets_bytes.push_back(take_place(layout, buffer));
  return layout;
}

void copy_parameters(const FlatLayout& layout, std::span<std::byte> region) {
  check_region(layout, region);
  each_tensor(layout, [&](const Tensor& tensor, std::size_t place) {
    visit_dtype(tensor.dtype(), [&]<class T>() {
      T* to = reinterpret_cast<T*>(region.data() + place);
      for (std::int64_t k = 0; k < tensor.numel(); ++k) racy_store(to + k, tensor.data<T>()[k]);
    });
  });
}

void bind_parameters(const FlatLayout& layout, std::span<std::byte> region) {
  check_region(layout, region);
  each_tensor(layout, [&](const Tensor& tensor, std::size_t place) { tensor.rebind(region.data() + place); });
}

}  // namespace feral::nn
