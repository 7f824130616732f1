#include "data/dataset.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>

#include "data/image_dataset.hpp"
#include "data/tensor_dataset.hpp"
#include "tests/support/messages.hpp"

namespace feral::data {
namespace {

using support::error_of;
using support::has;

const std::vector<Field> pair = {{"data", DType::float32, {2, 3}}, {"target", DType::int64, {}}};

// 64-byte aligned memory of a batch.
struct Memory {
  explicit Memory(const BatchLayout& layout) : bytes(layout.size_bytes() + 64) {}
  std::byte* get() { return bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64; }
  std::vector<std::byte> bytes;
};

TEST(BatchLayout, PutsFieldsOneAfterTheOtherOnAlignedBoundaries) {
  const BatchLayout layout(pair, 5);
  EXPECT_EQ(layout.sample_bytes(0), 24U);
  EXPECT_EQ(layout.sample_bytes(1), 8U);
  EXPECT_EQ(layout.offset_bytes(0), 0U);
  EXPECT_EQ(layout.offset_bytes(1), 128U);
  EXPECT_EQ(layout.size_bytes(), 192U);
}

TEST(BatchLayout, RefusesWhatCannotBeABatch) {
  EXPECT_TRUE(has(error_of([] { BatchLayout({}, 1); }), {"at least one field"}));
  EXPECT_TRUE(has(error_of([] { BatchLayout(pair, 0); }), {"0 samples"}));
  EXPECT_TRUE(has(error_of([] { BatchLayout({pair[0], pair[0]}, 1); }), {"'data'"}));
  EXPECT_TRUE(has(error_of([] { BatchLayout(pair, std::int64_t{1} << 62); }), {"overflow"}));
}

TEST(Sample, GivesTheElementsOfItsOwnPositionOnly) {
  const BatchLayout layout(pair, 2);
  Memory memory(layout);
  for (std::int64_t position = 0; position < 2; ++position) {
    const Sample sample(layout, memory.get(), position);
    for (float& value : sample.field<float>(0)) value = static_cast<float>(position + 1);
    sample.field<std::int64_t>(1)[0] = position + 7;
  }
  const Batch batch(layout, memory.get(), 2);
  EXPECT_EQ(batch["data"].to_vector<float>(), (std::vector<float>{1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2}));
  EXPECT_EQ(batch.target().to_vector<std::int64_t>(), (std::vector<std::int64_t>{7, 8}));
  EXPECT_EQ(batch.data().shape(), (Shape{2, 2, 3}));
}

TEST(Sample, RefusesAnotherTypeAndAFieldThatIsNotThere) {
  const BatchLayout layout(pair, 1);
  Memory memory(layout);
  const Sample sample(layout, memory.get(), 0);
  EXPECT_TRUE(has(error_of([&] { sample.field<double>(0); }), {"'data'", "float32", "float64"}));
  EXPECT_TRUE(has(error_of([&] { sample.field<float>(2); }), {"field 2 of 2"}));
}

TEST(Batch, NamesTheFieldsThereAreWhenOneIsMissing) {
  const BatchLayout layout({pair[0]}, 1);
  Memory memory(layout);
  const Batch batch(layout, memory.get(), 1);
  EXPECT_TRUE(has(error_of([&] { batch["label"]; }), {"'label'", "data"}));
  EXPECT_TRUE(has(error_of([&] { batch.target(); }), {"field 1 of 1"}));
}

TEST(TensorDataset, SamplesAreTheRowsOfItsTensors) {
  const Tensor x = Tensor::from_vector<float>({1, 2, 3, 4, 5, 6}, {3, 2});
  const Tensor y = Tensor::from_vector<std::int64_t>({7, 8, 9}, {3});
  const TensorDataset dataset(x, y);
  EXPECT_EQ(dataset.size(), 3);
  const BatchLayout layout(dataset.fields(), 2);
  Memory memory(layout);
  const std::vector<std::int64_t> indices = {2, 0};
  dataset.fill(indices, layout, memory.get());
  const Batch batch(layout, memory.get(), 2);
  EXPECT_EQ(batch.data().to_vector<float>(), (std::vector<float>{5, 6, 1, 2}));
  EXPECT_EQ(batch.target().to_vector<std::int64_t>(), (std::vector<std::int64_t>{9, 7}));
}

TEST(TensorDataset, ReadsTransposedTensorsAndRefusesUnequalOnes) {
  const Tensor x = Tensor::from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3}).transpose(0, 1);
  const TensorDataset dataset({{"x", x}});
  const BatchLayout layout(dataset.fields(), 1);
  Memory memory(layout);
  const std::vector<std::int64_t> indices = {1};
  dataset.fill(indices, layout, memory.get());
  EXPECT_EQ(Batch(layout, memory.get(), 1)["x"].to_vector<float>(), (std::vector<float>{2, 5}));
  const Tensor y = Tensor::zeros({4});
  EXPECT_TRUE(has(error_of([&] { TensorDataset(x, y); }), {"'target'", "4", "3"}));
  EXPECT_TRUE(has(error_of([] { TensorDataset({{"x", Tensor()}}); }), {"'x'"}));
}

TEST(ImageDataset, NormalizesEveryPixelValueInRowsOfAnyLength) {
  for (const std::int64_t pixels : {1, 7, 16, 31, 33, 784}) {
    std::vector<std::uint8_t> drawn;
    for (std::int64_t i = 0; i < 2 * pixels; ++i) drawn.push_back(static_cast<std::uint8_t>(i * 37));
    LabelledImages images{.count = 2, .rows = 1, .columns = pixels, .images = drawn, .labels = {3, 9}};
    const ImageDataset dataset(images, 0.25F, 0.5F);
    const BatchLayout layout(dataset.fields(), 2);
    Memory memory(layout);
    const std::vector<std::int64_t> indices = {1, 0};
    dataset.fill(indices, layout, memory.get());
    const Batch batch(layout, memory.get(), 2);
    const std::vector<float> values = batch.data().to_vector<float>();
    for (std::int64_t i = 0; i < 2 * pixels; ++i) {
      const std::int64_t source = (i + pixels) % (2 * pixels);
      const double expected = (images.images[static_cast<std::size_t>(source)] / 255.0 - 0.25) / 0.5;
      EXPECT_NEAR(values[static_cast<std::size_t>(i)], expected, 1e-6) << pixels << " pixels, " << i;
    }
    EXPECT_EQ(batch.target().to_vector<std::int64_t>(), (std::vector<std::int64_t>{9, 3}));
  }
}

}  // namespace
}  // namespace feral::data
