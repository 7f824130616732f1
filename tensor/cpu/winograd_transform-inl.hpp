// Winograd's transforms on vectors, each lane a tile; compiled once an instruction set: include after
// hwy/foreach_target.h. Has Highway's toggle instead of a plain include guard. The matrices are those of Lavin and
// Gray for F(4, 3), in the order of their points 0, 1, -1, 2, -2, infinity.
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

// Bᵀ: six inputs to six.
template <class D, class V>
HWY_ATTR void transform_input(D d, const V (&x)[6], V (&to)[6]) {
  const V two = hn::Set(d, 2.0F);
  const V four = hn::Set(d, 4.0F);
  const V five = hn::Set(d, 5.0F);
  const V even = hn::NegMulAdd(four, x[2], x[4]);
  const V odd = hn::NegMulAdd(four, x[1], x[3]);
  const V even_near = hn::Sub(x[4], x[2]);
  const V odd_near = hn::Mul(two, hn::Sub(x[3], x[1]));
  to[0] = hn::NegMulAdd(five, x[2], hn::MulAdd(four, x[0], x[4]));
  to[1] = hn::Add(even, odd);
  to[2] = hn::Sub(even, odd);
  to[3] = hn::Add(even_near, odd_near);
  to[4] = hn::Sub(even_near, odd_near);
  to[5] = hn::NegMulAdd(five, x[3], hn::MulAdd(four, x[1], x[5]));
}

// Aᵀ: six products to four outputs.
template <class D, class V>
HWY_ATTR void transform_output(D d, const V (&m)[6], V (&to)[4]) {
  const V two = hn::Set(d, 2.0F);
  const V four = hn::Set(d, 4.0F);
  const V eight = hn::Set(d, 8.0F);
  const V near_sum = hn::Add(m[1], m[2]);
  const V near_difference = hn::Sub(m[1], m[2]);
  const V far_sum = hn::Add(m[3], m[4]);
  const V far_difference = hn::Sub(m[3], m[4]);
  to[0] = hn::Add(m[0], hn::Add(near_sum, far_sum));
  to[1] = hn::MulAdd(two, far_difference, near_difference);
  to[2] = hn::MulAdd(four, far_sum, near_sum);
  to[3] = hn::Add(hn::MulAdd(eight, far_difference, near_difference), m[5]);
}

// A: four gradients of outputs to six.
template <class D, class V>
HWY_ATTR void transform_output_gradient(D d, const V (&y)[4], V (&to)[6]) {
  const V two = hn::Set(d, 2.0F);
  const V four = hn::Set(d, 4.0F);
  const V eight = hn::Set(d, 8.0F);
  const V even = hn::Add(y[0], y[2]);
  const V odd = hn::Add(y[1], y[3]);
  const V even_far = hn::MulAdd(four, y[2], y[0]);
  const V odd_far = hn::MulAdd(eight, y[3], hn::Mul(two, y[1]));
  to[0] = y[0];
  to[1] = hn::Add(even, odd);
  to[2] = hn::Sub(even, odd);
  to[3] = hn::Add(even_far, odd_far);
  to[4] = hn::Sub(even_far, odd_far);
  to[5] = y[3];
}

// G: three weights to six.
template <class D, class V>
HWY_ATTR void transform_weight(D d, const V (&g)[3], V (&to)[6]) {
  const V sum = hn::Add(g[0], g[2]);
  const V far_sum = hn::MulAdd(hn::Set(d, 4.0F), g[2], g[0]);
  const V sixth = hn::Set(d, -1.0F / 6);
  const V twenty_fourth = hn::Set(d, 1.0F / 24);
  const V twice = hn::Add(g[1], g[1]);
  to[0] = hn::Mul(hn::Set(d, 0.25F), g[0]);
  to[1] = hn::Mul(sixth, hn::Add(sum, g[1]));
  to[2] = hn::Mul(sixth, hn::Sub(sum, g[1]));
  to[3] = hn::Mul(twenty_fourth, hn::Add(far_sum, twice));
  to[4] = hn::Mul(twenty_fourth, hn::Sub(far_sum, twice));
  to[5] = g[2];
}

// Gᵀ: six to the gradients of three weights.
template <class D, class V>
HWY_ATTR void transform_weight_gradient(D d, const V (&u)[6], V (&to)[3]) {
  const V sixth = hn::Set(d, 1.0F / 6);
  const V near_sum = hn::Add(u[1], u[2]);
  const V near_difference = hn::Sub(u[1], u[2]);
  const V far_sum = hn::Add(u[3], u[4]);
  const V far_difference = hn::Sub(u[3], u[4]);
  to[0] =
      hn::MulAdd(hn::Set(d, 1.0F / 24), far_sum, hn::NegMulAdd(sixth, near_sum, hn::Mul(hn::Set(d, 0.25F), u[0])));
  to[1] = hn::MulSub(hn::Set(d, 1.0F / 12), far_difference, hn::Mul(sixth, near_difference));
  to[2] = hn::MulAdd(sixth, hn::Sub(far_sum, near_sum), u[5]);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
