// The fused update of Adam and its kin, on private or live shared memory.
#pragma once

#include "optim/operands.hpp"

namespace feral::optim {

// The rule's options and bias corrections, folded into factors once a step.
struct AdamScalars {
  double sign = 1;   // of the gradient; -1 to maximize
  double keep = 1;   // of the parameter: 1 - lr * weight_decay where the decay is decoupled
  double decay = 0;  // of the parameter into the gradient, where it is not
  double beta1 = 0;
  double beta2 = 0;
  double root = 1;     // of the square root in the denominator; 0 leaves eps alone
  double eps = 0;      // the rest of the denominator
  double average = 0;  // of the first moment in the numerator
  double fresh = 0;    // of the gradient in the numerator (adam_update_fresh)
  double limit = 0;    // set by the functions below
};

// Shared states race: two workers that write an element at once can leave the first moment of one beside the second
// of the other, which may know nothing of the gradients in it, so that the quotient is that by eps alone. In
// whatever order whole steps are made, |m| is at most sqrt(v) * (1 - beta1) / sqrt((1 - beta2) * (1 - beta1² /
// beta2)), for beta1² < beta2 (Cauchy and Schwarz on the two sums). Of shared states the numerator is held to twice
// that: no race makes a step that is larger, and no other step is changed (gradients whose squares underflow
// aside).

// For each element, with the states exp_avg_sq (v) and exp_avg (m): g = sign * gradient + decay * parameter;
// v = beta2 * v + (1 - beta2) * g²; m = beta1 * m + (1 - beta1) * g;
// parameter = keep * parameter - average * m / (root * sqrt(v) + eps).
void adam_update(const AdamScalars& scalars, const Operands& operands);
// The same with the states v, max_exp_avg_sq, m: the largest v so far takes the place of v in the denominator.
void adam_update_amsgrad(const AdamScalars& scalars, const Operands& operands);
// As adam_update with average * m + fresh * g as the numerator.
void adam_update_fresh(const AdamScalars& scalars, const Operands& operands);

}  // namespace feral::optim
