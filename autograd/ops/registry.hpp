// The list of all ops: what tests, documentation and export walk.
#pragma once

#include <span>

#include "autograd/node.hpp"

namespace feral {

// Every op of the library, in no particular order.
std::span<const OpInfo* const> all_ops() noexcept;

}  // namespace feral
