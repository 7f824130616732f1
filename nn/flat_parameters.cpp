#include "nn/flat_parameters.hpp"

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

}  // namespace

FlatLayout flat_layout(const Module& module) {
  FlatLayout layout;
  layout.parameters = module.named_parameters();
  for (const NamedTensor& parameter : layout.parameters) {
    const Tensor& tensor = parameter.tensor;
    if (!tensor.is_contiguous()) fail("parameters: '{}' is not contiguous", parameter.name);
    const std::size_t bytes = checked_multiply(static_cast<std::size_t>(tensor.numel()), size_of(tensor.dtype()));
    layout.offsets_bytes.push_back(layout.size_bytes);
    layout.size_bytes = align_up(checked_add(layout.size_bytes, bytes), tensor_alignment_bytes);
    layout.elements += tensor.numel();
  }
  return layout;
}

void copy_parameters(const FlatLayout& layout, std::span<std::byte> region) {
  check_region(layout, region);
  for (std::size_t i = 0; i < layout.parameters.size(); ++i) {
    const Tensor& tensor = layout.parameters[i].tensor;
    visit_floating(tensor.dtype(), [&]<class T>() {
      T* to = reinterpret_cast<T*>(region.data() + layout.offsets_bytes[i]);
      for (std::int64_t k = 0; k < tensor.numel(); ++k) racy_store(to + k, tensor.data<T>()[k]);
    });
  }
}

void bind_parameters(const FlatLayout& layout, std::span<std::byte> region) {
  check_region(layout, region);
  for (std::size_t i = 0; i < layout.parameters.size(); ++i) {
    layout.parameters[i].tensor.rebind(region.data() + layout.offsets_bytes[i]);
  }
}

}  // namespace feral::nn
