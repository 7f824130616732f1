#include "data/text.hpp"

#include "core/fail.hpp"
#include "tensor/files.hpp"

namespace feral::data {

TextDataset::TextDataset(const std::filesystem::path& path, Part part, TextOptions options) : options_(options) {
  if (options.window < 1) fail("TextDataset: a window of {} bytes; at least 1 is needed", options.window);
  const FileSource file(path, "a text file");
  const std::size_t test = file.size() / 10;
  const std::size_t train = file.size() - test;
  if (static_cast<std::int64_t>(test) <= options.window) {
    fail("{}: {} bytes are too few: a tenth of them, for testing, must hold more than a window of {}",
         path.string(), file.size(), options.window);
  }
  text_.resize(part == Part::train ? train : test);
  file.read(part == Part::train ? 0 : train, reinterpret_cast<std::byte*>(text_.data()), text_.size());
}

std::int64_t TextDataset::size() const { return (static_cast<std::int64_t>(text_.size()) - 1) / options_.window; }

std::vector<Field> TextDataset::fields() const {
  return {{"data", DType::int64, {options_.window}}, {"target", DType::int64, {options_.window}}};
}

void TextDataset::get(std::int64_t index, Sample& into) const {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text_.data()) + index * options_.window;
  const std::span<std::int64_t> data = into.field<std::int64_t>(0);
  const std::span<std::int64_t> target = into.field<std::int64_t>(1);
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = bytes[i];
    target[i] = bytes[i + 1];
  }
}

}  // namespace feral::data
