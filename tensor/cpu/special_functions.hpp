// Special functions of one number that the C library does not have. Right at infinities, NaN and poles as PyTorch
// has them.
#pragma once

namespace feral::cpu {

// The number whose erf is y; ±∞ at ±1, NaN beyond.
double erfinv(double y);

// log |Γ(x)|; unlike std::lgamma it writes no global.
double lgamma(double x);

// ψ(x), the derivative of log Γ: -∞ at +0, ∞ at -0, NaN at negative integers and at -∞.
double digamma(double x);

// The order-th derivative of ψ, order >= 1.
double polygamma(int order, double x);

// sin(πx) / (πx), 1 at 0.
double sinc(double x);

// log(x / (1 - x)), NaN outside of [0, 1].
double logit(double x);

// x Φ(x), Φ the normal distribution, and its derivative Φ(x) + x φ(x).
double gelu(double x);
double gelu_slope(double x);

// x σ(2u), u = √(2/π) (x + 0.044715 x³), which is x (1 + tanh u) / 2, and its derivative. (Hendrycks and Gimpel,
// Gaussian Error Linear Units, 2016)
double gelu_tanh(double x);
double gelu_tanh_slope(double x);

// x σ(x) and its derivative.
double silu(double x);
double silu_slope(double x);

// x tanh(log(1 + e^x)).
double mish(double x);

}  // namespace feral::cpu
