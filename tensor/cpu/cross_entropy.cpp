// Cross entropy of rows of logits: log-softmax and negative log-likelihood in one pass, and the gradient in
// another.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/cross_entropy.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/line_vectors-inl.hpp"
#include "tensor/cpu/math-inl.hpp"

#ifndef FERAL_TENSOR_CPU_CROSS_ENTROPY_ONCE
#define FERAL_TENSOR_CPU_CROSS_ENTROPY_ONCE
namespace feral::cpu {

// What of a call is the same for all rows.
template <class T>
struct CrossEntropyRows {
  std::int64_t rows;
  std::int64_t classes;
  const T* x;
  const std::int64_t* target;
  const T* weight;      // null without one
  double total_weight;  // of all classes
  double denominator;   // of the mean; 1 for the other reductions
  CrossEntropySettings settings;

  CrossEntropyRows(const Tensor& logits, const Tensor& targets, const Tensor& weights,
                   const CrossEntropySettings& s)
      : rows(logits.shape()[0]),
        classes(logits.shape()[1]),
        x(logits.data<T>()),
        target(targets.data<std::int64_t>()),
        weight(weights.defined() ? weights.data<T>() : nullptr),
        total_weight(static_cast<double>(classes)),
        denominator(1),
        settings(s) {
    if (weight != nullptr) {
      total_weight = 0;
      for (std::int64_t c = 0; c < classes; ++c) total_weight += static_cast<double>(weight[c]);
    }
    if (settings.reduction != Reduction::mean) return;
    denominator = 0;
    for (std::int64_t row = 0; row < rows; ++row) denominator += of_row(row);
  }

  bool ignores(std::int64_t row) const { return target[row] == settings.ignore_index; }
  // The weight of a row; 0 where it takes no part.
  double of_row(std::int64_t row) const {
    if (ignores(row)) return 0;
    return weight == nullptr ? 1 : static_cast<double>(weight[target[row]]);
  }
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

// The largest element of a line and the sum of the exponentials of its elements less that; both NaN where there is
// none: a NaN, inf - inf, or nothing but -inf.
template <class T>
HWY_ATTR void largest_and_sum(const T* x, std::int64_t n, T& largest, T& sum) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  largest = largest_of_line(x, n);
  if (!std::isfinite(largest)) {
    largest = sum = std::numeric_limits<T>::quiet_NaN();
    return;
  }
  const auto shift = hn::Set(d, largest);
  double total = 0;
  const std::int64_t piece = 256 * lanes;  // short enough that float32 sums stay accurate
  for (std::int64_t start = 0; start < n; start += piece) {
    auto part = hn::Zero(d);
    for_each_vector(x + start, HWY_MIN(piece, n - start), largest,
                    [&](auto v, std::int64_t, std::int64_t count)
                        HWY_ATTR { part = hn::Add(part, only_first(d, Exp()(d, hn::Sub(v, shift)), count)); });
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, part)));
  }
  sum = static_cast<T>(total);
}

template <class T>
HWY_ATTR void cross_entropy_of(const Tensor& out, const Tensor& terms, const CrossEntropyRows<T>& of) {
  const hn::ScalableTag<T> d;
  const double smoothing = of.settings.label_smoothing;
  T* largest = terms.data<T>();
  T* log_of_sum = largest + of.rows;
  for (std::int64_t row = 0; row < of.rows; ++row) {
    largest_and_sum(of.x + row * of.classes, of.classes, largest[row], log_of_sum[row]);
  }
  for_each_vector(static_cast<const T*>(log_of_sum), of.rows, T{1},
                  [&](auto v, std::int64_t i, std::int64_t count)
                      HWY_ATTR { store_up_to(d, Log()(d, v), log_of_sum + i, count); });
  double total = 0;
  for (std::int64_t row = 0; row < of.rows; ++row) {
    double loss = 0;
    if (!of.ignores(row)) {
      // In T: -log softmax as log_softmax gives it.
      const T* x = of.x + row * of.classes;
      loss = of.of_row(row) * static_cast<double>(log_of_sum[row] - (x[of.target[row]] - largest[row]));
      if (smoothing > 0) {
        double sum = 0;
        for (std::int64_t c = 0; c < of.classes; ++c) {
          const auto term = static_cast<double>(log_of_sum[row] - (x[c] - largest[row]));
          sum += of.weight == nullptr ? term : static_cast<double>(of.weight[c]) * term;
        }
        loss = (1 - smoothing) * loss + smoothing / static_cast<double>(of.classes) * sum;
      }
    }
    total += loss;
    if (of.settings.reduction == Reduction::none) out.data<T>()[row] = static_cast<T>(loss);
  }
  if (of.settings.reduction != Reduction::none) *out.data<T>() = static_cast<T>(total / of.denominator);
}

template <class T>
HWY_ATTR void cross_entropy_backward_of(const Tensor& out, const Tensor& gradient, const Tensor& terms,
                                        const CrossEntropyRows<T>& of) {
  const hn::ScalableTag<T> d;
  const double smoothing = of.settings.label_smoothing;
  const T* largest = terms.data<T>();
  const T* log_of_sum = largest + of.rows;
  for (std::int64_t row = 0; row < of.rows; ++row) {
    const T* x = of.x + row * of.classes;
    T* to = out.data<T>() + row * of.classes;
    if (of.ignores(row)) {
      std::fill(to, to + of.classes, T{0});
      continue;
    }
    const std::int64_t place = of.settings.reduction == Reduction::none ? row : 0;
    const double arriving = static_cast<double>(gradient.data<T>()[place]) / of.denominator;
    const double at_target = arriving * (1 - smoothing) * of.of_row(row);
    const double at_each = arriving * smoothing / static_cast<double>(of.classes);
    const auto shift = hn::Set(d, largest[row]);
    const auto log = hn::Set(d, log_of_sum[row]);
    const auto scale = hn::Set(d, static_cast<T>(at_target + at_each * of.total_weight));
    const auto less = hn::Set(d, of.weight == nullptr ? static_cast<T>(at_each) : T{0});
    for_each_vector(x, of.classes, T{0}, [&](auto v, std::int64_t i, std::int64_t count) HWY_ATTR {
      const auto probability = Exp()(d, hn::Sub(hn::Sub(v, shift), log));
      store_up_to(d, hn::MulSub(scale, probability, less), to + i, count);
    });
    if (of.weight != nullptr && smoothing > 0) {
      for (std::int64_t c = 0; c < of.classes; ++c) to[c] -= static_cast<T>(at_each) * of.weight[c];
    }
    to[of.target[row]] -= static_cast<T>(at_target);
  }
}

void run_cross_entropy(const Tensor& out, const Tensor& terms, const Tensor& x, const Tensor& target,
                       const Tensor& weight, const CrossEntropySettings& settings) {
  visit_floating(x.dtype(), [&]<class T>() {
    cross_entropy_of<T>(out, terms, CrossEntropyRows<T>(x, target, weight, settings));
  });
}

void run_cross_entropy_backward(const Tensor& out, const Tensor& gradient, const Tensor& terms, const Tensor& x,
                                const Tensor& target, const Tensor& weight, const CrossEntropySettings& settings) {
  visit_floating(x.dtype(), [&]<class T>() {
    cross_entropy_backward_of<T>(out, gradient, terms, CrossEntropyRows<T>(x, target, weight, settings));
  });
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(run_cross_entropy);
HWY_EXPORT(run_cross_entropy_backward);

void cross_entropy(const Tensor& out, const Tensor& terms, const Tensor& x, const Tensor& target,
                   const Tensor& weight, const CrossEntropySettings& settings) {
  HWY_DYNAMIC_DISPATCH(run_cross_entropy)(out, terms, x, target, weight, settings);
}

void cross_entropy_backward(const Tensor& out, const Tensor& gradient, const Tensor& terms, const Tensor& x,
                            const Tensor& target, const Tensor& weight, const CrossEntropySettings& settings) {
  HWY_DYNAMIC_DISPATCH(run_cross_entropy_backward)(out, gradient, terms, x, target, weight, settings);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
