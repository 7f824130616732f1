// The inputs that fuzzing has found worth keeping, through the function that is fuzzed
// (tests/fuzz/safetensors_fuzz.cpp).
#include <gtest/gtest.h>

#include "tests/tensor/npy_files.hpp"

namespace feral::safetensors_fuzz {

int run(const std::uint8_t* data, std::size_t size);

namespace {

TEST(SafetensorsCorpus, EveryInputIsReadOrRefused) {
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(FERAL_SOURCE_DIR) /
                                                               "tests/fuzz/corpus/safetensors")) {
    SCOPED_TRACE(entry.path());
    const npy_files::Bytes content = npy_files::read_bytes(entry.path());
    EXPECT_EQ(run(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()), 0);
    ++inputs;
  }
  EXPECT_GE(inputs, 15U);
}

}  // namespace
}  // namespace feral::safetensors_fuzz
