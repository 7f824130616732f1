#include "data/text.hpp"

#include "core/fail.hpp"
#include "tensor/files.hpp"

namespace feral::data {

TextDataset::TextDataset(const std::filesystem::path& path, Part part, TextOptions options) : options_(options) {
  if (options.length < 1) fail("TextDataset: samples of {} bytes", options.length);
  const FileSource file(path, "a text file");
  const std::size_t border = file.size() - file.size() / 10;
  const std::size_t begin = part == Part::train ? 0 : border;
  bytes_.resize((part == Part::train ? border : file.size()) - begin);
  file.read(begin, reinterpret_cast<std::byte*>(bytes_.data()), bytes_.size());
  // The last byte has no successor.
  size_ = bytes_.empty() ? 0 : (static_cast<std::int64_t>(bytes_.size()) - 1) / options.length;
  if (size_ < 1) {
    fail("{}: {} bytes are too few; the tenth for testing must hold {} at least", path.string(), file.size(),
         options.length + 1);
  }
}

std::vector<Field> TextDataset::fields() const {
  return {{"data", DType::int64, {options_.length}}, {"target", DType::int64, {options_.length}}};
}

void TextDataset::get(std::int64_t index, Sample& into) const {
  const std::span<std::int64_t> data = into.field<std::int64_t>(0);
  const std::span<std::int64_t> target = into.field<std::int64_t>(1);
  const std::uint8_t* from = bytes_.data() + index * options_.length;
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = from[i];
    target[i] = from[i + 1];
  }
}

}  // namespace feral::data
