#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/sgd_update.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "optim/sgd_update.hpp"
#include "tensor/racy.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One element, through the racy accessors: the tail of a row, and all of it under ThreadSanitizer.
template <class T>
HWY_INLINE void update_one(T* parameter, const T* gradient, T* velocity, const SGDOptions& step) {
  const T value = racy_load(parameter);
  T g = *gradient + static_cast<T>(step.weight_decay) * value;
  if (velocity != nullptr) {
    g += static_cast<T>(step.momentum) * racy_load(velocity);
    racy_store(velocity, g);
  }
  racy_store(parameter, value - static_cast<T>(step.lr) * g);
}

template <class T>
HWY_ATTR void update(T* parameter, const T* gradient, T* velocity, std::size_t count, const SGDOptions& step) {
  std::size_t i = 0;
#ifndef FERAL_RACY_ATOMICS
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto lr = hn::Set(d, static_cast<T>(-step.lr));
  const auto momentum = hn::Set(d, static_cast<T>(step.momentum));
  const auto decay = hn::Set(d, static_cast<T>(step.weight_decay));
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(d, parameter + i);
    auto g = hn::MulAdd(decay, value, hn::LoadU(d, gradient + i));
    if (velocity != nullptr) {
      g = hn::MulAdd(momentum, hn::LoadU(d, velocity + i), g);
      hn::StoreU(g, d, velocity + i);
    }
    hn::StoreU(hn::MulAdd(lr, g, value), d, parameter + i);
  }
#endif
  for (; i < count; ++i) {
    update_one(parameter + i, gradient + i, velocity == nullptr ? nullptr : velocity + i, step);
  }
}

void update_float32(float* parameter, const float* gradient, float* velocity, std::size_t count,
                    const SGDOptions& step) {
  update(parameter, gradient, velocity, count, step);
}
void update_float64(double* parameter, const double* gradient, double* velocity, std::size_t count,
                    const SGDOptions& step) {
  update(parameter, gradient, velocity, count, step);
}

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::optim {
namespace {
HWY_EXPORT(update_float32);
HWY_EXPORT(update_float64);
}  // namespace

void sgd_update(float* parameter, const float* gradient, float* velocity, std::size_t count,
                const SGDOptions& step) {
  HWY_DYNAMIC_DISPATCH(update_float32)(parameter, gradient, velocity, count, step);
}

void sgd_update(double* parameter, const double* gradient, double* velocity, std::size_t count,
                const SGDOptions& step) {
  HWY_DYNAMIC_DISPATCH(update_float64)(parameter, gradient, velocity, count, step);
}

}  // namespace feral::optim
#endif  // HWY_ONCE
