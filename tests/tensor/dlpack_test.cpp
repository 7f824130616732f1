// DLPack: memory handed out and taken in without a copy, and given back once.
#include "tensor/dlpack.hpp"

#include <dlpack/dlpack.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::contains;
using testing_support::error_of;

TEST(Dlpack, HandsOutTheMemoryWithItsStrides) {
  const Tensor x = Tensor::from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor view = x.transpose(0, 1).narrow(0, 1, 2);
  DLManagedTensor* managed = to_dlpack(view);
  EXPECT_EQ(managed->dl_tensor.data, x.data<float>() + 1);
  EXPECT_EQ(managed->dl_tensor.device.device_type, kDLCPU);
  ASSERT_EQ(managed->dl_tensor.ndim, 2);
  EXPECT_EQ(managed->dl_tensor.shape[0], 2);
  EXPECT_EQ(managed->dl_tensor.shape[1], 2);
  EXPECT_EQ(managed->dl_tensor.strides[0], 1);
  EXPECT_EQ(managed->dl_tensor.strides[1], 3);
  EXPECT_EQ(managed->dl_tensor.dtype.code, kDLFloat);
  EXPECT_EQ(managed->dl_tensor.dtype.bits, 32);
  EXPECT_EQ(managed->dl_tensor.dtype.lanes, 1);
  managed->deleter(managed);
}

TEST(Dlpack, KeepsTheMemoryUntilTheConsumerIsDone) {
  Tensor x = Tensor::full({1000}, 3);
  DLManagedTensor* managed = to_dlpack(x);
  EXPECT_EQ(x.impl()->references, 2U);
  x = Tensor();
  EXPECT_EQ(static_cast<const float*>(managed->dl_tensor.data)[999], 3);
  managed->deleter(managed);
}

TEST(Dlpack, WhatIsHandedOutIsTakenInAgainEveryType) {
  for (int i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{2, 0}}) {
      const Tensor x = Tensor::ones(shape, dtype);
      const Tensor back = from_dlpack(to_dlpack(x));
      EXPECT_EQ(back.dtype(), dtype);
      EXPECT_EQ(back.shape(), shape);
      EXPECT_EQ(back.raw_data(), x.raw_data());
      EXPECT_EQ(back.to_vector<float>(), x.to_vector<float>());
    }
  }
}

// A tensor of another library, and how often it was given back.
struct Foreign {
  explicit Foreign(int dims) {
    managed.dl_tensor = {.data = elements,
                         .device = {kDLCPU, 0},
                         .ndim = dims,
                         .dtype = {kDLInt, 32, 1},
                         .shape = shape,
                         .strides = nullptr,
                         .byte_offset = 0};
    managed.manager_ctx = this;
    managed.deleter = [](DLManagedTensor* self) { ++static_cast<Foreign*>(self->manager_ctx)->given_back; };
  }
  DLManagedTensor managed{};
  alignas(64) std::int32_t elements[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  std::int64_t shape[9] = {2, 3, 1, 1, 1, 1, 1, 1, 1};
  std::int64_t strides[9] = {4, 1, 1, 1, 1, 1, 1, 1, 1};
  int given_back = 0;
};

TEST(Dlpack, TakesInMemoryAndGivesItBackOnce) {
  Foreign foreign(2);
  foreign.managed.dl_tensor.byte_offset = 4;
  {
    const Tensor x = from_dlpack(&foreign.managed);
    EXPECT_EQ(x.to_vector<int>(), (std::vector<int>{1, 2, 3, 4, 5, 6}));
    const Tensor row = x.narrow(0, 1, 1);
    foreign.elements[4] = 44;
    EXPECT_EQ(row.to_vector<int>(), (std::vector<int>{44, 5, 6}));
    EXPECT_EQ(foreign.given_back, 0);
  }
  EXPECT_EQ(foreign.given_back, 1);
}

TEST(Dlpack, TakesInStrides) {
  Foreign foreign(2);
  foreign.managed.dl_tensor.strides = foreign.strides;
  EXPECT_EQ(from_dlpack(&foreign.managed).to_vector<int>(), (std::vector<int>{0, 1, 2, 4, 5, 6}));
  EXPECT_EQ(foreign.given_back, 1);
}

TEST(Dlpack, RefusesWhatItCannotHoldAndLeavesItToTheCaller) {
  Foreign foreign(2);
  DLTensor& source = foreign.managed.dl_tensor;
  const DLTensor good = source;
  const auto expect = [&](const std::string& part) {
    const std::string message = error_of([&] { (void)from_dlpack(&foreign.managed); });
    EXPECT_EQ(message.rfind("from_dlpack: ", 0), 0U) << message;
    EXPECT_TRUE(contains(message, part)) << part << " in: " << message;
    EXPECT_EQ(foreign.given_back, 0);
    source = good;
  };
  source.device.device_type = kDLCUDA;
  expect("device type 2");
  source.dtype = {kDLComplex, 64, 1};
  expect("64 bits");
  source.dtype.lanes = 4;
  expect("4 lanes");
  source.ndim = 9;
  expect("9 dimensions");
  source.ndim = -1;
  expect("-1 dimensions");
  source.byte_offset = 2;
  expect("aligned");
  source.data = nullptr;
  expect("no memory");
  foreign.strides[0] = -4;
  source.strides = foreign.strides;
  expect("-4");
  foreign.strides[0] = INT64_MAX / 2 + 1;
  foreign.shape[0] = 4;
  source.strides = foreign.strides;
  expect("reach too far");
  foreign.shape[0] = -2;
  EXPECT_TRUE(contains(error_of([&] { (void)from_dlpack(&foreign.managed); }), "negative size"));
  EXPECT_TRUE(contains(error_of([] { (void)from_dlpack(nullptr); }), "null"));
  EXPECT_TRUE(contains(error_of([] { (void)to_dlpack(Tensor()); }), "undefined"));
  EXPECT_TRUE(contains(error_of([] { (void)to_dlpack(Tensor::ones({1}).set_requires_grad(true)); }), "detach"));
}

// NumPy takes our memory and we take NumPy's, in one process: dlpack_python.cpp is loaded into Python.
TEST(Dlpack, NumPySharesMemoryBothWays) {
  if (std::system("python3 -c 'import numpy; numpy.from_dlpack' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3 has no numpy";
  const std::string library = FERAL_BINARY_DIR "/tests/libdlpack_python.so";
  if (!std::filesystem::exists(library)) GTEST_SKIP() << "not built with sanitizers";
  const std::string command = "python3 " FERAL_SOURCE_DIR "/tests/tensor/dlpack_numpy.py " + library;
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace feral
