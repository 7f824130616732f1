// Philox 4×32-10, the counter-based random generator of Salmon et al., "Parallel random numbers: as easy as 1, 2,
// 3" (SC 2011). The same (seed, stream, block) gives the same four words in every process and on every device.
#pragma once

#include <array>
#include <cstdint>

namespace feral {

using PhiloxBlock = std::array<std::uint32_t, 4>;

// The four random words of block `block` of stream `stream` under `seed`.
constexpr PhiloxBlock philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t block) noexcept {
  PhiloxBlock counter = {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                         static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
  auto key0 = static_cast<std::uint32_t>(seed);
  auto key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1,
               static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

// Where a random kernel starts to draw.
struct PhiloxPosition {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t block = 0;
};

// A word as a float in [0, 1), exact in float32: its upper 24 bits.
constexpr float to_unit_float(std::uint32_t word) noexcept { return static_cast<float>(word >> 8) * 0x1.0p-24F; }

// Two words, the high one first, as a double in [0, 1): their upper 53 bits.
constexpr double to_unit_double(std::uint32_t high, std::uint32_t low) noexcept {
  return static_cast<double>((std::uint64_t{high} << 32 | low) >> 11) * 0x1.0p-53;
}

}  // namespace feral
