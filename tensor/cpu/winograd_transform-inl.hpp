// Winograd's transforms on vectors, each lane a tile; compiled once an instruction set: include after
// hwy/foreach_target.h. Has Highway's toggle instead of a plain include guard.
//
// The matrices follow from Toom and Cook's interpolation at 0, ±1/√2, ±√2 and infinity. These points keep the
// numbers within a narrower range, and the rounding errors about three times smaller, than the usual 0, ±1, ±2 (on
// the choice of points: B. Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution for
// deep neural networks", ACM TOMS 46, 2020).
#if defined(FERAL_TENSOR_CPU_WINOGRAD_TRANSFORM_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_WINOGRAD_TRANSFORM_INL
#undef FERAL_TENSOR_CPU_WINOGRAD_TRANSFORM_INL
#else
#define FERAL_TENSOR_CPU_WINOGRAD_TRANSFORM_INL
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr float root2 = 1.41421356237309505F;

// Bᵀ: six inputs to six.
template <class D, class V>
HWY_ATTR void transform_input(D d, const V (&x)[6], V (&to)[6]) {
  const V half = hn::Set(d, 0.5F);
  const V two = hn::Set(d, 2.0F);
  const V middle = hn::Set(d, 2.5F);
  const V near_even = hn::NegMulAdd(two, x[2], x[4]);
  const V near_odd = hn::Mul(hn::Set(d, root2 / 2), hn::NegMulAdd(two, x[1], x[3]));
  const V far_even = hn::NegMulAdd(half, x[2], x[4]);
  const V far_odd = hn::Mul(hn::Set(d, root2), hn::NegMulAdd(half, x[1], x[3]));
  to[0] = hn::NegMulAdd(middle, x[2], hn::Add(x[0], x[4]));
  to[1] = hn::Add(near_even, near_odd);
  to[2] = hn::Sub(near_even, near_odd);
  to[3] = hn::Add(far_even, far_odd);
  to[4] = hn::Sub(far_even, far_odd);
  to[5] = hn::NegMulAdd(middle, x[3], hn::Add(x[1], x[5]));
}

// Aᵀ: six products to four outputs.
template <class D, class V>
HWY_ATTR void transform_output(D d, const V (&m)[6], V (&to)[4]) {
  const V near_sum = hn::Add(m[1], m[2]);
  const V near_difference = hn::Sub(m[1], m[2]);
  const V far_sum = hn::Add(m[3], m[4]);
  const V far_difference = hn::Sub(m[3], m[4]);
  to[0] = hn::Add(m[0], hn::Add(near_sum, far_sum));
  to[1] = hn::MulAdd(hn::Set(d, root2), far_difference, hn::Mul(hn::Set(d, root2 / 2), near_difference));
  to[2] = hn::MulAdd(hn::Set(d, 2.0F), far_sum, hn::Mul(hn::Set(d, 0.5F), near_sum));
  to[3] =
      hn::MulAdd(hn::Set(d, 2 * root2), far_difference, hn::MulAdd(hn::Set(d, root2 / 4), near_difference, m[5]));
}

// A: four gradients of outputs to six.
template <class D, class V>
HWY_ATTR void transform_output_gradient(D d, const V (&y)[4], V (&to)[6]) {
  const V near_even = hn::MulAdd(hn::Set(d, 0.5F), y[2], y[0]);
  const V near_odd = hn::MulAdd(hn::Set(d, root2 / 4), y[3], hn::Mul(hn::Set(d, root2 / 2), y[1]));
  const V far_even = hn::MulAdd(hn::Set(d, 2.0F), y[2], y[0]);
  const V far_odd = hn::MulAdd(hn::Set(d, 2 * root2), y[3], hn::Mul(hn::Set(d, root2), y[1]));
  to[0] = y[0];
  to[1] = hn::Add(near_even, near_odd);
  to[2] = hn::Sub(near_even, near_odd);
  to[3] = hn::Add(far_even, far_odd);
  to[4] = hn::Sub(far_even, far_odd);
  to[5] = y[3];
}

// G: three weights to six.
template <class D, class V>
HWY_ATTR void transform_weight(D d, const V (&g)[3], V (&to)[6]) {
  const V near_even = hn::MulAdd(hn::Set(d, 0.5F), g[2], g[0]);
  const V near_odd = hn::Mul(hn::Set(d, root2 / 2), g[1]);
  const V far_even = hn::MulAdd(hn::Set(d, 2.0F), g[2], g[0]);
  const V far_odd = hn::Mul(hn::Set(d, root2), g[1]);
  const V near_scale = hn::Set(d, -2.0F / 3);
  const V far_scale = hn::Set(d, 1.0F / 6);
  to[0] = g[0];
  to[1] = hn::Mul(near_scale, hn::Add(near_even, near_odd));
  to[2] = hn::Mul(near_scale, hn::Sub(near_even, near_odd));
  to[3] = hn::Mul(far_scale, hn::Add(far_even, far_odd));
  to[4] = hn::Mul(far_scale, hn::Sub(far_even, far_odd));
  to[5] = g[2];
}

// Gᵀ: six to the gradients of three weights.
template <class D, class V>
HWY_ATTR void transform_weight_gradient(D d, const V (&u)[6], V (&to)[3]) {
  const V near_sum = hn::Add(u[1], u[2]);
  const V near_difference = hn::Sub(u[1], u[2]);
  const V far_sum = hn::Add(u[3], u[4]);
  const V far_difference = hn::Sub(u[3], u[4]);
  to[0] = hn::MulAdd(hn::Set(d, 1.0F / 6), far_sum, hn::NegMulAdd(hn::Set(d, 2.0F / 3), near_sum, u[0]));
  to[1] = hn::MulSub(hn::Set(d, root2 / 6), far_difference, hn::Mul(hn::Set(d, root2 / 3), near_difference));
  to[2] = hn::MulAdd(hn::Set(d, 1.0F / 3), hn::Sub(far_sum, near_sum), u[5]);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
