#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/fail.hpp"
#include "tensor/files.hpp"
#include "tensor/npy_format.hpp"
#include "tensor/npz.hpp"
#include "tensor/zip_format.hpp"

namespace feral {

namespace {

constexpr std::size_t input_buffer_bytes = std::size_t{64} * 1024;
constexpr std::string_view suffix = ".npy";

struct EndRecord {
  std::size_t position = 0;
  std::size_t entries = 0;
  std::size_t directory_offset = 0;
};

struct Entry {
  std::string name;  // as in the archive
  std::uint16_t flags = 0;
  std::uint16_t method = zip::stored;
  std::uint32_t crc = 0;
  std::size_t compressed = 0;
  std::size_t bytes = 0;
  std::size_t local_offset = 0;
  std::size_t data_offset = 0;

  std::size_t end() const noexcept { return data_offset + compressed; }
};

[[noreturn]] void refuse_zip64(std::string_view name) {
  fail(
      "{}: uses ZIP64, for 4 GiB and more or more than 65534 entries; expected a smaller archive: save large "
      "arrays "
      "as .npy files",
      name);
}

EndRecord find_end(const ByteSource& source) {
  if (source.size() == 0) fail("{}: holds no bytes, expected an .npz file", source.name());
  // The last record whose comment reaches exactly to the end.
  const std::size_t tail_bytes = std::min(source.size(), zip::end_bytes + zip::max_comment_bytes);
  const std::size_t tail_offset = source.size() - tail_bytes;
  std::vector<std::byte> tail(tail_bytes);
  source.read(tail_offset, tail.data(), tail.size());
  for (std::size_t i = tail_bytes; i-- > 0;) {
    if (tail_bytes - i < zip::end_bytes || zip::get32(&tail[i]) != zip::end_signature) continue;
    const std::byte* record = &tail[i];
    if (zip::get16(record + 20) != tail_bytes - i - zip::end_bytes) continue;

    EndRecord end;
    end.position = tail_offset + i;
    end.entries = zip::get16(record + 10);
    const std::size_t directory_bytes = zip::get32(record + 12);
    end.directory_offset = zip::get32(record + 16);
    if (end.entries == zip::zip64_count || directory_bytes == zip::zip64_size ||
        end.directory_offset == zip::zip64_size) {
      refuse_zip64(source.name());
    }
    if (zip::get16(record + 4) != 0 || zip::get16(record + 6) != 0 || zip::get16(record + 8) != end.entries) {
      fail("{}: is one part of an archive in several files, expected a whole one", source.name());
    }
    if (end.directory_offset > end.position || end.position - end.directory_offset != directory_bytes) {
      fail("{}: announces a directory of {} bytes at byte {}, expected it to end at byte {}: the file is damaged",
           source.name(), directory_bytes, end.directory_offset, end.position);
    }
    return end;
  }
  fail("{}: has no directory at its end: not an .npz file, or a truncated one; copy or download the file again",
       source.name());
}

void check_method(const ByteSource& source, const Entry& entry) {
  const std::string shown = printable(entry.name);
  if ((entry.flags & zip::flag_encrypted) != 0) fail("{}: entry '{}' is encrypted", source.name(), shown);
  constexpr unsigned known = zip::flags_deflate_level | zip::flag_sizes_follow | zip::flag_utf8_name;
  if ((entry.flags & ~known) != 0) {
    fail("{}: entry '{}' has the flags {:#06x}, expected none but {:#06x}", source.name(), shown, entry.flags,
         known);
  }
  if (entry.method == zip::stored) {
    if (entry.compressed != entry.bytes) {
      fail("{}: entry '{}' is stored in {} bytes, expected its {}: the file is damaged", source.name(), shown,
           entry.compressed, entry.bytes);
    }
  } else if (entry.method == zip::deflated) {
    if (entry.bytes / zip::max_deflate_ratio > entry.compressed) {
      fail("{}: entry '{}' announces {} bytes deflated to {}, expected at most {} times as many", source.name(),
           shown, entry.bytes, entry.compressed, zip::max_deflate_ratio);
    }
  } else {
    fail("{}: entry '{}' is compressed by method {}, expected 0 (stored) or 8 (deflated)", source.name(), shown,
         entry.method);
  }
}

// Finds the content behind the local header, which must tell the same as the directory.
void locate(const ByteSource& source, const EndRecord& end, Entry& entry) {
  const std::string shown = printable(entry.name);
  const std::size_t limit = end.directory_offset;
  if (entry.local_offset > limit || limit - entry.local_offset < zip::local_bytes) {
    fail("{}: entry '{}' begins at byte {}, expected it before the directory at byte {}", source.name(), shown,
         entry.local_offset, limit);
  }
  std::array<std::byte, zip::local_bytes> local{};
  source.read(entry.local_offset, local.data(), local.size());
  const std::size_t name_bytes = zip::get16(&local[26]);
  const std::size_t extra_bytes = zip::get16(&local[28]);
  entry.data_offset = entry.local_offset + zip::local_bytes + name_bytes + extra_bytes;
  if (zip::get32(local.data()) != zip::local_signature || entry.data_offset > limit ||
      limit - entry.data_offset < entry.compressed) {
    fail("{}: entry '{}' of {} bytes is not at byte {} before the directory at byte {}: the file is damaged",
         source.name(), shown, entry.compressed, entry.local_offset, limit);
  }
  std::string name(name_bytes, '\0');
  source.read(entry.local_offset + zip::local_bytes, reinterpret_cast<std::byte*>(name.data()), name_bytes);
  if (name != entry.name) {
    fail("{}: entry '{}' calls itself '{}': the file is damaged", source.name(), shown, printable(name));
  }
  // NumPy always leaves the sizes to a ZIP64 field here, though not in the directory, whose sizes are the ones
  // used.
  const auto agrees = [&](std::size_t at, std::size_t expected, bool may_be_elsewhere) {
    const std::uint32_t found = zip::get32(&local[at]);
    return found == expected || (may_be_elsewhere && found == zip::zip64_size) ||
           (found == 0 && (entry.flags & zip::flag_sizes_follow) != 0);
  };
  if (zip::get16(&local[6]) != entry.flags || zip::get16(&local[8]) != entry.method ||
      !agrees(14, entry.crc, false) || !agrees(18, entry.compressed, true) || !agrees(22, entry.bytes, true)) {
    fail("{}: entry '{}' and the directory disagree on its flags, method, CRC or size: the file is damaged",
         source.name(), shown);
  }
}

std::vector<Entry> read_directory(const ByteSource& source) {
  const EndRecord end = find_end(source);
  std::vector<Entry> entries;
  std::size_t position = end.directory_offset;
  for (std::size_t i = 0; i < end.entries; ++i) {
    std::array<std::byte, zip::central_bytes> central{};
    const auto damaged = [&] {
      fail("{}: the directory ends or is damaged at entry {} of {}", source.name(), i + 1, end.entries);
    };
    if (end.position - position < central.size()) damaged();
    source.read(position, central.data(), central.size());
    position += central.size();
    const std::size_t name_bytes = zip::get16(&central[28]);
    const std::size_t skipped_bytes = std::size_t{zip::get16(&central[30])} + zip::get16(&central[32]);
    if (zip::get32(central.data()) != zip::central_signature ||
        end.position - position < name_bytes + skipped_bytes) {
      damaged();
    }
    Entry entry;
    entry.name.resize(name_bytes);
    source.read(position, reinterpret_cast<std::byte*>(entry.name.data()), name_bytes);
    position += name_bytes + skipped_bytes;
    entry.flags = zip::get16(&central[8]);
    entry.method = zip::get16(&central[10]);
    entry.crc = zip::get32(&central[16]);
    entry.compressed = zip::get32(&central[20]);
    entry.bytes = zip::get32(&central[24]);
    entry.local_offset = zip::get32(&central[42]);
    if (entry.compressed == zip::zip64_size || entry.bytes == zip::zip64_size ||
        entry.local_offset == zip::zip64_size) {
      refuse_zip64(source.name());
    }
    if (zip::get16(&central[34]) != 0) {
      fail("{}: entry '{}' is in another part of the archive, expected a whole one", source.name(),
           printable(entry.name));
    }
    check_method(source, entry);
    locate(source, end, entry);
    entries.push_back(std::move(entry));
  }
  if (position != end.position) {
    fail("{}: {} bytes follow the {} entries of the directory, expected none: the file is damaged", source.name(),
         end.position - position, end.entries);
  }
  // One content under many names could be inflated to far more than the file could honestly hold.
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.local_offset < b.local_offset; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].local_offset < entries[i - 1].end()) {
      fail("{}: entries '{}' and '{}' overlap: the file is damaged", source.name(), printable(entries[i - 1].name),
           printable(entries[i].name));
    }
  }
  return entries;
}

// The content of one entry, inflated where it must be.
class EntryReader final : public NpyReader {
 public:
  EntryReader(const ByteSource& source, const Entry& entry, std::string_view name)
      : source_(source), entry_(entry), name_(name), position_(entry.data_offset) {
    if (entry.method == zip::stored) return;
    buffer_.resize(std::min(input_buffer_bytes, entry.compressed));
    if (inflateInit2(&zlib_, -MAX_WBITS) != Z_OK) fail("{}: no memory left to decompress it", name_);
    inflating_ = true;
  }
  ~EntryReader() override {
    if (inflating_) inflateEnd(&zlib_);
  }

  void read(std::byte* to, std::size_t bytes) override {
    if (!inflating_) {
      source_.read(position_, to, bytes);  // within the entry: nobody reads more than the `bytes` of it
      position_ += bytes;
    } else if (const std::size_t count = inflate_some(to, bytes); count < bytes) {
      fail("{}: ends after {} bytes, expected {}: the file is damaged", name_, read_ + count, entry_.bytes);
    }
    read_ += bytes;
    while (bytes > 0) {
      const auto some = static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
      crc_ = crc32(crc_, reinterpret_cast<const Bytef*>(to), some);
      to += some;
      bytes -= some;
    }
  }

  // After all bytes have been read: that there are no more, and that they are the right ones.
  void finish() {
    FERAL_ASSERT(read_ == entry_.bytes);
    if (inflating_) {
      std::byte beyond{};
      if (inflate_some(&beyond, 1) != 0) {
        fail("{}: inflates to more than the {} bytes announced: the file is damaged", name_, entry_.bytes);
      }
      const std::size_t left = entry_.end() - position_ + zlib_.avail_in;
      if (!ended_ || left != 0) {
        fail("{}: {} of its {} compressed bytes are left after its end: the file is damaged", name_, left,
             entry_.compressed);
      }
    }
    if (crc_ != entry_.crc) {
      fail("{}: has the CRC {:08x}, expected {:08x}: the file is damaged; copy or download it again", name_, crc_,
           entry_.crc);
    }
  }

 private:
  // Fewer than `bytes` only at the end of the stream.
  std::size_t inflate_some(std::byte* to, std::size_t bytes) {
    std::size_t written = 0;
    while (written < bytes && !ended_) {
      if (zlib_.avail_in == 0) {
        const std::size_t count = std::min(buffer_.size(), entry_.end() - position_);
        source_.read(position_, buffer_.data(), count);
        position_ += count;
        zlib_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        zlib_.avail_in = static_cast<uInt>(count);
      }
      const auto room = static_cast<uInt>(std::min<std::size_t>(bytes - written, std::numeric_limits<uInt>::max()));
      zlib_.next_out = reinterpret_cast<Bytef*>(to + written);
      zlib_.avail_out = room;
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      written += room - zlib_.avail_out;
      if (result == Z_STREAM_END) {
        ended_ = true;
      } else if (result == Z_MEM_ERROR) {
        fail("{}: no memory left to decompress it", name_);
      } else if (result != Z_OK) {  // Z_BUF_ERROR among them: there was room, so the input is at its end
        fail("{}: its compressed bytes are damaged or cut off ({}); copy or download the file again", name_,
             zlib_.msg != nullptr ? zlib_.msg : zError(result));
      }
    }
    return written;
  }

  const ByteSource& source_;
  const Entry& entry_;
  std::string_view name_;
  std::size_t position_ = 0;  // in the source, of what has not been fetched
  std::size_t read_ = 0;
  uLong crc_ = 0;
  bool inflating_ = false;
  bool ended_ = false;
  z_stream zlib_{};
  std::vector<std::byte> buffer_;
};

std::map<std::string, Tensor> read_archive(const ByteSource& source) {
  std::map<std::string, Tensor> tensors;
  for (const Entry& entry : read_directory(source)) {
    std::string key = entry.name;
    if (key.ends_with(suffix)) key.resize(key.size() - suffix.size());
    const std::string shown = fmt::format("{}: entry '{}'", source.name(), printable(entry.name));
    if (tensors.contains(key)) fail("{}: the name '{}' is there twice, expected once", shown, printable(key));
    EntryReader reader(source, entry, shown);
    Tensor tensor = read_npy(reader, entry.bytes, shown);
    reader.finish();
    tensors.emplace(std::move(key), std::move(tensor));
  }
  return tensors;
}

}  // namespace

std::map<std::string, Tensor> load_npz(const std::filesystem::path& path) {
  return read_archive(FileSource(path, "an .npz file"));
}

std::map<std::string, Tensor> parse_npz(std::span<const std::byte> bytes, std::string_view name_for_errors) {
  return read_archive(MemorySource(bytes, name_for_errors));
}

}  // namespace feral
