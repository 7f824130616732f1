// Fuzzing what reads .npy and .npz: any bytes give a feral::Error or a tensor that survives being written and read.
//
// tensor_tests replays corpus/npy/ through this function (tests/tensor/npy_corpus_test.cpp). To look for more, from
// the root of the tree, with the packages clang-14 and libclang-rt-14-dev:
//
//   clang++-14 -std=c++20 -O1 -g -fsanitize=fuzzer,address -DHWY_COMPILE_ONLY_STATIC -I. -o /tmp/npy_fuzz
//       tests/fuzz/npy_fuzz.cpp core/*.cpp tensor/*.cpp tensor/cpu/*.cpp -lz -lfmt -lopenblas -lhwy
//   mkdir -p /tmp/npy_found
//   /tmp/npy_fuzz -max_total_time=600 -max_len=4096 /tmp/npy_found tests/fuzz/corpus/npy
//
// New inputs that reach new code appear in /tmp/npy_found; -merge=1 picks the few that are worth keeping.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tensor/npy.hpp"
#include "tensor/npy_format.hpp"
#include "tensor/npz.hpp"

namespace {

using feral::Tensor;

// The tensor as a file, as save_npy would write it.
std::vector<std::byte> file_of(const Tensor& tensor) {
  const Tensor ordered = feral::in_c_order(tensor);
  const std::string header = feral::npy_header_of(ordered, "fuzz");
  const auto* begin = reinterpret_cast<const std::byte*>(header.data());
  std::vector<std::byte> file(begin, begin + header.size());
  file.insert(file.end(), ordered.raw_data(), ordered.raw_data() + feral::npy_data_bytes(ordered));
  return file;
}

void survives(const Tensor& tensor) {
  const std::vector<std::byte> file = file_of(tensor);
  const Tensor again = feral::parse_npy(file, "fuzz");
  FERAL_ASSERT(again.shape() == tensor.shape() && again.dtype() == tensor.dtype());
  FERAL_ASSERT(file_of(again) == file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const Tensor tensor = feral::parse_npy(bytes, "fuzz.npy");
    FERAL_ASSERT(feral::npy_data_bytes(tensor) <= size);
    survives(tensor);
  } catch (const feral::Error&) {
  }
  try {
    for (const auto& [name, tensor] : feral::parse_npz(bytes, "fuzz.npz")) survives(tensor);
  } catch (const feral::Error&) {
  }
  return 0;
}
