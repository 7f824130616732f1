// Which samples of a data set that comes as a whole.
#pragma once

#include <cstdint>

namespace feral::data {

enum class Part : std::uint8_t { train, test };

}  // namespace feral::data
