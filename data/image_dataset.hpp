// Labelled 8-bit images, normalized on the way into a batch.
#pragma once

#include "data/dataset.hpp"
#include "data/labelled_images.hpp"

namespace feral::data {

// Fields: "data" float32 [1, rows, columns], (pixel / 255 - mean) / deviation; "target" int64 [].
class ImageDataset : public Dataset {
 public:
  // Mean and deviation of pixels scaled to [0, 1]; the defaults are those of Fashion-MNIST's training images.
  explicit ImageDataset(LabelledImages images, float mean = 0.2860F, float deviation = 0.3530F);

  std::int64_t size() const override { return images_.count; }
  std::vector<Field> fields() const override;
  void get(std::int64_t index, Sample& into) const override;
  std::size_t bytes_to_come() const override { return images_.images.bytes_to_come(); }

 private:
  LabelledImages images_;
  float scale_;
  float shift_;
};

// out[i] = pixels[i] * scale + shift
void normalize_pixels(float* out, const std::uint8_t* pixels, std::size_t count, float scale, float shift);

}  // namespace feral::data
