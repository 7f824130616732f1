// A text for language models: windows of bytes, each with the bytes that follow.
#pragma once

#include <filesystem>
#include <string>

#include "data/dataset.hpp"
#include "data/labelled_text.hpp"

namespace feral::data {

struct TextOptions {
  std::int64_t window = 64;  // bytes of a sample
};

// The file is read as bytes; its last tenth is for testing, what stands before it for training. Sample i is window
// i of its part, windows lie side by side, and what is left at the end is passed over.
//
// Fields: "data" int64 [window], the bytes; "target" int64 [window], the byte behind each.
//
// Errors are feral::Error in one line that begins with the file's name: it cannot be read, or one of its parts is
// shorter than a window and a byte.
class TextDataset : public Dataset {
 public:
  TextDataset(const std::filesystem::path& path, Part part, TextOptions options = {});

  std::int64_t size() const override;
  std::vector<Field> fields() const override;
  void get(std::int64_t index, Sample& into) const override;

 private:
  TextOptions options_;
  std::string text_;  // of this part
};

}  // namespace feral::data
