#include "autograd/ops/ctc.hpp"

#include <algorithm>

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

void check_lengths(std::string_view op, std::string_view what, const Tensor& lengths, std::int64_t batch,
                   std::int64_t most) {
  check_defined(op, lengths);
  if (lengths.dtype() != DType::int64 || !(lengths.shape() == Shape{batch}) || !lengths.is_contiguous()) {
    fail("{}: {} must be contiguous int64 [{}], got {}", op, what, batch, lengths.to_string());
  }
  for (std::int64_t n = 0; n < batch; ++n) {
    const std::int64_t length = lengths.data<std::int64_t>()[n];
    if (length < 0 || length > most) {
      fail("{}: {}[{}] is {}, outside of [0, {}]", op, what, n, length, most);
    }
  }
}

// Checks that every label that counts is a class and not the blank.
void check_labels(std::string_view op, const CtcInputs& inputs, std::int64_t blank) {
  const std::int64_t batch = inputs.target_lengths.numel();
  const std::int64_t classes = inputs.log_probabilities.shape()[2];
  std::int64_t begin = 0;
  for (std::int64_t n = 0; n < batch; ++n) {
    const std::int64_t length = inputs.target_lengths.data<std::int64_t>()[n];
    if (inputs.targets.dims() == 2) begin = n * inputs.targets.shape()[1];
    for (std::int64_t i = begin; i < begin + length; ++i) {
      const std::int64_t label = inputs.targets.data<std::int64_t>()[i];
      if (label < 0 || label >= classes) {
        fail("{}: target {} of sample {} is outside of [0, {})", op, label, n, classes);
      }
      if (label == blank) fail("{}: a target of sample {} is {}, which is the blank", op, n, blank);
    }
    begin += length;
  }
}

std::int64_t longest(const Tensor& lengths) {
  const std::int64_t* first = lengths.data<std::int64_t>();
  return lengths.numel() == 0 ? 0 : *std::max_element(first, first + lengths.numel());
}

}  // namespace

Result CtcLoss::infer(const Attributes& settings, const Tensor& log_probabilities, const Tensor& targets,
                      const Tensor& input_lengths, const Tensor& target_lengths) {
  check_floating(name, log_probabilities);
  check_dims(name, "the log-probabilities", log_probabilities, 3);
  check_defined(name, targets);
  const std::int64_t batch = log_probabilities.shape()[1];
  const std::int64_t classes = log_probabilities.shape()[2];
  if (settings.blank < 0 || settings.blank >= classes) {
    fail("{}: the blank {} is outside of [0, {})", name, settings.blank, classes);
  }
  const bool padded = targets.dims() == 2 && targets.shape()[0] == batch;
  if (targets.dtype() != DType::int64 || !targets.is_contiguous() || (targets.dims() != 1 && !padded)) {
    fail("{}: the targets must be contiguous int64 [{}, longest] or [all], got {}", name, batch,
         targets.to_string());
  }
  check_lengths(name, "input_lengths", input_lengths, batch, log_probabilities.shape()[0]);
  check_lengths(name, "target_lengths", target_lengths, batch, targets.shape()[targets.dims() - 1]);
  std::int64_t all = 0;
  for (std::int64_t n = 0; n < batch; ++n) all += target_lengths.data<std::int64_t>()[n];
  if (targets.dims() == 1 && all != targets.numel()) {
    fail("{}: the target_lengths add up to {}, but there are {} targets", name, all, targets.numel());
  }
  check_labels(name, {log_probabilities, targets, input_lengths, target_lengths}, settings.blank);
  return {{batch}, log_probabilities.dtype(), log_probabilities.device()};
}

void CtcLoss::run(const Attributes& settings, const Tensor& out, Aux<CtcLoss>& aux, const Tensor& log_probabilities,
                  const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths) {
  const NoGradGuard no_grad;
  const Tensor alphas =
      Tensor::empty({out.numel(), log_probabilities.shape()[0], 2 * longest(target_lengths) + 1}, DType::float64);
  const Tensor dense = log_probabilities.contiguous();
  kernels(out.device()).ctc_loss(out, alphas, {dense, targets, input_lengths, target_lengths}, settings);
  if (aux.wanted) aux[0] = alphas;
}

Gradients<4> CtcLoss::gradient(const Saved<CtcLoss>& saved, const Tensor& gradient) {
  if (GradMode::enabled()) {
    fail("{}: its gradient has none; call backward() and grad() without create_graph", name);
  }
  return {apply<CtcLossBackward>(saved.attributes(), gradient, saved.aux(0), saved.input(0), saved.input(1),
                                 saved.input(2), saved.input(3)),
          Tensor(), Tensor(), Tensor()};
}

Result CtcLossBackward::infer(const Attributes& settings, const Tensor& gradient, const Tensor& alphas,
                              const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths,
                              const Tensor& target_lengths) {
  // Once more: saved tensors may have been written since, and the kernel trusts them.
  const Result losses = CtcLoss::infer(settings, log_probabilities, targets, input_lengths, target_lengths);
  check_same_dtype(name, gradient, log_probabilities);
  const Shape variables = {losses.shape[0], log_probabilities.shape()[0], 2 * longest(target_lengths) + 1};
  if (!(gradient.shape() == losses.shape) || !(alphas.shape() == variables)) {
    fail("{}: a gradient of shape {} and variables of shape {} do not fit log-probabilities of shape {}", name,
         gradient.shape().to_string(), alphas.shape().to_string(), log_probabilities.shape().to_string());
  }
  return {log_probabilities.shape(), log_probabilities.dtype(), log_probabilities.device()};
}

void CtcLossBackward::run(const Attributes& settings, const Tensor& out, Aux<CtcLossBackward>&,
                          const Tensor& gradient, const Tensor& alphas, const Tensor& log_probabilities,
                          const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths) {
  const NoGradGuard no_grad;
  const Tensor dense = log_probabilities.contiguous();
  kernels(out.device())
      .ctc_loss_backward(out, gradient.contiguous(), alphas, {dense, targets, input_lengths, target_lengths},
                         settings);
}

}  // namespace feral::ops
