#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/ema.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/ema.hpp"
#include "optim/update-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

// The average stands where a rule has its parameter, the live parameter where it has the gradient.
template <class T>
struct AverageRule {
  static constexpr std::size_t count = 0;
  Vector<T> weight;
  explicit HWY_INLINE AverageRule(double w) : weight(broadcast<T>(w)) {}
  HWY_INLINE void operator()(Vector<T>& average, Vector<T> value, Vector<T>*) const {
    average = hn::MulAdd(weight, hn::Sub(value, average), average);
  }
};

void average_toward(const double& weight, const Operands& o) { update_with<AverageRule>(weight, o); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(average_toward);

}  // namespace

EMA::EMA(std::vector<Tensor> parameters, EMAOptions options)
    : parameters_(std::move(parameters)), options_(options) {
  if (!(options.decay >= 0 && options.decay <= 1)) fail("EMA: decay must be 0 to 1, got {}", options.decay);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i];
    if (!parameter.defined() || !has_gradient(parameter.dtype()) || !parameter.is_contiguous()) {
      fail("EMA: parameter {} must be contiguous float32 or float64, got {}", i,
           parameter.defined() ? parameter.to_string() : "an undefined tensor");
    }
    averages_.push_back(Tensor::zeros(parameter.shape(), parameter.dtype()));
  }
}

void EMA::check_unchanged(std::size_t i) const {
  const Tensor& parameter = parameters_[i];
  if (parameter.dtype() == averages_[i].dtype() && parameter.shape() == averages_[i].shape() &&
      parameter.is_contiguous()) {
    return;
  }
  fail("EMA: parameter {} is {} by now, its average {}; make the EMA after to()", i, parameter.to_string(),
       averages_[i].to_string());
}

void EMA::update() {
  const NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) check_unchanged(i);
  const double weight =
      options_.averaging == Averaging::equal ? 1 / static_cast<double>(n_averaged_ + 1) : 1 - options_.decay;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto count = static_cast<std::size_t>(parameters_[i].numel());
    averages_[i].touch();
    if (n_averaged_ == 0) {
      visit_floating(parameters_[i].dtype(),
                     [&]<class T>() { racy_copy(averages_[i].data<T>(), parameters_[i].data<T>(), count); });
      continue;
    }
    Operands operands;
    operands.dtype = parameters_[i].dtype();
    operands.parameter = averages_[i].raw_data();
    operands.gradient = parameters_[i].raw_data();
    operands.width = count;
    HWY_DYNAMIC_DISPATCH(average_toward)(weight, operands);
  }
  ++n_averaged_;
}

void EMA::copy_to_parameters() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) check_unchanged(i);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    visit_floating(parameters_[i].dtype(), [&]<class T>() {
      for (std::int64_t k = 0; k < parameters_[i].numel(); ++k) {
        racy_store(parameters_[i].data<T>() + k, averages_[i].data<T>()[k]);
      }
    });
    parameters_[i].touch();
  }
}

void EMA::swap() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) check_unchanged(i);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    averages_[i].touch();
    visit_floating(parameters_[i].dtype(), [&]<class T>() {
      for (std::int64_t k = 0; k < parameters_[i].numel(); ++k) {
        T* average = averages_[i].data<T>() + k;
        const T value = racy_load(parameters_[i].data<T>() + k);
        racy_store(parameters_[i].data<T>() + k, *average);
        *average = value;
      }
    });
    parameters_[i].touch();
  }
}

}  // namespace feral::optim
#endif  // HWY_ONCE
