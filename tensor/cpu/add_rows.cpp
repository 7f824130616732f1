#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/add_rows.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "tensor/cpu/add_rows.hpp"
#include "tensor/racy.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

// A plain loop: the compiler vectorizes it for each target, and under ThreadSanitizer the loads stay atomic.
template <class T>
HWY_ATTR void add_row(std::byte* out_bytes, const std::byte* x_bytes, std::int64_t n, double scale) {
  T* HWY_RESTRICT out = reinterpret_cast<T*>(out_bytes);
  const T* HWY_RESTRICT x = reinterpret_cast<const T*>(x_bytes);
  if (scale == 1) {
    for (std::int64_t i = 0; i < n; ++i) out[i] += racy_load(x + i);
  } else {
    const T factor = static_cast<T>(scale);
    for (std::int64_t i = 0; i < n; ++i) out[i] += factor * racy_load(x + i);
  }
}

AddRow add_row_of(DType dtype) {
  if (dtype == DType::float32) return add_row<float>;
  if (dtype == DType::float64) return add_row<double>;
  return nullptr;
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(add_row_of);

AddRow pick_add_row(DType dtype) { return HWY_DYNAMIC_DISPATCH(add_row_of)(dtype); }

}  // namespace feral::cpu
#endif  // HWY_ONCE
