#include "tensor/npy.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <string>
#include <utility>

#include "core/fail.hpp"
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

// A whole file in memory, private to this process.
class Mapping {
 public:
  explicit Mapping(const FileSource& file) : bytes_(file.size()) {
    // Without a reservation a file larger than the memory can be mapped, too.
    base_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.descriptor(), 0);
    if (base_ == MAP_FAILED) fail_errno(file.name() + ": cannot map the file");
  }
  ~Mapping() {
    if (base_ != nullptr) ::munmap(base_, bytes_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // The tensor over the elements, which takes the mapping over.
  Tensor tensor(const NpyHeader& header) {
    auto* data = static_cast<std::byte*>(base_) + header.data_offset;
    Tensor tensor = Tensor::from_blob(data, header.shape, header.dtype,
                                      [base = base_, bytes = bytes_](void*) { ::munmap(base, bytes); });
    base_ = nullptr;
    return header.fortran_order ? view_of(tensor, tensor.shape(), header.strides()) : tensor;
  }

 private:
  void* base_ = nullptr;
  std::size_t bytes_ = 0;
};

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
  return Mapping(file).tensor(header);
}

Tensor parse_npy(std::span<const std::byte> bytes, std::string_view name_for_errors) {
  return read_all(MemorySource(bytes, name_for_errors));
}

}  // namespace feral
