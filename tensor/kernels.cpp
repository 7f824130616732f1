#include "tensor/kernels.hpp"

#include "tensor/cpu/kernels.hpp"

namespace feral {

const Kernels& kernels(Device) noexcept { return cpu::kernel_table; }

}  // namespace feral
