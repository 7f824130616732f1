// The negative log-likelihood.
#include "tensor/cpu/kernels.hpp"

namespace feral::cpu {

void nll_loss(const Tensor& out, const Tensor& x, const Tensor& target) {
  const std::int64_t rows = x.shape()[0];
  const std::int64_t classes = x.shape()[1];
  const std::int64_t* labels = target.data<std::int64_t>();
  visit_floating(x.dtype(), [&]<class T>() {
    double sum = 0;
    for (std::int64_t row = 0; row < rows; ++row) sum -= x.data<T>()[row * classes + labels[row]];
    *out.data<T>() = static_cast<T>(sum / static_cast<double>(rows));
  });
}

void nll_loss_scatter(const Tensor& out, const Tensor& gradient, const Tensor& target) {
  const std::int64_t rows = out.shape()[0];
  const std::int64_t classes = out.shape()[1];
  const std::int64_t* labels = target.data<std::int64_t>();
  fill(out, 0);
  visit_floating(out.dtype(), [&]<class T>() {
    const T value = -*gradient.data<T>() / static_cast<T>(rows);
    for (std::int64_t row = 0; row < rows; ++row) out.data<T>()[row * classes + labels[row]] = value;
  });
}

}  // namespace feral::cpu
