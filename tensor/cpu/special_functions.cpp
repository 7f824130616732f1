#include "tensor/cpu/special_functions.hpp"

#include <cmath>
#include <initializer_list>
#include <limits>
#include <numbers>

namespace feral::cpu {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr long double pi = std::numbers::pi_v<long double>;

// A first guess for the inverse of erf at |y| < 1, q = 1 - |y|: in the middle the approximation of M. Giles
// (Approximating the erfinv function, GPU Computing Gems, 2012), for q below 1e-6 the leading terms of erfc's
// asymptotic series.
double guess_erfinv(double y, double q) {
  const double w = -std::log(q * (1 + y));
  if (w < 5) {
    const double t = w - 2.5;
    double p = 2.81022636e-08;
    for (const double c : {3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
                           -0.00417768164, 0.246640727, 1.50140941}) {
      p = p * t + c;
    }
    return p * y;
  }
  if (w < 14) {
    const double t = std::sqrt(w) - 3;
    double p = -0.000200214257;
    for (const double c : {0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
                           0.00943887047, 1.00167406, 2.83297682}) {
      p = p * t + c;
    }
    return p * y;
  }
  const double log_q = -std::log(q);
  return std::sqrt(log_q - 0.5 * std::log(std::numbers::pi * log_q));
}

// The digits that a product of x with a constant loses when it is rounded to `product`.
double lost(double x, double constant, double constant_rest, double product) {
  return std::fma(x, constant, -product) + x * constant_rest;
}

constexpr double sqrt_half = 0.70710678118654752440;
constexpr double sqrt_half_rest = -4.8336466567264573e-17;

// e^(-x²/2) without the error of the rounded square.
double bell(double x) {
  const double square = 0.5 * x * x;
  if (!(square < 800)) return std::exp(-square);
  return std::exp(-square) * (1 - std::fma(0.5 * x, x, -square));
}

// Φ(x), small values to all their digits.
double normal_distribution(double x) {
  const double z = -x * sqrt_half;
  if (!(z > 0.5)) return 0.5 * std::erfc(z);
  const double rest = lost(-x, sqrt_half, sqrt_half_rest, z);
  return 0.5 * (std::erfc(z) - rest * (2 * std::numbers::inv_sqrtpi) * std::exp(-z * z));
}

// Up to 16 by ψ(x) = ψ(x + 1) - 1/x, then the asymptotic series.
long double positive_digamma(long double x) {
  long double sum = 0;
  for (; x < 16; x += 1) sum -= 1 / x;
  const long double r = 1 / (x * x);
  long double series = -1 / 12.0L;
  for (const long double c : {691 / 32760.0L, -1 / 132.0L, 1 / 240.0L, -1 / 252.0L, 1 / 120.0L, -1 / 12.0L}) {
    series = series * r + c;
  }
  return sum + std::log(x) - 0.5L / x + r * series;
}

// u and du/dx of gelu_tanh.
constexpr long double sqrt_two_over_pi = 0.797884560802865355879892119868763737L;
long double inner(long double x) { return sqrt_two_over_pi * (x + 0.044715L * x * x * x); }
long double inner_slope(long double x) { return sqrt_two_over_pi * (1 + 3 * 0.044715L * x * x); }

}  // namespace

double erfinv(double y) {
  if (!(std::fabs(y) < 1)) return std::fabs(y) == 1 ? std::copysign(infinity, y) : nan;
  if (std::fabs(y) < 1e-8) return y * (0.5 / std::numbers::inv_sqrtpi);  // y³ is beyond the last digit
  const double magnitude = std::fabs(y);
  const double q = 1 - magnitude;  // exact from 1/2 on
  double x = guess_erfinv(magnitude, q);
  for (int i = 0; i < 3; ++i) {
    // Halley's step; from 1/2 on for erfc, which has the digits there.
    const double error = magnitude < 0.5 ? std::erf(x) - magnitude : q - std::erfc(x);
    const double step = error / (2 * std::numbers::inv_sqrtpi * std::exp(-x * x));
    x -= step / (1 + x * step);
  }
  return std::copysign(x, y);
}

double lgamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

double digamma(double x) {
  if (x == 0) return std::copysign(infinity, -x);
  if (std::isinf(x)) return x > 0 ? x : nan;
  if (x < 0) {
    const double rest = x - std::nearbyint(x);
    if (rest == 0) return nan;
    return static_cast<double>(positive_digamma(1 - static_cast<long double>(x)) - pi / std::tan(pi * rest));
  }
  // Near its root the Taylor series about it.
  constexpr double root = 0x1.762d86356be3fp+0;
  constexpr long double root_rest = 9.549995429965697715184199e-17L;
  const long double h = static_cast<long double>(x - root) - root_rest;
  if (std::fabs(h) >= 0.3L || std::isnan(x)) return static_cast<double>(positive_digamma(x));
  constexpr long double taylor[] = {
      0.96767224544762117042744L,      -0.44276316898359210609287L,     0.2584997609556510106244L,
      -0.16394270544240652750425L,     0.10782405069126236575718L,      -0.072199561256454710926122L,
      0.048804288164143107225093L,     -0.033161126474847359292258L,    0.022597648232218104659625L,
      -0.0154247659049489591388L,      0.010538791616612175388124L,     -0.0072045343863568682409705L,
      0.0049267813957298534463543L,    -0.0033698016554393280827929L,   0.0023051263267349278369384L,
      -0.0015769367714301972592709L,   0.0010788252019162965806919L,    -0.00073807093899600512956605L,
      0.0005049532658346020351774L,    -0.00034546802510630769955557L,  0.0002363560156402705279237L,
      -0.00016170622091974803449358L,  0.00011063372768747410904087L,   -0.000075691795821950659192377L,
      0.000051785757952220808689933L,  -0.000035430070947659606315699L, 0.000024240066118601317652683L,
      -0.000016584242271854133375243L, 0.000011346384584663849806702L,  -0.0000077628176684620944252677L,
  };
  long double p = 0;
  for (int i = 29; i >= 0; --i) p = p * h + taylor[i];
  return static_cast<double>(p * h);
}

double polygamma(int order, double x) {
  if (std::isnan(x)) return x;
  if (x == infinity) return 0;
  if (x == -infinity) return nan;
  const bool odd = order % 2 == 1;
  if (x <= 0 && x == std::nearbyint(x)) return odd ? infinity : nan;
  if (order == 1 && x < 0) {
    const long double s = std::sin(pi * (x - std::nearbyint(x)));
    return static_cast<double>(pi * pi / (s * s) - polygamma(1, 1 - x));
  }
  if (x < -10000) return nan;
  // ± order! ζ(order + 1, x), Hurwitz's zeta function by the Euler-Maclaurin formula.
  const long double s = order + 1;
  long double y = x;
  long double sum = 0;
  for (; y < 16 + order; y += 1) sum += std::pow(1 / y, s);
  // B_2k / (2k)!
  constexpr long double bernoulli[] = {1 / 12.0L,          -1 / 720.0L,
                                       1 / 30240.0L,       -1 / 1209600.0L,
                                       1 / 47900160.0L,    -691 / 1307674368000.0L,
                                       1 / 74724249600.0L, -3617 / 10670622842880000.0L};
  const long double power = std::pow(y, -s);
  sum += power * (y / (s - 1) + 0.5L);
  long double factor = s * power / y;
  for (int k = 0; k < 8; ++k) {
    sum += bernoulli[k] * factor;
    factor *= (s + 2 * k + 1) * (s + 2 * k + 2) / (y * y);
  }
  const long double value = std::tgamma(s) * sum;
  return static_cast<double>(odd ? value : -value);
}

double sinc(double x) {
  if (x == 0) return 1;
  // sin(πx) from what lies past the nearest integer, exactly.
  const double nearest = std::nearbyint(x);
  const double s = std::sin(std::numbers::pi * (x - nearest));
  return (std::fmod(nearest, 2) == 0 ? s : -s) / (std::numbers::pi * x);
}

double logit(double x) {
  if (!(x >= 0 && x <= 1)) return nan;
  if (x < 0.25) return std::log(x) - std::log1p(-x);
  if (x <= 0.75) return std::log1p((2 * x - 1) / (1 - x));
  return std::log(x) - std::log(1 - x);
}

double gelu(double x) {
  if (x < -37) return static_cast<double>(0.5L * x * std::erfc(-x * std::sqrt(0.5L)));
  return x * normal_distribution(x);
}

double gelu_slope(double x) {
  const double density = bell(x) * (std::numbers::inv_sqrtpi * sqrt_half);
  return density == 0 ? normal_distribution(x) : normal_distribution(x) + x * density;
}

double gelu_tanh(double x) {
  const long double e = std::exp(-2 * inner(x));
  return static_cast<double>(x / (1 + e));
}

double gelu_tanh_slope(double x) {
  const long double u = inner(x);
  const long double e = std::exp(-2 * std::fabs(u));
  const long double sigmoid = (u < 0 ? e : 1.0L) / (1 + e);
  const long double steep = e / ((1 + e) * (1 + e));
  return static_cast<double>(steep == 0 ? sigmoid : sigmoid + 2 * x * steep * inner_slope(x));
}

double silu(double x) {
  if (x < -700) {  // e^x alone would lose digits, or be 0
    const double half = std::exp(0.5 * x);
    return x * half * half;
  }
  return x / (1 + std::exp(-x));
}

double silu_slope(double x) {
  const double e = std::exp(-std::fabs(x));
  const double sigmoid = (x < 0 ? e : 1) / (1 + e);
  return e == 0 ? sigmoid : sigmoid + x * e / ((1 + e) * (1 + e));
}

double mish(double x) {
  // tanh(log(1 + n)) = n (n + 2) / (n (n + 2) + 2)
  if (x < -700) return silu(x);
  if (x > 0) {
    const double m = std::exp(-x);
    return x * ((1 + 2 * m) / (1 + 2 * m + 2 * m * m));
  }
  const double n = std::exp(x);
  return x * (n * (n + 2)) / (n * (n + 2) + 2);
}

}  // namespace feral::cpu
