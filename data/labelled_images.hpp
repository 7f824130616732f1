// Grey images with one label each, held in memory: what the small image data sets are read or generated into.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/byte_array.hpp"

namespace feral::data {

// Labels stand for this many classes: 0 to 9.
inline constexpr int label_classes = 10;

struct LabelledImages {
  std::int64_t count = 0;            // images
  std::int64_t rows = 0;             // of one image, in pixels
  std::int64_t columns = 0;          // of one image, in pixels
  ByteArray images;                  // [count, rows, columns], row-major; 0 is the background, 255 full ink
  std::vector<std::uint8_t> labels;  // [count], each below label_classes
};

// Opens a file of images as open_idx does, and reads the file of their labels.
//
// Throws feral::Error, in one line that names the file, for everything that they refuse, when `images` has
// not 3 dimensions or `labels` not 1, when the two counts differ, and for the first label above 9. What is
// returned has at least one image and one pixel.
LabelledImages read_labelled_images(const std::filesystem::path& images, const std::filesystem::path& labels);

}  // namespace feral::data
