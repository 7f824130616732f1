// Elementwise kernels where operands are brought together in tiles, against element-by-element twins, on every
// instruction set.
#include "tensor/cpu/tiles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "autograd/ops/choice.hpp"
#include "tests/tensor/operands.hpp"
#include "tests/tensor/targets.hpp"

namespace feral {
namespace {

using testing_support::all_layouts;
using testing_support::at;
using testing_support::Layout;
using testing_support::Numbers;
using testing_support::OnTarget;
using testing_support::targets;

template <class Function>
void on_every_target(Function&& function) {
  for (const std::int64_t target : targets()) {
    const OnTarget scope(target);
    function();
  }
}

template <class T>
class Tiles : public testing::Test {};
using Elements = testing::Types<std::uint8_t, Float16, float, double>;
TYPED_TEST_SUITE(Tiles, Elements);

TYPED_TEST(Tiles, TurnedTileHoldsTheTransposeAndNothingElse) {
  on_every_target([] {
    for (const std::int64_t rows : {0, 1, 3, 7, 16, 33, 50}) {
      for (const std::int64_t columns : {0, 1, 2, 5, 15, 32, 61}) {
        for (const bool wide : {false, true}) {
          const std::int64_t to_stride = columns + (wide ? 90 : 1);
          const std::int64_t from_stride = rows + 3;
          std::vector<TypeParam> from(static_cast<std::size_t>(columns * from_stride));
          for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<TypeParam>(i % 251);
          std::vector<TypeParam> to(static_cast<std::size_t>(rows * to_stride), static_cast<TypeParam>(252));
          cpu::turn_tile(reinterpret_cast<std::byte*>(to.data()), to_stride,
                         reinterpret_cast<const std::byte*>(from.data()), from_stride, rows, columns,
                         sizeof(TypeParam));
          for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t c = 0; c < to_stride; ++c) {
              const auto expected = c < columns ? (c * from_stride + r) % 251 : 252;
              ASSERT_EQ(static_cast<double>(to[static_cast<std::size_t>(r * to_stride + c)]),
                        static_cast<double>(static_cast<TypeParam>(expected)))
                  << rows << " x " << columns << " at " << r << ", " << c;
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(Tiles, CopiesReachEveryElementOfEveryLayout) {
  on_every_target([] {
    Numbers numbers(11);
    for (const Layout layout : all_layouts) {
      const Tensor x = numbers.matrix<TypeParam>(147, 531, layout, 0, 200);
      const Tensor copy = x.clone();
      const Tensor turned = Tensor::empty({531, 147}, x.dtype()).transpose(0, 1);
      turned.copy_(x);
      for (std::int64_t i = 0; i < 147; ++i) {
        for (std::int64_t j = 0; j < 531; ++j) {
          ASSERT_EQ(at<TypeParam>(copy, i, j), at<TypeParam>(x, i, j));
          ASSERT_EQ(at<TypeParam>(turned, i, j), at<TypeParam>(x, i, j));
        }
      }
    }
  });
}

TEST(TiledRows, BinaryAndChoiceOfEveryPairOfLayouts) {
  on_every_target([] {
    Numbers numbers(12);
    const std::int64_t rows = 70;
    for (const std::int64_t columns : {3, 15, 16, 300}) {
      for (const Layout layout_a : all_layouts) {
        for (const Layout layout_b : all_layouts) {
          const Tensor a = numbers.matrix<float>(rows, columns, layout_a);
          const Tensor b = numbers.matrix<float>(rows, columns, layout_b);
          const Tensor sum = a + b;
          const Tensor less = a.lt(b);
          const Tensor turned_less = less.transpose(0, 1).contiguous().transpose(0, 1);
          const Tensor chosen = where(turned_less, a, b);
          const Tensor in_place = numbers.matrix<float>(rows, columns, Layout::transposed_stepped, 0, 1);
          const Tensor before = in_place.clone();
          in_place.sub_(b);
          for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
              const float first = at<float>(a, i, j);
              const float second = at<float>(b, i, j);
              ASSERT_EQ(at<float>(sum, i, j), first + second);
              ASSERT_EQ(at<bool>(less, i, j), first < second);
              ASSERT_EQ(at<float>(chosen, i, j), first < second ? first : second);
              ASSERT_EQ(at<float>(in_place, i, j), at<float>(before, i, j) - second);
            }
          }
        }
      }
    }
  });
}

TEST(TiledRows, EveryOrderOfFourDimensions) {
  Numbers numbers(13);
  const Tensor base = numbers.tensor<float>({5, 18, 3, 37});
  std::vector<std::int64_t> order = {0, 1, 2, 3};
  do {
    const Tensor x = base.permute({order[0], order[1], order[2], order[3]});
    const Tensor y = numbers.tensor<float>(x.shape());
    const Tensor product = x * y;
    const std::vector<float> xs = x.to_vector<float>();
    const std::vector<float> ys = y.to_vector<float>();
    const std::vector<float> products = product.to_vector<float>();
    for (std::size_t i = 0; i < xs.size(); ++i) ASSERT_EQ(products[i], xs[i] * ys[i]) << i;
    std::size_t flat = 0;  // to_vector copies: read the view itself, too
    for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
      for (std::int64_t j = 0; j < x.shape()[1]; ++j) {
        for (std::int64_t k = 0; k < x.shape()[2]; ++k) {
          for (std::int64_t l = 0; l < x.shape()[3]; ++l) {
            const auto& s = x.strides();
            ASSERT_EQ(xs[flat++], x.data<float>()[i * s[0] + j * s[1] + k * s[2] + l * s[3]]);
          }
        }
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(TiledRows, StepsEndWithTheTensor) {
  on_every_target([] {
    for (const std::int64_t step : {2, 3, 5}) {
      for (const std::int64_t n : {1, 2, 15, 16, 17, 33, 5000}) {
        std::vector<float> values(static_cast<std::size_t>((n - 1) * step + 1));  // nothing behind the last
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
        const Tensor x = Tensor::borrow(values.data(), {static_cast<std::int64_t>(values.size())}, DType::float32)
                             .slice(0, 0, static_cast<std::int64_t>(values.size()), step);
        const std::vector<float> twice = (x + x).to_vector<float>();
        for (std::size_t i = 0; i < twice.size(); ++i) {
          ASSERT_EQ(twice[i], static_cast<float>(2 * static_cast<std::int64_t>(i) * step));
        }
        x.add_(1);
        for (std::size_t i = 0; i < values.size(); ++i) {
          ASSERT_EQ(values[i], static_cast<float>(i) + (static_cast<std::int64_t>(i) % step == 0 ? 1.0F : 0.0F));
        }
      }
    }
  });
}

TEST(TiledRows, ShortRowsRepeatWhatIsBroadcast) {
  on_every_target([] {
    Numbers numbers(14);
    for (const std::int64_t n : {2, 3, 4, 7, 15}) {
      const Tensor a = numbers.tensor<float>({3000, n});
      const Tensor row = numbers.tensor<float>({n});
      const Tensor column = numbers.tensor<float>({3000, 1});
      const Tensor sum = a + row;
      const Tensor product = a * column;
      const Tensor outer = column + row;
      for (std::int64_t i = 0; i < 3000; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          ASSERT_EQ(at<float>(sum, i, j), at<float>(a, i, j) + row.data<float>()[j]);
          ASSERT_EQ(at<float>(product, i, j), at<float>(a, i, j) * column.data<float>()[i]);
          ASSERT_EQ(at<float>(outer, i, j), column.data<float>()[i] + row.data<float>()[j]);
        }
      }
    }
  });
}

}  // namespace
}  // namespace feral
