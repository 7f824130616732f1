// The header of a safetensors file, read with distrust and written. For safetensors.cpp.
//
// A file is: the length of the header (8 bytes, little-endian), the header, and the elements of all tensors without
// gaps. The header is a JSON object: every tensor's name → {"dtype": "F32", "shape": [2, 3], "data_offsets":
// [begin, end]}, the offsets counted from the end of the header, and perhaps "__metadata__" → texts by name.
// Source: the format's description in the README of huggingface/safetensors.
//
// The format has no checksums. Ours stand in the metadata, under two names, so that no single flipped bit can make
// a file of ours pass for another's: "feral.format" → "1", and "feral.crc32" → 8 hexadecimal digits for everything
// before the elements (taken with these 8 digits as zeros), then 8 for each tensor in the order of the elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tensor/dtype.hpp"
#include "tensor/files.hpp"
#include "tensor/shape.hpp"

namespace feral {

struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::float32;
  Shape shape;
  std::size_t begin = 0;  // of the elements, counted from the end of the header
  std::size_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;        // in the order of their elements
  std::map<std::string, std::string> metadata;  // without the checksums
  bool checked = false;                         // the file has checksums; that of the header was right
  std::vector<std::uint32_t> checksums;         // of the entries' elements, in their order, when checked
  std::size_t data_offset = 0;                  // where the elements begin in the file
};

// Reads and checks everything before the elements: what the entries announce is exactly what the file holds, and
// they neither overlap nor leave gaps. Throws feral::Error that begins with the source's name.
SafetensorsHeader read_safetensors_header(const ByteSource& source);

// What stands before the elements. `header.checksums` are those of the entries, whose order is that of the
// elements; its length does not depend on the checksums' values. Throws feral::Error that begins with `name` for
// names and texts that are not UTF-8 or that the format or the checksums use themselves.
std::string safetensors_header_of(const SafetensorsHeader& header, const std::string& name);

// Goes on with a CRC-32 (zlib's), which begins as 0.
std::uint32_t crc32_of(const void* data, std::size_t bytes, std::uint32_t before = 0) noexcept;

}  // namespace feral
