#include "nn/loss/reduction.hpp"

#include "core/fail.hpp"

namespace feral::nn {

Tensor reduce(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::none:
      return losses;
    case Reduction::mean:
      return losses.mean();
    case Reduction::sum:
      return losses.sum();
  }
  __builtin_unreachable();
}

void check_same_shape(std::string_view loss, const Tensor& input, const Tensor& target) {
  if (!input.defined() || !target.defined()) fail("{}: an input is undefined", loss);
  if (!(input.shape() == target.shape())) {
    fail("{}: shapes {} and {} differ", loss, input.shape().to_string(), target.shape().to_string());
  }
}

}  // namespace feral::nn
