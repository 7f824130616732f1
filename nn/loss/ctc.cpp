#include "nn/loss/ctc.hpp"

#include "autograd/ops/ctc.hpp"
#include "autograd/ops/index_check.hpp"
#include "core/fail.hpp"

namespace feral::nn {

Tensor ctc_loss(const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CTCLossOptions& options) {
  constexpr std::string_view name = ops::CtcLoss::name;
  if (!log_probabilities.defined()) fail("{}: an input is undefined", name);
  const auto integers = [&](const Tensor& x) { return ops::int64_index(name, x).contiguous(); };
  const bool batched = log_probabilities.dims() != 2;
  const Tensor steps = batched ? integers(input_lengths) : ops::at_least_1d(integers(input_lengths));
  const Tensor lengths = batched ? integers(target_lengths) : ops::at_least_1d(integers(target_lengths));
  Tensor losses = apply<ops::CtcLoss>({.blank = options.blank, .zero_infinity = options.zero_infinity},
                                      batched ? log_probabilities : log_probabilities.unsqueeze(1),
                                      integers(targets), steps, lengths);
  if (options.reduction == Reduction::mean) losses = losses / lengths.clamp_min(1).to(losses.dtype());
  if (!batched) losses = losses.squeeze();
  return reduce(losses, options.reduction);
}

}  // namespace feral::nn
