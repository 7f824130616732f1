// What the tests of .npy and .npz share: bytes, the committed files of NumPy, and the values in them.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::npy_files {

namespace fs = std::filesystem;

using Bytes = std::vector<std::byte>;

// The types that files are committed for.
inline constexpr DType types[] = {DType::float32, DType::float64, DType::int32,   DType::int64,  DType::uint8,
                                  DType::int8,    DType::int16,   DType::float16, DType::boolean};

inline fs::path fixture(const std::string& name) {
  return fs::path(FERAL_SOURCE_DIR) / "tests/fixtures/npy" / name;
}

inline Bytes read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline void write_bytes(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  EXPECT_TRUE(file) << path;
}

inline Bytes to_bytes(const std::string& text) {
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// Element `i` in C order, by the formula of tests/fixtures/npy/generate.py.
inline double value(DType dtype, std::int64_t i) {
  const double real = static_cast<double>(i) * 1.5 - 4;
  if (dtype == DType::float16) return float{Float16(static_cast<float>(real))};
  if (is_floating(dtype)) return real;
  if (dtype == DType::boolean) return i % 3 == 1 ? 1 : 0;
  if (dtype == DType::uint8) return static_cast<double>((i * 40 + 3) % 256);
  // Beyond the files' few elements the small types wrap around.
  if (dtype == DType::int8) return static_cast<double>((i * 20 - 4 + 128) % 256 - 128);
  if (dtype == DType::int16) return static_cast<double>((i * 1001 - 4 + 32768) % 65536 - 32768);
  return static_cast<double>(i * 1001 - 4);
}

// A contiguous tensor of these values.
inline Tensor tensor_of(DType dtype, const Shape& shape) {
  return visit_dtype(dtype, [&]<class T>() {
    std::vector<T> values(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<T>(value(dtype, static_cast<std::int64_t>(i)));
    }
    return Tensor::from_vector(values, shape);
  });
}

// Whether `tensor` has this type, shape and the values of the formula.
inline void expect_values(const Tensor& tensor, DType dtype, const Shape& shape) {
  ASSERT_TRUE(tensor.defined());
  EXPECT_EQ(tensor.dtype(), dtype);
  ASSERT_EQ(tensor.shape(), shape);
  const std::vector<double> found = tensor.to_vector<double>();
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i], value(dtype, static_cast<std::int64_t>(i))) << tensor.to_string() << " at " << i;
  }
}

}  // namespace feral::npy_files
