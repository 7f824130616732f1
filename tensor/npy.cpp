#include "tensor/npy.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include "core/fail.hpp"
#include "tensor/file_mapping.hpp"
#include "tensor/files.hpp"
#include "tensor/npy_format.hpp"
#include "tensor/view_of.hpp"

namespace feral {

namespace {

class SourceReader final : public NpyReader {
 public:
  explicit SourceReader(const ByteSource& source) : source_(source) {}
  void read(std::byte* to, std::size_t bytes) override {
    source_.read(offset_, to, bytes);
    offset_ += bytes;
  }

 private:
  const ByteSource& source_;
  std::size_t offset_ = 0;
};

Tensor read_all(const ByteSource& source) {
  SourceReader reader(source);
  return read_npy(reader, source.size(), source.name());
}

constexpr std::string_view expected = "an .npy file";

}  // namespace

void save_npy(const std::filesystem::path& path, const Tensor& tensor) {
  if (!tensor.defined()) fail("{}: the tensor to be saved is undefined", path.string());
  const Tensor ordered = in_c_order(tensor);
  const std::string header = npy_header_of(ordered, path.string());
  OutputFile file(path);
  file.write(header.data(), header.size());
  file.write(ordered.raw_data(), npy_data_bytes(ordered));
  file.commit();
}

Tensor load_npy(const std::filesystem::path& path) { return read_all(FileSource(path, expected)); }

Tensor map_npy(const std::filesystem::path& path) {
  const FileSource file(path, expected);
  SourceReader reader(file);
  const NpyHeader header = read_npy_header(reader, file.size(), file.name());
  if (header.swapped || header.dtype == DType::boolean || header.data_bytes == 0 ||
      header.data_offset % size_of(header.dtype) != 0) {
    return read_all(file);
  }
  const auto mapping = std::make_shared<FileMapping>(file);
  const Tensor tensor =
      Tensor::from_blob(mapping->data() + header.data_offset, header.shape, header.dtype, [mapping](void*) {});
  return header.fortran_order ? view_of(tensor, tensor.shape(), header.strides()) : tensor;
}

Tensor parse_npy(std::span<const std::byte> bytes, std::string_view name_for_errors) {
  return read_all(MemorySource(bytes, name_for_errors));
}

}  // namespace feral
