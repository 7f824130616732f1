// Connectionist temporal classification: forward and backward variables in the logarithm (Graves et al.,
// "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural networks",
// 2006).
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

// log(e^a + e^b). A NaN stays one.
double log_sum(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == minus_infinity ? a : a + std::log(1 + std::exp(b - a));
}
// log(e^a + e^b + e^c).
double log_sum(double a, double b, double c) {
  if (c == minus_infinity) return log_sum(a, b);
  if (a >= b && a >= c) return a + std::log(1 + std::exp(b - a) + std::exp(c - a));
  if (b >= a && b >= c) return b + std::log(1 + std::exp(a - b) + std::exp(c - b));
  return c + std::log(1 + std::exp(a - c) + std::exp(b - c));
}

// A sample: its labels with a blank before, between and behind them are the 2 length + 1 states.
template <class T>
struct Sample {
  std::int64_t steps;
  std::int64_t states;
  const std::int64_t* labels;
  const T* log_probabilities;  // of step 0
  std::int64_t step_stride;
  std::int64_t blank;

  std::int64_t label(std::int64_t state) const { return state % 2 == 0 ? blank : labels[state / 2]; }
  double at(std::int64_t step, std::int64_t state) const {
    return static_cast<double>(log_probabilities[step * step_stride + label(state)]);
  }
  // Whether a path may come from two states before: over a blank, between different labels.
  bool skips(std::int64_t state) const { return state % 2 == 1 && state >= 3 && label(state) != label(state - 2); }
};

// Calls body(n, sample) for each of the batch.
template <class T, class Body>
void for_each_sample(const CtcInputs& in, const CtcSettings& settings, Body&& body) {
  const std::int64_t batch = in.log_probabilities.shape()[1];
  const std::int64_t classes = in.log_probabilities.shape()[2];
  std::int64_t begin = 0;
  for (std::int64_t n = 0; n < batch; ++n) {
    const std::int64_t length = in.target_lengths.data<std::int64_t>()[n];
    if (in.targets.dims() == 2) begin = n * in.targets.shape()[1];
    body(n, Sample<T>{.steps = in.input_lengths.data<std::int64_t>()[n],
                      .states = 2 * length + 1,
                      .labels = in.targets.data<std::int64_t>() + begin,
                      .log_probabilities = in.log_probabilities.data<T>() + n * classes,
                      .step_stride = batch * classes,
                      .blank = settings.blank});
    begin += length;
  }
}

template <class T>
void forward(const Sample<T>& sample, double* alphas, std::int64_t width) {
  for (std::int64_t t = 0; t < sample.steps; ++t) {
    const double* before = t == 0 ? alphas : alphas + (t - 1) * width;
    for (std::int64_t s = 0; s < sample.states; ++s) {
      double sum = s < 2 ? 0 : minus_infinity;  // paths begin with a blank or the first label
      if (t > 0) {
        sum = log_sum(before[s], s >= 1 ? before[s - 1] : minus_infinity,
                      sample.skips(s) ? before[s - 2] : minus_infinity);
      }
      alphas[t * width + s] = sum + sample.at(t, s);
    }
  }
}

// Paths end with the last label or the blank behind it.
template <class T>
double loss_of(const Sample<T>& sample, const double* alphas, std::int64_t width) {
  if (sample.steps == 0) return sample.states == 1 ? 0 : -minus_infinity;
  const double* end = alphas + (sample.steps - 1) * width + sample.states;
  return sample.states == 1 ? -end[-1] : -log_sum(end[-1], end[-2]);
}

// betas, shares: scratch of `states` and `classes` elements. betas[s] is the logarithm of what follows step t from
// state s on, step t left out: e^(alpha + beta + loss) is the share of the paths that are in state s at step t.
template <class T>
void backward(const Sample<T>& sample, const double* alphas, std::int64_t width, double loss, double gradient,
              std::int64_t classes, double* betas, double* shares, T* out) {
  for (std::int64_t t = sample.steps - 1; t >= 0; --t) {
    if (t == sample.steps - 1) {
      for (std::int64_t s = 0; s < sample.states; ++s) betas[s] = s + 2 >= sample.states ? 0 : minus_infinity;
    } else {
      // From the first state on: state s reads s + 1 and s + 2, which are still those of step t + 1.
      for (std::int64_t s = 0; s < sample.states; ++s) {
        const auto next = [&](std::int64_t to) { return betas[to] + sample.at(t + 1, to); };
        betas[s] = log_sum(next(s), s + 1 < sample.states ? next(s + 1) : minus_infinity,
                           s + 2 < sample.states && sample.skips(s + 2) ? next(s + 2) : minus_infinity);
      }
    }
    std::fill(shares, shares + classes, 0.0);
    for (std::int64_t s = 0; s < sample.states; ++s) {
      shares[sample.label(s)] += std::exp(alphas[t * width + s] + betas[s] + loss);
    }
    T* to = out + t * sample.step_stride;
    for (std::int64_t c = 0; c < classes; ++c) to[c] = static_cast<T>(-gradient * shares[c]);
  }
}

}  // namespace

void ctc_loss(const Tensor& out, const Tensor& alphas, const CtcInputs& inputs, const CtcSettings& settings) {
  const std::int64_t width = alphas.shape()[2];
  const std::int64_t stride = alphas.shape()[1] * width;
  visit_floating(out.dtype(), [&]<class T>() {
    for_each_sample<T>(inputs, settings, [&](std::int64_t n, const Sample<T>& sample) {
      double* own = alphas.data<double>() + n * stride;
      forward(sample, own, width);
      const double loss = loss_of(sample, own, width);
      out.data<T>()[n] = static_cast<T>(settings.zero_infinity && std::isinf(loss) ? 0 : loss);
    });
  });
}

void ctc_loss_backward(const Tensor& out, const Tensor& gradient, const Tensor& alphas, const CtcInputs& inputs,
                       const CtcSettings& settings) {
  const std::int64_t width = alphas.shape()[2];
  const std::int64_t stride = alphas.shape()[1] * width;
  const std::int64_t classes = out.shape()[2];
  const Workspace scratch(static_cast<std::size_t>(width + classes) * sizeof(double));
  double* betas = reinterpret_cast<double*>(scratch.get());
  fill(out, 0);
  visit_floating(out.dtype(), [&]<class T>() {
    for_each_sample<T>(inputs, settings, [&](std::int64_t n, const Sample<T>& sample) {
      const double* own = alphas.data<double>() + n * stride;
      const double loss = loss_of(sample, own, width);
      T* to = out.data<T>() + n * classes;
      if (!std::isinf(loss)) {
        backward(sample, own, width, loss, static_cast<double>(gradient.data<T>()[n]), classes, betas,
                 betas + width, to);
      } else if (!settings.zero_infinity) {  // infinity - infinity
        for (std::int64_t t = 0; t < sample.steps; ++t, to += sample.step_stride) {
          std::fill(to, to + classes, std::numeric_limits<T>::quiet_NaN());
        }
      }
    });
  });
}

}  // namespace feral::cpu
