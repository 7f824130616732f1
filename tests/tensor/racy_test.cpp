#include "tensor/racy.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace feral {
namespace {

template <class T>
class Racy : public testing::Test {};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Racy, FloatingTypes);

TYPED_TEST(Racy, LoadsWhatWasStored) {
  TypeParam value = 0;
  for (const TypeParam stored : {TypeParam{-1.5}, std::numeric_limits<TypeParam>::denorm_min()}) {
    racy_store(&value, stored);
    EXPECT_EQ(racy_load(&value), stored);
    EXPECT_EQ(value, stored);
  }
}

TYPED_TEST(Racy, CopiesExactlyTheElementsAskedFor) {
  std::vector<TypeParam> from(40);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<TypeParam>(i + 1);
  for (std::size_t count = 0; count < 34; ++count) {
    std::vector<TypeParam> to(40, TypeParam{-7});
    racy_copy(to.data() + 1, from.data() + 3, count);
    for (std::size_t i = 0; i < to.size(); ++i) {
      const bool copied = i >= 1 && i <= count;
      ASSERT_EQ(to[i], copied ? from[i + 2] : TypeParam{-7}) << i << " of " << count;
    }
  }
  racy_copy<TypeParam>(nullptr, nullptr, 0);
}

}  // namespace
}  // namespace feral
