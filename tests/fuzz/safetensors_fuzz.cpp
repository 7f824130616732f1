// Fuzzing what reads safetensors: any bytes give a feral::Error or tensors that survive being written and read.
//
// tensor_tests replays corpus/safetensors/ through this function (tests/tensor/safetensors_corpus_test.cpp). To
// look for more, from the root of the tree, with the packages clang-14 and libclang-rt-14-dev:
//
//   clang++-14 -std=c++20 -O1 -g -fsanitize=fuzzer,address -DHWY_COMPILE_ONLY_STATIC -I. -o /tmp/safetensors_fuzz
//       tests/fuzz/safetensors_fuzz.cpp core/*.cpp tensor/*.cpp tensor/cpu/*.cpp -lz -lfmt -lopenblas -lhwy
//   mkdir -p /tmp/safetensors_found
//   /tmp/safetensors_fuzz -max_total_time=600 -max_len=2048 /tmp/safetensors_found tests/fuzz/corpus/safetensors
//
// New inputs that reach new code appear in /tmp/safetensors_found; -merge=1 picks the few that are worth keeping.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tensor/npy_format.hpp"
#include "tensor/safetensors.hpp"
#include "tensor/safetensors_header.hpp"

namespace feral::safetensors_fuzz {
namespace {

// The tensors as a file, the elements in the order of the names.
std::vector<std::byte> encoded(const SafetensorsFile& file) {
  SafetensorsHeader header;
  header.metadata = file.metadata;
  std::vector<std::byte> data;
  for (const auto& [name, tensor] : file.tensors) {
    const std::size_t begin = data.size();
    data.insert(data.end(), tensor.raw_data(), tensor.raw_data() + npy_data_bytes(tensor));
    header.entries.push_back({name, tensor.dtype(), tensor.shape(), begin, data.size()});
    header.checksums.push_back(crc32_of(data.data() + begin, data.size() - begin));
  }
  const std::string text = safetensors_header_of(header, "fuzz");
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  std::vector<std::byte> bytes(begin, begin + text.size());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

void survives(const SafetensorsFile& file) {
  const std::vector<std::byte> bytes = encoded(file);
  const SafetensorsFile again = parse_safetensors(bytes, "fuzz");
  FERAL_ASSERT(again.checked && again.metadata == file.metadata && again.tensors.size() == file.tensors.size());
  FERAL_ASSERT(encoded(again) == bytes);
}

}  // namespace

int run(const std::uint8_t* data, std::size_t size) {
  SafetensorsFile file;
  try {
    file = parse_safetensors(std::span(reinterpret_cast<const std::byte*>(data), size), "fuzz.safetensors");
  } catch (const Error&) {
    return 0;
  }
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors) bytes += npy_data_bytes(tensor);
  FERAL_ASSERT(bytes <= size);
  try {
    survives(file);
  } catch (const Error&) {  // names that other writers may use and we do not write
  }
  return 0;
}

}  // namespace feral::safetensors_fuzz

// The tests link all fuzzed functions into one binary and call run().
#ifndef FERAL_REPLAY
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return feral::safetensors_fuzz::run(data, size);
}
#endif
