// Text files for a test, and what a data set of texts makes of them.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::support {

using Numbers = std::vector<std::int64_t>;

class TextFile : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) const {
    const std::filesystem::path path = folder_.path() / "text.txt";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

 private:
  TemporaryFolder folder_;
};

struct TextSample {
  Numbers data;
  Numbers target;
};

inline TextSample sample(const data::Dataset& texts, std::int64_t index) {
  const data::BatchLayout layout(texts.fields(), 1);
  std::vector<std::int64_t> memory(layout.size_bytes() / 8 + 16);
  data::Sample into(layout, reinterpret_cast<std::byte*>(memory.data()), 0);
  texts.get(index, into);
  const auto first = into.field<std::int64_t>(0);
  const auto second = into.field<std::int64_t>(1);
  return {Numbers(first.begin(), first.end()), Numbers(second.begin(), second.end())};
}

}  // namespace feral::support
