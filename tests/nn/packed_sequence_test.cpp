#include "nn/packed_sequence.hpp"

#include <gtest/gtest.h>

#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;

Tensor longs(const std::vector<std::int64_t>& values) {
  return Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())});
}

// Element t, i is 10 * i + t.
Tensor counted(std::int64_t steps, std::int64_t n) {
  Tensor x = Tensor::empty({steps, n});
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t i = 0; i < n; ++i) x.data<float>()[t * n + i] = static_cast<float>(10 * i + t);
  }
  return x;
}

TEST(PackedSequence, HoldsStepsWithoutPadding) {
  const PackedSequence packed = pack_padded_sequence(counted(3, 3), longs({3, 2, 2}));
  EXPECT_EQ(packed.data.to_vector<float>(), (std::vector<float>{0, 10, 20, 1, 11, 21, 2}));
  EXPECT_EQ(packed.batch_sizes.to_vector<std::int64_t>(), (std::vector<std::int64_t>{3, 3, 1}));
  EXPECT_FALSE(packed.sorted_indices.defined());
}

TEST(PackedSequence, SortsByLength) {
  for (const bool batch_first : {false, true}) {
    const Tensor x = batch_first ? counted(3, 3).t() : counted(3, 3);
    const PackedSequence packed = pack_padded_sequence(x, longs({1, 3, 2}), {batch_first, false});
    EXPECT_EQ(packed.data.to_vector<float>(), (std::vector<float>{10, 20, 0, 11, 21, 12}));
    EXPECT_EQ(packed.sorted_indices.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 0}));
    EXPECT_EQ(packed.unsorted_indices.to_vector<std::int64_t>(), (std::vector<std::int64_t>{2, 0, 1}));
    const PaddedSequence back =
        pad_packed_sequence(packed, {.batch_first = batch_first, .padding_value = -1, .total_length = 4});
    const Tensor padded = batch_first ? back.padded.t() : back.padded;
    EXPECT_EQ(padded.to_vector<float>(), (std::vector<float>{0, 10, 20, -1, 11, 21, -1, 12, -1, -1, -1, -1}));
    EXPECT_EQ(back.lengths.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 3, 2}));
  }
}

TEST(PackedSequence, PassesGradientsToWhatIsNoPadding) {
  Tensor x = counted(3, 2).set_requires_grad(true);
  const PaddedSequence back =
      pad_packed_sequence(pack_padded_sequence(x, longs({1, 3}), {.enforce_sorted = false}));
  (back.padded * 2).sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{2, 2, 0, 2, 0, 2}));
}

TEST(PackedSequence, IsMadeOfAList) {
  const Tensor a = longs({1, 2, 3}).to(DType::float32), b = longs({4}).to(DType::float32);
  const PackedSequence packed = pack_sequence(std::vector<Tensor>{b, a}, false);
  EXPECT_EQ(packed.data.to_vector<float>(), (std::vector<float>{1, 4, 2, 3}));
  EXPECT_EQ(packed.batch_sizes.to_vector<std::int64_t>(), (std::vector<std::int64_t>{2, 1, 1}));
  const PaddedSequence back = pad_packed_sequence(packed, {.batch_first = true});
  EXPECT_EQ(back.padded.to_vector<float>(), (std::vector<float>{4, 0, 0, 1, 2, 3}));
}

TEST(PackedSequence, RefusesWhatDoesNotFit) {
  const Tensor x = counted(3, 2);
  const auto pack = [&](const Tensor& lengths) { return error_of([&] { pack_padded_sequence(x, lengths); }); };
  EXPECT_TRUE(contains(pack(longs({2, 3})), "grow from 2 to 3"));
  EXPECT_TRUE(contains(pack(longs({4, 3})), "length 4 of sequence 0"));
  EXPECT_TRUE(contains(pack(longs({3, 0})), "length 0 of sequence 1"));
  EXPECT_TRUE(contains(pack(longs({3})), "int64 [2]"));
  EXPECT_TRUE(contains(pack(Tensor()), "undefined"));
  EXPECT_TRUE(contains(error_of([] { pack_padded_sequence(Tensor::zeros({3}), longs({1})); }), "two dimensions"));
  EXPECT_TRUE(contains(error_of([] { pack_sequence({}); }), "the list is empty"));
  EXPECT_TRUE(contains(error_of([] { pack_sequence(std::vector<Tensor>{Tensor::zeros({0, 2})}); }), "no steps"));

  PackedSequence packed = pack_padded_sequence(x, longs({3, 1}));
  const auto pad = [&](const PadOptions& options = {}) {
    return error_of([&] { pad_packed_sequence(packed, options); });
  };
  EXPECT_TRUE(contains(pad({.total_length = 2}), "total_length 2"));
  packed.sorted_indices = longs({0, 2});
  EXPECT_TRUE(contains(pad(), "numbers below 2"));
  packed.sorted_indices = {};
  packed.batch_sizes = longs({2, 3, 1});
  EXPECT_TRUE(contains(pad(), "batch size 3 of step 1"));
  packed.batch_sizes = longs({2, 2, 2});
  EXPECT_TRUE(contains(pad(), "6 rows"));
  packed.data = {};
  EXPECT_TRUE(contains(pad(), "no packed sequence"));
}

}  // namespace
}  // namespace feral::nn
