#include "autograd/last_op.hpp"

#include <gtest/gtest.h>

#include "autograd/ops/join.hpp"
#include "core/error.hpp"
#include "tensor/tensor.hpp"

namespace feral {
namespace {

// Notes ops of this thread for the length of a scope.
struct Noting {
  Noting() { detail::last_op = &place; }
  ~Noting() { detail::last_op = nullptr; }
  LastOp place{};
};

TEST(LastOp, IsTheNameOfTheOpThatWasBegunLast) {
  const Tensor x = Tensor::full({2, 2}, 1.0);
  const Noting noting;
  EXPECT_EQ(noting.place.read(), "");
  x.matmul(x);
  EXPECT_EQ(noting.place.read(), "matmul");
  x.add(x);
  EXPECT_EQ(noting.place.read(), "add");
  cat({x, x}, 0);
  EXPECT_EQ(noting.place.read(), "cat");
}

TEST(LastOp, OfACallThatFailsIsThatCall) {
  const Tensor x = Tensor::full({2, 2}, 1.0);
  const Noting noting;
  EXPECT_THROW(x.matmul(Tensor::full({3, 3}, 1.0)), Error);
  EXPECT_EQ(noting.place.read(), "matmul");
}

TEST(LastOp, LongNamesAreCutAndOddBytesShown) {
  LastOp place{};
  place.set(LastOp::pack("a_name_of_more_than_twenty_four_letters"));
  EXPECT_EQ(place.read(), "a_name_of_more_than_twen");
  place.set(LastOp::pack("short"));
  EXPECT_EQ(place.read(), "short");
  place.set(LastOp::pack("\x1b[2J\xff"));
  EXPECT_EQ(place.read(), "?[2J?");
}

}  // namespace
}  // namespace feral
