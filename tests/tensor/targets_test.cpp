// Every instruction set that this machine has and the build holds, against the one that dispatch picks by itself:
// the other tests see only that one.
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/tensor/operands.hpp"
#include "tests/tensor/targets.hpp"

namespace feral {
namespace {

using testing_support::cpu_kernels;
using testing_support::Numbers;
using testing_support::OnTarget;
using testing_support::targets;
using testing_support::ulps_between;

// What every vectorized kernel makes of the same inputs. `exact` results must agree to the bit.
template <class T>
struct Results {
  std::vector<T> exact;
  std::vector<T> rounded;
};

template <class T>
Results<T> run_all(std::int64_t n) {
  Numbers numbers(1000 + static_cast<std::uint64_t>(n));
  Results<T> results;
  const auto keep = [](std::vector<T>& to, const Tensor& tensor) {
    const auto values = tensor.to_vector<T>();
    to.insert(to.end(), values.begin(), values.end());
  };
  const Tensor a = numbers.tensor<T>({3, n});
  const Tensor b = numbers.tensor<T>({3, n}, 0.5, 2);
  const Tensor strided = numbers.tensor<T>({n, 4}).narrow(1, 1, 3).transpose(0, 1);
  const Tensor out = Tensor::empty({3, n}, dtype_of<T>);
  for (const auto kernel :
       {BinaryKernel::add, BinaryKernel::sub, BinaryKernel::mul, BinaryKernel::div, BinaryKernel::relu_backward}) {
    cpu_kernels().binary(kernel, out, a, b);
    keep(results.exact, out);
    cpu_kernels().binary(kernel, out, strided, b.narrow(0, 0, 1));
    keep(results.exact, out);
  }
  cpu_kernels().unary(UnaryKernel::relu, out, a);
  keep(results.exact, out);
  cpu_kernels().unary(UnaryKernel::exp, out, strided);
  keep(results.rounded, out);
  cpu_kernels().unary(UnaryKernel::log, out, b);
  keep(results.rounded, out);
  const Tensor sums = Tensor::empty({3, 1}, dtype_of<T>);
  cpu_kernels().sum_to(sums, b);  // of positive numbers: no cancellation
  keep(results.rounded, sums);
  for (const Tensor& x : {b, strided.abs()}) {
    for (const int dim : {0, 1}) {
      if (n == 0) break;
      const Shape kept = reduced_shape(x.shape(), DimSet::of(dim), true);
      const Tensor reduced = Tensor::empty(kept, dtype_of<T>);
      const Tensor index = Tensor::empty(kept, DType::int64);
      for (const auto kernel : {ReduceKernel::amax, ReduceKernel::amin}) {
        cpu_kernels().reduce(kernel, reduced, x, DimSet::of(dim));
        keep(results.exact, reduced);
      }
      cpu_kernels().argmax(index, x, dim);
      keep(results.exact, index);
      cpu_kernels().argmin(index, x, dim);
      keep(results.exact, index);
      cpu_kernels().norm(reduced, x, DimSet::of(dim), 2);
      keep(results.rounded, reduced);
      cpu_kernels().logsumexp(reduced, x, DimSet::of(dim));
      keep(results.rounded, reduced);
      for (const bool logarithm : {false, true}) {
        cpu_kernels().softmax(out, x, dim, logarithm);
        if (n > 1) keep(results.rounded, out);  // the logarithm of 1 is all rounding
      }
    }
  }

  const Tensor image = numbers.tensor<T>({1, 2, 4, n + 2});
  for (const Pool2dGeometry geometry : {Pool2dGeometry{2, 2}, Pool2dGeometry{2, 1}}) {
    const std::int64_t width = n / geometry.stride + 1;
    const Tensor pooled = Tensor::empty({1, 2, 2 / geometry.stride + 1, width}, dtype_of<T>);
    const Tensor window = Tensor::empty(pooled.shape(), DType::uint8);
    cpu_kernels().max_pool2d(pooled, window, image, geometry);
    keep(results.exact, pooled);
    keep(results.exact, window);
    const Tensor scattered = Tensor::empty(image.shape(), dtype_of<T>);
    cpu_kernels().max_pool2d_scatter(scattered, pooled, window, geometry);
    keep(results.exact, scattered);
    cpu_kernels().max_pool2d_gather(pooled, image, window, geometry);
    keep(results.exact, pooled);
  }
  // One filter with a single one in it moves the image: laying out as columns is all that is left.
  Tensor weight = Tensor::zeros({1, 2, 2, 2}, dtype_of<T>);
  weight.data<T>()[5] = 1;
  const Tensor moved = Tensor::empty({1, 1, 5, n + 3}, dtype_of<T>);
  cpu_kernels().convolution(moved, image, weight, {}, {.stride = 1, .padding = 1});
  keep(results.exact, moved);
  const Tensor back = Tensor::empty(image.shape(), dtype_of<T>);
  cpu_kernels().convolution_input_gradient(back, moved, weight, {.stride = 1, .padding = 1});
  keep(results.exact, back);
  return results;
}

template <class T>
class Targets : public testing::Test {};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Targets, FloatingTypes);

TYPED_TEST(Targets, AgreeWithOneAnother) {
  ASSERT_FALSE(targets().empty());
  for (const std::int64_t n : testing_support::sweep_sizes) {
    const Results<TypeParam> expected = run_all<TypeParam>(n);
    for (const std::int64_t target : targets()) {
      SCOPED_TRACE(testing::Message() << hwy::TargetName(target) << ", size " << n);
      const OnTarget on(target);
      const Results<TypeParam> results = run_all<TypeParam>(n);
      ASSERT_EQ(results.exact, expected.exact);
      ASSERT_EQ(results.rounded.size(), expected.rounded.size());
      for (std::size_t i = 0; i < expected.rounded.size(); ++i) {
        ASSERT_LE(ulps_between(results.rounded[i], expected.rounded[i]), 8U) << i;
      }
    }
  }
}

}  // namespace
}  // namespace feral
