// Loaded into Python by dlpack_numpy.py: hands a tensor out, takes one in.
#include "tensor/dlpack.hpp"

namespace {

feral::Tensor& kept() {
  static feral::Tensor tensor;
  return tensor;
}

}  // namespace

extern "C" {

// [4, 3] of float32, transposed: element (i, j) is i + 4 * j. Kept here as well.
DLManagedTensor* dlpack_hand_out() {
  feral::Tensor x = feral::Tensor::empty({3, 4});
  for (int i = 0; i < 12; ++i) x.data<float>()[i] = static_cast<float>(i);
  kept() = x.transpose(0, 1);
  return to_dlpack(kept());
}

// Element (i, j) of what was handed out or taken in last.
double dlpack_element(std::int64_t i, std::int64_t j) { return kept().narrow(0, i, 1).narrow(1, j, 1).item(); }

void dlpack_take_in(DLManagedTensor* managed) { kept() = feral::from_dlpack(managed); }

void dlpack_let_go() { kept() = feral::Tensor(); }
}
