// Tensors made by rule, against values that PyTorch gives.
#include <gtest/gtest.h>

#include <limits>

#include "tests/tensor/elements.hpp"

namespace feral {
namespace {

using namespace testing_support;

TEST(Creation, LikeAnother) {
  for (const DType dtype : all_dtypes) {
    for (const Tensor& x :
         {small_matrix(dtype, 3, 4, Layout::transposed), Tensor::empty({0, 2}, dtype), Tensor::empty({}, dtype)}) {
      expect_elements(Tensor::zeros_like(x), x.shape(), dtype, [](const Position&) { return 0; });
      expect_elements(Tensor::ones_like(x), x.shape(), dtype, [](const Position&) { return 1; });
      expect_elements(Tensor::full_like(x, 1), x.shape(), dtype, [](const Position&) { return 1; });
      EXPECT_EQ(Tensor::empty_like(x).shape().to_string(), x.shape().to_string());
      EXPECT_EQ(Tensor::empty_like(x).dtype(), dtype);
      EXPECT_TRUE(Tensor::empty_like(x).is_contiguous());
    }
  }
  EXPECT_NE(error_of([] { (void)Tensor::zeros_like(Tensor()); }), "");
  EXPECT_NE(error_of([] { (void)Tensor::ones_like(Tensor()); }), "");
  EXPECT_NE(error_of([] { (void)Tensor::full_like(Tensor(), 1); }), "");
  EXPECT_NE(error_of([] { (void)Tensor::empty_like(Tensor()); }), "");
}

TEST(Creation, ArangeOfIntegers) {
  expect_vector<std::int64_t>(Tensor::arange(4), {4}, {0, 1, 2, 3});
  expect_vector<std::int64_t>(Tensor::arange(0), {0}, {});
  expect_vector<std::int64_t>(Tensor::arange(2, 9, 3), {3}, {2, 5, 8});
  expect_vector<std::int64_t>(Tensor::arange(2, 8, 3), {2}, {2, 5});
  expect_vector<std::int64_t>(Tensor::arange(5, -2, -3), {3}, {5, 2, -1});
  expect_vector<std::int64_t>(Tensor::arange(3, 3, -1), {0}, {});
  expect_vector<std::int8_t>(Tensor::arange(0, 5, 2, DType::int8), {3}, {0, 2, 4});
  expect_vector<std::uint8_t>(Tensor::arange(3, 0, -1, DType::uint8), {3}, {3, 2, 1});
  // int64 cuts the numbers before it counts, others only their elements.
  expect_vector<std::int64_t>(Tensor::arange(0.5, 3, 1, DType::int64), {3}, {0, 1, 2});
  expect_vector<std::int64_t>(Tensor::arange(0.5, 3.7, 1.5, DType::int64), {3}, {0, 1, 2});
  expect_vector<std::int32_t>(Tensor::arange(0.5, 3, 1.5, DType::int32), {2}, {0, 1});
  // Wraps as PyTorch's.
  const std::vector<std::int8_t> wrapped = Tensor::arange(0, 300, 1, DType::int8).to_vector<std::int8_t>();
  EXPECT_EQ(wrapped[299], 43);
  EXPECT_EQ(wrapped[128], -128);
  // Large numbers count exactly.
  const double far = 0x1p62;
  expect_vector<std::int64_t>(Tensor::arange(far, far + 1024, 512, DType::int64), {2},
                              {std::int64_t{1} << 62, (std::int64_t{1} << 62) + 512});
}

TEST(Creation, ArangeOfFloats) {
  expect_vector<float>(Tensor::arange(2.5), {3}, {0, 1, 2});
  expect_vector<float>(Tensor::arange(0, 2, 0.5), {4}, {0, 0.5, 1, 1.5});
  expect_vector<double>(Tensor::arange(1, -1, -0.75, DType::float64), {3}, {1, 0.25, -0.5});
  expect_elements(Tensor::arange(0, 3, 1, DType::float16), {3}, DType::float16,
                  [](const Position& p) { return static_cast<double>(p[0]); });
  expect_elements(Tensor::arange(0, 3, 1, DType::bfloat16), {3}, DType::bfloat16,
                  [](const Position& p) { return static_cast<double>(p[0]); });
  // PyTorch's length, where (end - start) / step rounds up past a whole number.
  EXPECT_EQ(Tensor::arange(0, 1, 0.1).numel(), 10);
  EXPECT_EQ(Tensor::arange(1, 1.3, 0.1).numel(), 4);
  // Each element is computed from its place: no error adds up.
  const std::vector<float> many = Tensor::arange(0, 100000, 0.1).to_vector<float>();
  ASSERT_EQ(many.size(), 1000000U);
  EXPECT_EQ(many[999999], static_cast<float>(99999.9));
}

TEST(Creation, WrongRangesAreRefused) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& make : std::vector<std::function<void()>>{
           [] { (void)Tensor::arange(5, 0); }, [] { (void)Tensor::arange(0, 5, -1); },
           [] { (void)Tensor::arange(0, 5, 0); }, [] { (void)Tensor::arange(0.5, 3, 0.5, DType::int64); },
           [] { (void)Tensor::arange(0.5, 3, 0.5, DType::int32); }, [=] { (void)Tensor::arange(infinity); },
           [] { (void)Tensor::arange(std::nan("")); }, [] { (void)Tensor::arange(0, 3, 1, DType::boolean); },
           [] { (void)Tensor::arange(0, 1e300, 1e-300, DType::float64); },
           [] { (void)Tensor::arange(1e30, 2e30, 1e30, DType::int64); },
           [] { (void)Tensor::arange(1e30, 2e30, 1e30, DType::int32); }}) {
    EXPECT_TRUE(error_of(make).starts_with("arange: ")) << error_of(make);
  }
  for (const auto& make : std::vector<std::function<void()>>{
           [] { (void)Tensor::linspace(0, 1, -1); }, [] { (void)Tensor::linspace(0, 1, 2, DType::boolean); },
           [] { (void)Tensor::linspace(0, 256, 2, DType::uint8); },
           [] { (void)Tensor::linspace(-1, 2, 2, DType::uint8); },
           [] { (void)Tensor::linspace(0, std::nan(""), 2, DType::int64); },
           [] { (void)Tensor::linspace(0, 0x1p63, 2, DType::int64); }}) {
    EXPECT_TRUE(error_of(make).starts_with("linspace: ")) << error_of(make);
  }
  EXPECT_TRUE(error_of([] { (void)Tensor::eye(-1); }).starts_with("eye: "));
  EXPECT_TRUE(error_of([] { (void)Tensor::eye(2, -1); }).starts_with("eye: "));
}

TEST(Creation, LinspaceHasBothEnds) {
  expect_vector<float>(Tensor::linspace(0, 1, 5), {5}, {0, 0.25, 0.5, 0.75, 1});
  expect_vector<double>(Tensor::linspace(3, -3, 4, DType::float64), {4}, {3, 1, -1, -3});
  expect_vector<float>(Tensor::linspace(7, 9, 1), {1}, {7});
  expect_vector<float>(Tensor::linspace(7, 9, 0), {0}, {});
  expect_vector<std::int64_t>(Tensor::linspace(0, 10, 4, DType::int64), {4}, {0, 3, 6, 10});
  expect_vector<std::int64_t>(Tensor::linspace(0, -10, 4, DType::int64), {4}, {0, -3, -6, -10});
  expect_vector<std::uint8_t>(Tensor::linspace(-0.5, 255, 2, DType::uint8), {2}, {0, 255});
  expect_vector<std::int8_t>(Tensor::linspace(-128, 127.5, 2, DType::int8), {2}, {-128, 127});
  const std::vector<double> thirds = Tensor::linspace(0.1, 0.7, 7, DType::float64).to_vector<double>();
  EXPECT_EQ(thirds.front(), 0.1);
  EXPECT_EQ(thirds.back(), 0.7);
  // Ends so far apart that their difference is infinite.
  const double largest = std::numeric_limits<double>::max();
  expect_vector<double>(Tensor::linspace(-largest, largest, 3, DType::float64), {3}, {-largest, 0, largest});
}

TEST(Creation, EyeIsTheIdentity) {
  for (const DType dtype : all_dtypes) {
    for (const auto& [rows, columns] :
         {std::pair<std::int64_t, std::int64_t>{3, 3}, {2, 5}, {4, 1}, {0, 3}, {3, 0}}) {
      expect_elements(Tensor::eye(rows, columns, dtype), {rows, columns}, dtype,
                      [](const Position& p) { return p[0] == p[1] ? 1 : 0; });
    }
    expect_elements(Tensor::eye(3, dtype), {3, 3}, dtype, [](const Position& p) { return p[0] == p[1] ? 1 : 0; });
  }
}

}  // namespace
}  // namespace feral
