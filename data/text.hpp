// A text as a stream of bytes, for language models.
#pragma once

#include <filesystem>
#include <vector>

#include "data/dataset.hpp"
#include "data/part.hpp"

namespace feral::data {

struct TextOptions {
  std::int64_t length = 64;  // bytes of a sample
};

// Sample i is `length` bytes of the file, the next sample begins behind it; its target is the byte that follows
// each. The last tenth of the file is for testing, what is before it for training; a rest that fills no sample is
// left out. Fields: "data" int64 [length], "target" int64 [length], in [0, 256).
//
// Errors are feral::Error in one line that begins with the file's name.
class TextDataset : public Dataset {
 public:
  TextDataset(const std::filesystem::path& path, Part part, TextOptions options = {});

  std::int64_t size() const override { return size_; }
  std::vector<Field> fields() const override;
  void get(std::int64_t index, Sample& into) const override;

 private:
  TextOptions options_;
  std::vector<std::uint8_t> bytes_;  // of the part
  std::int64_t size_ = 0;
};

}  // namespace feral::data
