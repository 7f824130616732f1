// Generated images of digits: data to train on where no data set can be installed.
#pragma once

#include <cstdint>

#include "data/labelled_images.hpp"

namespace feral::data {

inline constexpr std::int64_t digit_rows = 28;
inline constexpr std::int64_t digit_columns = 28;
// The most that one call generates, so that a mistyped count is an error and not a machine out of memory.
inline constexpr std::int64_t max_generated_digits = 10'000'000;  // 7.3 GiB

// Draws `count` images of handwritten-looking digits, 28x28, each shifted, scaled, slanted, turned and bent at
// random, with a random pen, and noise over the whole image. Take different seeds for training and for testing.
//
// Image i and its label follow from (seed, i) alone, by integer arithmetic: they are the same whatever the count,
// the machine and the compiler. Each ten images from a multiple of ten on show every digit once, in random order.
// Throws feral::Error unless 1 <= count <= max_generated_digits.
LabelledImages generate_digits(std::int64_t count, std::uint64_t seed);

}  // namespace feral::data
