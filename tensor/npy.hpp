// Tensors in and out of .npy files, NumPy's format for one array.
//
// Read: versions 1.0, 2.0 and 3.0, every DType that NumPy has, C and Fortran order, little- and
// big-endian, 0 to 8 dimensions. Other element types (objects, text, several fields, complex numbers) are refused
// by name. Nothing in the file is trusted: the header is parsed strictly and never evaluated, and the file must
// hold exactly the bytes that its shape announces, so that no more is allocated than it holds.
//
// Errors are feral::Error in one line that begins with the file's name and says what was found and what was
// expected.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "tensor/tensor.hpp"

namespace feral {

// Writes `tensor` (of any strides, in C order) as version 1.0, byte for byte as numpy.save does; eight dimensions
// never need a later version. The file is written beside `path` under a temporary name and renamed over `path` when
// it is complete. Gradients are not written.
void save_npy(const std::filesystem::path& path, const Tensor& tensor);

// Reads all of `path` into memory of the tensor's own. An array in Fortran order has the same shape and values and
// keeps its order in memory, as in NumPy: the tensor is a strided one, and contiguous() gives a copy in C order.
Tensor load_npy(const std::filesystem::path& path);

// Like load_npy, but the elements are read from the file when they are first touched, and shared with the system's
// cache until they are written: writing to the tensor never changes the file. The mapping goes away with the last
// tensor over it. Elements that the machine cannot use as they stand (of the other byte order, not aligned to their
// size in the file, none at all) are copied as by load_npy instead.
//
// The file must keep its length while the tensor lives: touching a page that has been cut off raises SIGBUS.
// Whether later changes to the file show in elements that have not been written is up to the system; save_npy is
// safe, since it puts a new file in place of the old one, which the mapping keeps.
Tensor map_npy(const std::filesystem::path& path);

// Reads an .npy file that lies in memory, as load_npy does; nothing of `bytes` is kept. Errors begin with
// `name_for_errors`.
Tensor parse_npy(std::span<const std::byte> bytes, std::string_view name_for_errors);

}  // namespace feral
