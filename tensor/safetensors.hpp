// Named tensors in and out of .safetensors files, the format in which weights are exchanged.
//
//   save_safetensors("lenet.safetensors", model.state_dict());
//   model.load_state_dict(load_safetensors("lenet.safetensors").tensors);
//
// Every DType has its place in the format; of the format's types those that feral does not have (unsigned ones of
// 16 to 64 bits, 8-bit floating ones, …) are refused by name. Nothing in a file is trusted: lengths, names, shapes
// and places are checked before anything is allocated, which is never more than the file holds.
//
// What feral writes has checksums in its metadata (tensor/safetensors_header.hpp), which other readers pass over: a
// bit flipped anywhere in such a file is an error when it is read. Files without them are read as they are.
//
// Errors are feral::Error in one line that begins with the file's name and says what was found and what was
// expected.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "tensor/tensor.hpp"

namespace feral {

struct SafetensorsFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;  // without the checksums
  bool checked = false;                         // the file had checksums, and they were right
};

// Writes every tensor (of any strides, in C order) and the metadata: equal ones give equal bytes. The file is
// written beside `path` under a temporary name and renamed over `path` when all of it is on the disk; an error
// leaves nothing behind. Two names of one tensor are written twice. The tensors may be live shared parameters:
// the checksums are of what was written. Names and texts must be UTF-8.
void save_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                      const std::map<std::string, std::string>& metadata = {});

// Reads all of `path` into memory of the tensors' own.
SafetensorsFile load_safetensors(const std::filesystem::path& path);

// Like load_safetensors, but the elements stay in the file until they are touched, as with map_npy (tensor/npy.hpp,
// where the limits stand). Checksums are not gone through, but for the header's, and `checked` is false; bool and
// elements that are not aligned to their size in the file are copied.
SafetensorsFile map_safetensors(const std::filesystem::path& path);

// Reads all of `path` and keeps the metadata alone: whether the file is whole costs no memory.
SafetensorsFile check_safetensors(const std::filesystem::path& path);

// Reads a file that lies in memory; nothing of `bytes` is kept. Errors begin with `name_for_errors`.
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name_for_errors);

}  // namespace feral
