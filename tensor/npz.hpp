// Several named tensors in and out of one .npz file: a zip archive of .npy files, as numpy.savez writes it.
//
// Read: stored and deflated entries, as in .npy (tensor/npy.hpp), with every CRC checked. The archive is
// distrusted: sizes and places are checked against the file, entries may not overlap, an entry is inflated up to
// its announced size, which the .npy header inside must confirm and which may not be more than deflate can hold.
// Names are keys of the result and nothing else: no file is ever made from one. Encrypted archives, archives in
// several parts, and ZIP64 (entries or archives of 4 GiB and more, more than 65,534 entries) are refused by name.
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

// All arrays of the archive by name, without the suffix ".npy", as NumPy shows them. Two entries of one name are an
// error.
std::map<std::string, Tensor> load_npz(const std::filesystem::path& path);

// Writes every tensor as NAME.npy, deflated when `compressed`. Like save_npy the file is written beside `path`
// under a temporary name and renamed over `path` when it is complete; equal tensors give equal bytes. Throws where
// ZIP64 would be needed: save such tensors with save_npy.
void save_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
              bool compressed = false);

// Reads an archive that lies in memory; nothing of `bytes` is kept. Errors begin with `name_for_errors`.
std::map<std::string, Tensor> parse_npz(std::span<const std::byte> bytes, std::string_view name_for_errors);

}  // namespace feral
