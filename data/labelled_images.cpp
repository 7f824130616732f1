#include "data/labelled_images.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "core/fail.hpp"
#include "data/idx.hpp"

namespace feral::data {

namespace {

void check_dimensions(const std::filesystem::path& path, const std::vector<std::int64_t>& shape,
                      std::size_t expected, std::string_view kind, std::string_view meaning) {
  if (shape.size() == expected) return;
  fail("{}: has {} dimension{}, expected {} ({}) for {}; is it the right file?", path.string(), shape.size(),
       shape.size() == 1 ? "" : "s", expected, meaning, kind);
}

}  // namespace

LabelledImages read_labelled_images(const std::filesystem::path& images, const std::filesystem::path& labels) {
  // The labels first: they are small, so whatever is wrong with them is said at once.
  IdxArray label_array = read_idx(labels);
  check_dimensions(labels, label_array.shape, 1, "labels", "count");
  const auto bad = std::find_if(label_array.bytes.begin(), label_array.bytes.end(),
                                [](std::uint8_t label) { return label >= label_classes; });
  if (bad != label_array.bytes.end()) {
    fail("{}: label {} at index {} is out of range, expected 0..{}", labels.string(), static_cast<int>(*bad),
         bad - label_array.bytes.begin(), label_classes - 1);
  }

  IdxView image_array = open_idx(images);
  check_dimensions(images, image_array.shape, 3, "images", "count, rows, columns");
  if (image_array.shape[0] != label_array.shape[0]) {
    fail("{}: holds {} images, but {} holds {} labels; expected one label an image, from the same set",
         images.string(), image_array.shape[0], labels.string(), label_array.shape[0]);
  }

  return {.count = image_array.shape[0],
          .rows = image_array.shape[1],
          .columns = image_array.shape[2],
          .images = std::move(image_array.bytes),
          .labels = std::move(label_array.bytes)};
}

}  // namespace feral::data
