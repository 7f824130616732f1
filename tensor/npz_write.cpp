#include "tensor/npz.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/fail.hpp"
#include "tensor/files.hpp"
#include "tensor/npy_format.hpp"
#include "tensor/zip_format.hpp"

namespace feral {

namespace {

constexpr std::size_t output_buffer_bytes = std::size_t{256} * 1024;
constexpr std::uint16_t version = 20;                // of the format: deflate
constexpr std::uint16_t made_by = 3 << 8 | version;  // Unix: the permissions below count
constexpr std::uint32_t permissions = 0100644U << 16;
constexpr std::uint16_t first_of_january_1980 = 1 << 5 | 1;  // a constant date: equal tensors, equal files
constexpr std::size_t max_name_bytes = 65535;

struct WrittenEntry {
  std::string name;  // with the suffix
  std::uint16_t flags = 0;
  std::uint16_t method = zip::stored;
  std::uint32_t crc = 0;
  std::uint32_t compressed = 0;
  std::uint32_t bytes = 0;
  std::uint32_t local_offset = 0;
};

// `value` as 32 bits, of which the largest number means ZIP64.
std::uint32_t narrow(const OutputFile& file, std::string_view key, std::uint64_t value) {
  if (value >= zip::zip64_size) {
    fail("{}: '{}' needs ZIP64: more than 4 GiB in one .npz file; save it with save_npy", file.name(),
         printable(key));
  }
  return static_cast<std::uint32_t>(value);
}

// The fields that both headers have in a row, from the version to the length of the extra fields.
void put_common(std::byte* to, const WrittenEntry& entry) {
  zip::put16(to, version);
  zip::put16(to + 2, entry.flags);
  zip::put16(to + 4, entry.method);
  zip::put16(to + 6, 0);
  zip::put16(to + 8, first_of_january_1980);
  zip::put32(to + 10, entry.crc);
  zip::put32(to + 14, entry.compressed);
  zip::put32(to + 18, entry.bytes);
  zip::put16(to + 22, static_cast<std::uint16_t>(entry.name.size()));
  zip::put16(to + 24, 0);
}

std::array<std::byte, zip::local_bytes> local_header(const WrittenEntry& entry) {
  std::array<std::byte, zip::local_bytes> header{};
  zip::put32(header.data(), zip::local_signature);
  put_common(&header[4], entry);
  return header;
}

std::array<std::byte, zip::central_bytes> central_header(const WrittenEntry& entry) {
  std::array<std::byte, zip::central_bytes> header{};
  zip::put32(header.data(), zip::central_signature);
  zip::put16(&header[4], made_by);
  put_common(&header[6], entry);
  zip::put32(&header[38], permissions);
  zip::put32(&header[42], entry.local_offset);
  return header;
}

// Writes the content of an entry, as it is or deflated, and sums it up.
class EntryWriter {
 public:
  EntryWriter(OutputFile& file, bool compressed) : file_(file), deflating_(compressed) {
    if (!deflating_) return;
    buffer_.resize(output_buffer_bytes);
    if (deflateInit2(&zlib_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      fail("{}: no memory left to compress", file_.name());
    }
  }
  ~EntryWriter() {
    if (deflating_) deflateEnd(&zlib_);
  }
  EntryWriter(const EntryWriter&) = delete;
  EntryWriter& operator=(const EntryWriter&) = delete;

  void write(const void* data, std::size_t bytes) {
    const auto* from = static_cast<const Bytef*>(data);
    if (!deflating_) file_.write(data, bytes);
    while (bytes > 0) {
      const auto some = static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
      crc_ = crc32(crc_, from, some);
      if (deflating_) deflate_all(from, some, Z_NO_FLUSH);
      from += some;
      bytes -= some;
    }
  }
  // The CRC of everything.
  std::uint32_t finish() {
    if (deflating_) deflate_all(nullptr, 0, Z_FINISH);
    return static_cast<std::uint32_t>(crc_);
  }

 private:
  void deflate_all(const Bytef* from, uInt bytes, int flush) {
    zlib_.next_in = const_cast<Bytef*>(from);  // zlib reads only, but its field is not const
    zlib_.avail_in = bytes;
    do {
      zlib_.next_out = buffer_.data();
      zlib_.avail_out = static_cast<uInt>(buffer_.size());
      deflate(&zlib_, flush);
      file_.write(buffer_.data(), buffer_.size() - zlib_.avail_out);
    } while (zlib_.avail_out == 0);
  }

  OutputFile& file_;
  bool deflating_ = false;
  uLong crc_ = 0;
  z_stream zlib_{};
  std::vector<Bytef> buffer_;
};

WrittenEntry write_entry(OutputFile& file, const std::string& key, const Tensor& tensor, bool compressed) {
  if (!tensor.defined()) fail("{}: '{}': the tensor to be saved is undefined", file.name(), printable(key));
  const std::string header = npy_header_of(tensor, fmt::format("{}: '{}'", file.name(), printable(key)));
  WrittenEntry entry;
  entry.name = key + ".npy";
  if (entry.name.size() > max_name_bytes || entry.name.find('\0') != std::string::npos) {
    fail("{}: the name '{}' has {} bytes, expected at most {} and no zero among them", file.name(), printable(key),
         key.size(), max_name_bytes - 4);
  }
  if (std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; })) {
    entry.flags = zip::flag_utf8_name;
  }
  entry.method = compressed ? zip::deflated : zip::stored;
  entry.bytes = narrow(file, key, header.size() + npy_data_bytes(tensor));  // before it is copied
  entry.local_offset = narrow(file, key, file.size());

  const Tensor ordered = in_c_order(tensor);
  // First without CRC and compressed size, which are filled in when they are known.
  file.write(local_header(entry).data(), zip::local_bytes);
  file.write(entry.name.data(), entry.name.size());
  const std::uint64_t begin = file.size();
  EntryWriter writer(file, compressed);
  writer.write(header.data(), header.size());
  writer.write(ordered.raw_data(), npy_data_bytes(ordered));
  entry.crc = writer.finish();
  entry.compressed = narrow(file, key, file.size() - begin);
  file.overwrite(entry.local_offset, local_header(entry).data(), zip::local_bytes);
  return entry;
}

}  // namespace

void save_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors, bool compressed) {
  OutputFile file(path);
  if (tensors.size() >= zip::zip64_count) {
    fail("{}: {} tensors need ZIP64, expected at most {}", file.name(), tensors.size(), zip::zip64_count - 1);
  }
  std::vector<WrittenEntry> entries;
  for (const auto& [key, tensor] : tensors) entries.push_back(write_entry(file, key, tensor, compressed));

  const std::uint64_t directory = file.size();
  for (const WrittenEntry& entry : entries) {
    file.write(central_header(entry).data(), zip::central_bytes);
    file.write(entry.name.data(), entry.name.size());
  }
  std::array<std::byte, zip::end_bytes> end{};
  zip::put32(end.data(), zip::end_signature);
  zip::put16(&end[8], static_cast<std::uint16_t>(entries.size()));
  zip::put16(&end[10], static_cast<std::uint16_t>(entries.size()));
  zip::put32(&end[12], narrow(file, "the directory", file.size() - directory));
  zip::put32(&end[16], narrow(file, "the directory", directory));
  file.write(end.data(), end.size());
  file.commit();
}

}  // namespace feral
