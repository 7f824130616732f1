#include "nn/running_statistics.hpp"

#include "tensor/racy.hpp"

namespace feral::nn {

void update_running(const Tensor& running, const Tensor& fresh, double factor, double scale) {
  running.touch();
  visit_floating(running.dtype(), [&]<class T>() {
    T* const to = running.data<T>();
    const T* const from = fresh.data<T>();
    const T keep = static_cast<T>(1 - factor);
    const T take = static_cast<T>(factor * scale);
    for (std::int64_t c = 0; c < running.numel(); ++c)
      racy_store(to + c, keep * racy_load(to + c) + take * from[c]);
  });
}

std::int64_t count_batch(const Tensor& batches) {
  batches.touch();
  auto* const count = batches.data<std::int64_t>();
  const std::int64_t next = racy_load(count) + 1;
  racy_store(count, next);
  return next;
}

Tensor running_moments(const Tensor& mean, const Tensor& variance) {
  const std::int64_t channels = mean.numel();
  const Tensor moments = Tensor::empty({2, channels}, mean.dtype());
  visit_floating(mean.dtype(), [&]<class T>() {
    racy_copy(moments.data<T>(), mean.data<T>(), static_cast<std::size_t>(channels));
    racy_copy(moments.data<T>() + channels, variance.data<T>(), static_cast<std::size_t>(channels));
  });
  return moments;
}

}  // namespace feral::nn
