// Reading IDX files, the format in which MNIST and Fashion-MNIST are published.
//
// An IDX file is: two zero bytes, a byte with the element type, a byte with the number of dimensions D, D sizes as
// 32-bit big-endian integers, and the elements, row-major. The file may be compressed by gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/byte_array.hpp"

namespace feral::data {

// An array of unsigned bytes as it stood in a file.
struct IdxArray {
  std::vector<std::int64_t> shape;  // 1 to 4 sizes, outermost first, each at least 1
  std::vector<std::uint8_t> bytes;  // as many elements as the product of `shape`, row-major
};

// Reads the whole of `path`, plain or gzip: the file's first bytes decide, never its name. Only unsigned bytes
// (element type 0x08) in 1 to 4 dimensions are read.
//
// Throws feral::Error, in one line that names the file, when it cannot be opened or read, is no regular file, has
// a header that is short or says anything else than the above, holds fewer or more bytes than the header
// announces, or is a gzip stream that is cut off, damaged (the CRC is checked) or followed by other bytes.
// The header is not trusted with memory: what is allocated follows the bytes that have really arrived.
IdxArray read_idx(const std::filesystem::path& path);

// The same array without its bytes, if they can wait: those of a plain file are mapped, those of a compressed one
// are read by read_idx when somebody first looks at them.
struct IdxView {
  std::vector<std::int64_t> shape;
  ByteArray bytes;
};

// Throws feral::Error as read_idx does, but for what is wrong behind the header of a compressed file: that is
// thrown by whoever looks at the bytes first.
IdxView open_idx(const std::filesystem::path& path);

}  // namespace feral::data
