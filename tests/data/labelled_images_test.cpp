#include "data/labelled_images.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::data {
namespace {

namespace fs = std::filesystem;

using Bytes = std::vector<std::uint8_t>;
using support::has;

class LabelledImagesFiles : public testing::Test {
 protected:
  // Writes an IDX file; sizes up to 255.
  fs::path write(const std::string& name, const Bytes& sizes, const Bytes& elements) const {
    Bytes bytes = {0, 0, 8, static_cast<std::uint8_t>(sizes.size())};
    for (const std::uint8_t size : sizes) {
      for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}, size})
        bytes.push_back(byte);
    }
    bytes.insert(bytes.end(), elements.begin(), elements.end());
    fs::path path = folder_.path() / name;
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  fs::path absent() const { return folder_.path() / "absent"; }

 private:
  support::TemporaryFolder folder_;
};

std::string error_of(const fs::path& images, const fs::path& labels) {
  return support::error_of([&] { read_labelled_images(images, labels); });
}

TEST_F(LabelledImagesFiles, AreReadAsTheyStand) {
  const Bytes pixels = {0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255};
  const LabelledImages read =
      read_labelled_images(write("images", {2, 2, 3}, pixels), write("labels", {2}, {9, 0}));
  EXPECT_EQ(read.count, 2);
  EXPECT_EQ(read.rows, 2);
  EXPECT_EQ(read.columns, 3);
  EXPECT_EQ(read.images, pixels);
  EXPECT_EQ(read.labels, (Bytes{9, 0}));
}

TEST_F(LabelledImagesFiles, RefuseALabelOutOfRangeAndNameTheFirst) {
  const fs::path images = write("images", {4, 1, 1}, {1, 2, 3, 4});
  for (const int bad : {10, 11, 255}) {
    const auto label = static_cast<std::uint8_t>(bad);
    const fs::path labels = write("labels", {4}, {3, 9, label, 200});
    EXPECT_TRUE(
        has(error_of(images, labels), {labels.string(), "label " + std::to_string(bad), "index 2", "0..9"}));
  }
}

TEST_F(LabelledImagesFiles, RefuseUnequalCounts) {
  const fs::path images = write("images", {3, 1, 2}, Bytes(6));
  const fs::path labels = write("labels", {4}, Bytes(4));
  EXPECT_TRUE(has(error_of(images, labels), {images.string(), labels.string(), "3 images", "4 labels"}));
}

TEST_F(LabelledImagesFiles, RefuseWrongDimensions) {
  const fs::path images = write("images", {2, 1, 2}, Bytes(4));
  const fs::path labels = write("labels", {2}, Bytes(2));
  const fs::path flat = write("flat", {2, 2}, Bytes(4));
  const fs::path deep = write("deep", {2, 1, 1, 2}, Bytes(4));
  EXPECT_TRUE(has(error_of(flat, labels), {flat.string(), "2 dimensions", "expected 3", "images"}));
  EXPECT_TRUE(has(error_of(deep, labels), {deep.string(), "4 dimensions", "expected 3"}));
  EXPECT_TRUE(has(error_of(images, flat), {flat.string(), "2 dimensions", "expected 1", "labels"}));
  EXPECT_TRUE(has(error_of(labels, images), {images.string(), "3 dimensions", "expected 1", "right file"}));
}

TEST_F(LabelledImagesFiles, RefuseAnEmptySet) {
  const fs::path images = write("images", {0, 28, 28}, {});
  const fs::path labels = write("labels", {0}, {});
  EXPECT_TRUE(has(error_of(images, labels), {labels.string(), "size 0", "at least 1"}));
  EXPECT_TRUE(has(error_of(images, write("one", {1}, {1})), {images.string(), "size 0", "at least 1"}));
}

TEST_F(LabelledImagesFiles, RefuseAMissingFileByName) {
  const fs::path images = write("images", {1, 1, 1}, {1});
  const fs::path labels = write("labels", {1}, {1});
  EXPECT_TRUE(has(error_of(absent(), labels), {absent().string(), "No such file"}));
  EXPECT_TRUE(has(error_of(images, absent()), {absent().string(), "No such file"}));
}

}  // namespace
}  // namespace feral::data
