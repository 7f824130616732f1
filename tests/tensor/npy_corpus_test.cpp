// The inputs that fuzzing has found worth keeping, through the function that is fuzzed (tests/fuzz/npy_fuzz.cpp).
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

TEST(NpyCorpus, EveryInputIsReadOrRefused) {
  std::size_t inputs = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(FERAL_SOURCE_DIR) / "tests/fuzz/corpus/npy")) {
    SCOPED_TRACE(entry.path());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()), 0);
    ++inputs;
  }
  EXPECT_GE(inputs, 15U);
}

}  // namespace
