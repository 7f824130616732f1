// The .npy format itself: its header, read with distrust and written as NumPy writes it. For npy.cpp and npz_*.cpp.
//
// A file is: the bytes 93 'NUMPY', a version (1.0, 2.0 or 3.0), the length of the header (2 bytes in version 1.0,
// 4 since, little-endian), the header, and the elements without gaps. The header is a Python dictionary as text,
// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, padded by spaces and ended by a newline.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tensor/tensor.hpp"

namespace feral {

struct NpyHeader {
  DType dtype = DType::float32;
  bool fortran_order = false;  // the first dimension is the one whose elements lie side by side
  bool swapped = false;        // the elements' bytes are not in this machine's order
  Shape shape;
  std::size_t data_offset = 0;  // of the first element, from the beginning
  std::size_t data_bytes = 0;

  // In elements, as the file has them.
  Shape strides() const noexcept;
};

// The bytes of one .npy file, read once from front to back.
class NpyReader {
 public:
  NpyReader() = default;
  NpyReader(const NpyReader&) = delete;
  NpyReader& operator=(const NpyReader&) = delete;
  virtual ~NpyReader() = default;
  // Exactly `bytes` bytes; throws feral::Error when there are fewer.
  virtual void read(std::byte* to, std::size_t bytes) = 0;
};

// Reads and checks everything before the elements. `total` is what the whole file holds: a header that announces
// another size is refused, so data_bytes is never more than what there is. Throws feral::Error, beginning with
// `name`.
NpyHeader read_npy_header(NpyReader& reader, std::size_t total, std::string_view name);

// Reads a whole file of `total` bytes into memory of the tensor's own.
Tensor read_npy(NpyReader& reader, std::size_t total, std::string_view name);

// `tensor` itself when it is contiguous, otherwise a copy that is. Off the tape.
Tensor in_c_order(const Tensor& tensor);
std::size_t npy_data_bytes(const Tensor& tensor) noexcept;

// What stands before the elements of a tensor in C order: byte for byte what numpy.save writes. Throws
// feral::Error, beginning with `name`, for an element type that NumPy does not have.
std::string npy_header_of(const Tensor& tensor, std::string_view name);

}  // namespace feral
