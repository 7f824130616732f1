#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/image_dataset.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "core/fail.hpp"
#include "data/image_dataset.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::data::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_ATTR void normalize(float* out, const std::uint8_t* pixels, std::size_t count, float scale, float shift) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::int32_t, decltype(d)> d32;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  const std::size_t lanes = hn::Lanes(d);
  const auto scales = hn::Set(d, scale);
  const auto shifts = hn::Set(d, shift);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto wide = hn::PromoteTo(d32, hn::LoadU(d8, pixels + i));
    hn::StoreU(hn::MulAdd(hn::ConvertTo(d, wide), scales, shifts), d, out + i);
  }
  for (; i < count; ++i) out[i] = static_cast<float>(pixels[i]) * scale + shift;
}

}  // namespace feral::data::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::data {
namespace {
HWY_EXPORT(normalize);
}

void normalize_pixels(float* out, const std::uint8_t* pixels, std::size_t count, float scale, float shift) {
  HWY_DYNAMIC_DISPATCH(normalize)(out, pixels, count, scale, shift);
}

ImageDataset::ImageDataset(LabelledImages images, float mean, float deviation)
    : images_(std::move(images)), scale_(1 / (255 * deviation)), shift_(-mean / deviation) {
  if (!(deviation > 0)) fail("images: the deviation must be above 0, got {}", deviation);
}

std::vector<Field> ImageDataset::fields() const {
  return {{"data", DType::float32, {1, images_.rows, images_.columns}}, {"target", DType::int64, {}}};
}

void ImageDataset::get(std::int64_t index, Sample& into) const {
  const auto pixels = static_cast<std::size_t>(images_.rows * images_.columns);
  const auto position = static_cast<std::size_t>(index);
  normalize_pixels(into.field<float>(0).data(), images_.images.data() + position * pixels, pixels, scale_, shift_);
  into.field<std::int64_t>(1)[0] = images_.labels[position];
}

}  // namespace feral::data
#endif  // HWY_ONCE
