#include "data/fashion_mnist.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
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

class MnistFolder : public testing::Test {
 protected:
  const fs::path& folder() const { return folder_.path(); }

  // An images file with one image of one pixel, or a labels file with one label; by gzip if the name says so.
  void write(const std::string& name, std::uint8_t value) const {
    const bool images = name.find("images") != std::string::npos;
    const Bytes bytes = images ? Bytes{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, value}
                               : Bytes{0, 0, 8, 1, 0, 0, 0, 1, value};
    const std::string path = (folder() / name).string();
    // Mode T: zlib writes the bytes as they are.
    gzFile file = gzopen(path.c_str(), name.ends_with(".gz") ? "wb" : "wbT");
    ASSERT_NE(file, nullptr) << path;
    ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), static_cast<int>(bytes.size()));
    ASSERT_EQ(gzclose(file), Z_OK);
  }

 private:
  support::TemporaryFolder folder_;
};

std::string error_of(const fs::path& folder, bool train) {
  std::string message = support::error_of([&] { read_mnist_folder(folder, train); });
  if (!message.empty()) {
    EXPECT_NE(message.find(folder.string()), std::string::npos) << message;
  }
  return message;
}

TEST_F(MnistFolder, HoldsATrainingAndATestSet) {
  write("train-images-idx3-ubyte", 10);
  write("train-labels-idx1-ubyte", 1);
  write("t10k-images-idx3-ubyte", 20);
  write("t10k-labels-idx1-ubyte", 2);
  const LabelledImages train = read_mnist_folder(folder(), true);
  EXPECT_EQ(train.images, Bytes{10});
  EXPECT_EQ(train.labels, Bytes{1});
  const LabelledImages test = read_mnist_folder(folder(), false);
  EXPECT_EQ(test.images, Bytes{20});
  EXPECT_EQ(test.labels, Bytes{2});
  EXPECT_EQ(read_mnist_folder(folder() / "", true).images, Bytes{10}) << "a trailing slash";
}

TEST_F(MnistFolder, TakesEverySpellingAndPrefersPlainFiles) {
  // From the least to the most preferred: each new file takes over from those that are there.
  const std::vector<std::string> endings = {".idx3-ubyte.gz", "-idx3-ubyte.gz", ".idx3-ubyte", "-idx3-ubyte"};
  write("t10k-labels.idx1-ubyte.gz", 7);
  std::uint8_t value = 0;
  for (const std::string& ending : endings) {
    write("t10k-images" + ending, ++value);
    const LabelledImages read = read_mnist_folder(folder(), false);
    EXPECT_EQ(read.images, Bytes{value}) << ending;
    EXPECT_EQ(read.labels, Bytes{7});
  }
}

TEST_F(MnistFolder, PassesOverAFolderWithAFilesName) {
  fs::create_directory(folder() / "train-images-idx3-ubyte");
  write("train-images-idx3-ubyte.gz", 4);
  write("train-labels-idx1-ubyte", 5);
  EXPECT_EQ(read_mnist_folder(folder(), true).images, Bytes{4});
}

TEST_F(MnistFolder, NamesAMissingFileAndWhatWasLookedFor) {
  write("train-images-idx3-ubyte", 1);
  EXPECT_TRUE(has(error_of(folder(), true),
                  {(folder() / "train-labels-idx1-ubyte").string(), "no such file", "train-labels.idx1-ubyte,",
                   "train-labels-idx1-ubyte.gz", "train-labels.idx1-ubyte.gz", "--data PATH"}));
  EXPECT_TRUE(has(error_of(folder(), false), {(folder() / "t10k-images-idx3-ubyte").string(), "no such file"}));
}

TEST_F(MnistFolder, RefusesAMissingFolder) {
  const std::string message = error_of(folder() / "absent", true);
  EXPECT_TRUE(has(message, {"missing", "--data PATH"}));
  EXPECT_EQ(message.find("apt-get"), std::string::npos) << "no package puts files there: " << message;
  EXPECT_TRUE(has(error_of("", true), {"''", "missing", "--data PATH"}));
}

TEST_F(MnistFolder, RefusesAFileInPlaceOfAFolder) {
  write("train-images-idx3-ubyte", 1);
  EXPECT_TRUE(has(error_of(folder() / "train-images-idx3-ubyte", true), {"not a folder", "--data PATH"}));
}

TEST_F(MnistFolder, RefusesAFolderThatCannotBeLookedAt) {
  fs::create_symlink(folder() / "loop", folder() / "loop");
  EXPECT_TRUE(has(error_of(folder() / "loop", true), {"cannot be read", "symbolic links"}));
}

TEST_F(MnistFolder, PassesOnWhatIsWrongWithAFile) {
  write("train-images-idx3-ubyte", 1);
  write("train-labels-idx1-ubyte", 10);
  EXPECT_TRUE(has(error_of(folder(), true), {"train-labels-idx1-ubyte", "label 10", "index 0", "0..9"}));
}

TEST(FashionMnist, LivesWhereDebianPutsIt) {
  EXPECT_EQ(fashion_mnist_folder(), fs::path("/usr/share/datasets/fashion-mnist"));
}

TEST(FashionMnist, NamesThePackageWhenItIsNotInstalled) {
  if (fs::exists(fashion_mnist_folder())) GTEST_SKIP() << "dataset-fashion-mnist is installed";
  EXPECT_TRUE(
      has(error_of(fashion_mnist_folder(), true), {"apt-get install dataset-fashion-mnist", "--data PATH"}));
  EXPECT_TRUE(has(error_of(fashion_mnist_folder() / "", true), {"apt-get install dataset-fashion-mnist"}));
}

TEST(FashionMnist, IsReadWhole) {
  if (!fs::exists(fashion_mnist_folder())) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  for (const bool train : {true, false}) {
    const LabelledImages set = read_mnist_folder(fashion_mnist_folder(), train);
    const std::int64_t count = train ? 60'000 : 10'000;
    EXPECT_EQ(set.count, count);
    EXPECT_EQ(set.rows, 28);
    EXPECT_EQ(set.columns, 28);
    ASSERT_EQ(set.images.size(), static_cast<std::size_t>(count * 28 * 28));
    ASSERT_EQ(set.labels.size(), static_cast<std::size_t>(count));
    std::array<std::int64_t, label_classes> images_of{};
    for (const std::uint8_t label : set.labels) ++images_of.at(label);
    for (const std::int64_t images : images_of) EXPECT_EQ(images, count / label_classes);
    const auto [darkest, brightest] = std::minmax_element(set.images.begin(), set.images.end());
    EXPECT_EQ(*darkest, 0);
    EXPECT_EQ(*brightest, 255);
    // The published sets begin with an ankle boot each.
    EXPECT_EQ(set.labels[0], 9);
  }
}

}  // namespace
}  // namespace feral::data
