#include "tensor/safetensors.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/fail.hpp"
#include "tensor/file_mapping.hpp"
#include "tensor/files.hpp"
#include "tensor/npy_format.hpp"
#include "tensor/racy.hpp"
#include "tensor/safetensors_header.hpp"

namespace feral {
namespace {

constexpr std::string_view expected = "a safetensors file";
constexpr std::size_t piece_bytes = std::size_t{1} << 18;  // stays in the cache between its checksum and the file

void check_sum(const SafetensorsHeader& header, std::size_t number, std::uint32_t found, const std::string& file) {
  if (!header.checked || header.checksums[number] == found) return;
  fail("{}: is damaged: the checksum of tensor '{}' is wrong", file, printable(header.entries[number].name));
}

Tensor read_tensor(const ByteSource& source, const SafetensorsHeader& header, std::size_t number) {
  const SafetensorsEntry& entry = header.entries[number];
  Tensor tensor;
  try {
    tensor = Tensor::empty(entry.shape, entry.dtype);
  } catch (const Error& error) {
    fail("{}: tensor '{}': {}", source.name(), printable(entry.name), error.what());
  }
  const std::size_t bytes = entry.end - entry.begin;
  source.read(header.data_offset + entry.begin, tensor.raw_data(), bytes);
  check_sum(header, number, crc32_of(tensor.raw_data(), bytes), source.name());
  if (entry.dtype == DType::boolean) {  // a byte other than 0 and 1 is no bool in C++
    for (std::byte& flag : std::span(tensor.raw_data(), bytes)) flag = flag == std::byte{0} ? flag : std::byte{1};
  }
  return tensor;
}

SafetensorsFile read_all(const ByteSource& source) {
  SafetensorsHeader header = read_safetensors_header(source);
  SafetensorsFile file;
  for (std::size_t i = 0; i < header.entries.size(); ++i) {
    file.tensors.emplace(header.entries[i].name, read_tensor(source, header, i));
  }
  file.metadata = std::move(header.metadata);
  file.checked = header.checked;
  return file;
}

// Copies a piece out of memory that others may be writing.
void copy_live(std::byte* to, const std::byte* from, std::size_t bytes, DType dtype) {
  visit_dtype(dtype, [&]<class T>() {
    racy_copy(reinterpret_cast<T*>(to), reinterpret_cast<const T*>(from), bytes / sizeof(T));
  });
}

// The largest elements first: all are aligned to their size then.
std::vector<std::pair<std::string, Tensor>> in_file_order(const std::map<std::string, Tensor>& tensors,
                                                          const std::string& file) {
  std::vector<std::pair<std::string, Tensor>> ordered(tensors.begin(), tensors.end());
  for (const auto& [name, tensor] : ordered) {
    if (!tensor.defined()) fail("{}: the tensor '{}' is undefined", file, printable(name));
  }
  std::ranges::stable_sort(
      ordered, [](const auto& a, const auto& b) { return size_of(a.second.dtype()) > size_of(b.second.dtype()); });
  return ordered;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  const std::string file = path.string();
  const auto ordered = in_file_order(tensors, file);
  SafetensorsHeader header;
  header.metadata = metadata;
  header.checksums.resize(ordered.size());
  std::size_t end = 0;
  for (const auto& [name, tensor] : ordered) {
    const std::size_t begin = end;
    end += npy_data_bytes(tensor);
    header.entries.push_back({name, tensor.dtype(), tensor.shape(), begin, end});
  }
  std::string text = safetensors_header_of(header, file);

  OutputFile output(path);
  output.write(text.data(), text.size());
  std::vector<std::byte> piece(std::min(piece_bytes, end));
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    const Tensor tensor = in_c_order(ordered[i].second);
    const std::size_t bytes = npy_data_bytes(tensor);
    for (std::size_t at = 0; at < bytes; at += piece_bytes) {
      const std::size_t count = std::min(piece_bytes, bytes - at);
      copy_live(piece.data(), tensor.raw_data() + at, count, tensor.dtype());
      header.checksums[i] = crc32_of(piece.data(), count, header.checksums[i]);
      output.write(piece.data(), count);
    }
  }
  text = safetensors_header_of(header, file);
  output.overwrite(0, text.data(), text.size());
  output.commit();
}

SafetensorsFile load_safetensors(const std::filesystem::path& path) { return read_all(FileSource(path, expected)); }

SafetensorsFile map_safetensors(const std::filesystem::path& path) {
  const FileSource source(path, expected);
  SafetensorsHeader header = read_safetensors_header(source);
  header.checked = false;
  const auto mapping = std::make_shared<FileMapping>(source);
  SafetensorsFile file;
  for (std::size_t i = 0; i < header.entries.size(); ++i) {
    const SafetensorsEntry& entry = header.entries[i];
    const std::size_t place = header.data_offset + entry.begin;
    const bool as_it_stands =
        entry.dtype != DType::boolean && entry.begin != entry.end && place % size_of(entry.dtype) == 0;
    file.tensors.emplace(entry.name, as_it_stands ? Tensor::from_blob(mapping->data() + place, entry.shape,
                                                                      entry.dtype, [mapping](void*) {})
                                                  : read_tensor(source, header, i));
  }
  file.metadata = std::move(header.metadata);
  return file;
}

SafetensorsFile check_safetensors(const std::filesystem::path& path) {
  const FileSource source(path, expected);
  SafetensorsHeader header = read_safetensors_header(source);
  std::vector<std::byte> piece(std::min(piece_bytes, source.size()));
  for (std::size_t i = 0; header.checked && i < header.entries.size(); ++i) {
    const SafetensorsEntry& entry = header.entries[i];
    std::uint32_t checksum = 0;
    for (std::size_t at = entry.begin; at < entry.end; at += piece.size()) {
      const std::size_t count = std::min(piece.size(), entry.end - at);
      source.read(header.data_offset + at, piece.data(), count);
      checksum = crc32_of(piece.data(), count, checksum);
    }
    check_sum(header, i, checksum, source.name());
  }
  return {.tensors = {}, .metadata = std::move(header.metadata), .checked = header.checked};
}

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name_for_errors) {
  return read_all(MemorySource(bytes, name_for_errors));
}

}  // namespace feral
