// MNIST's four files in a folder, small, for tests to spoil.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace feral::support {

using Bytes = std::vector<std::uint8_t>;

inline void append_word(Bytes& bytes, std::uint32_t word) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
}

// An IDX file of `count` images of 28x28 in shades of gray.
inline Bytes idx_images(std::uint32_t count) {
  Bytes bytes = {0, 0, 8, 3};
  for (const std::uint32_t size : {count, 28U, 28U}) append_word(bytes, size);
  for (std::uint32_t i = 0; i < count * 784; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 7919 >> 4));
  return bytes;
}

// An IDX file of `count` labels 0 to 9.
inline Bytes idx_labels(std::uint32_t count) {
  Bytes bytes = {0, 0, 8, 1};
  append_word(bytes, count);
  for (std::uint32_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(i % 10));
  return bytes;
}

inline void write_file(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline Bytes gzipped(const Bytes& bytes) {
  z_stream zlib{};
  Bytes out(bytes.size() + 1024);
  deflateInit2(&zlib, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  zlib.next_in = const_cast<Bytef*>(bytes.data());
  zlib.avail_in = static_cast<uInt>(bytes.size());
  zlib.next_out = out.data();
  zlib.avail_out = static_cast<uInt>(out.size());
  if (deflate(&zlib, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate failed");
  out.resize(out.size() - zlib.avail_out);
  deflateEnd(&zlib);
  return out;
}

// 50 images to train on and 20 to test on, in a new folder.
inline void write_mnist(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_file(folder / "train-images-idx3-ubyte", idx_images(50));
  write_file(folder / "train-labels-idx1-ubyte", idx_labels(50));
  write_file(folder / "t10k-images-idx3-ubyte", idx_images(20));
  write_file(folder / "t10k-labels-idx1-ubyte", idx_labels(20));
}

}  // namespace feral::support
