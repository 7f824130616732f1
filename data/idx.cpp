#include "data/idx.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "core/fail.hpp"

namespace feral::data {

namespace {

// What is read(2) at a time: large enough that system calls cost nothing, small enough to stay in L2.
constexpr std::size_t input_buffer_bytes = std::size_t{256} * 1024;
// The result grows by this much at a time, so that the zeros that resize() writes are still in the cache when the
// data overwrites them.
constexpr std::size_t growth_bytes = std::size_t{256} * 1024;
// The most that is set aside on the word of a header. Beyond it the reservation at most doubles the data seen.
constexpr std::size_t trusted_reservation_bytes = std::size_t{64} * 1024 * 1024;

constexpr std::size_t max_dimensions = 4;
constexpr std::uint8_t unsigned_byte_type = 0x08;

// A regular file that is read once from front to back, through a buffer.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : name_(path.string()), buffer_(input_buffer_bytes) {
    // O_NONBLOCK: opening a FIFO without a writer would wait forever; it has no effect on a regular file.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) fail_errno(name_ + ": cannot open the file");
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) {
      const int code = errno;
      ::close(descriptor_);
      fail("{}: cannot open the file: {}", name_, system_message(code));
    }
    if (!S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      if (S_ISDIR(status.st_mode)) fail("{}: is a directory, expected an IDX file", name_);
      fail("{}: is not a regular file, expected an IDX file", name_);
    }
    size_ = static_cast<std::size_t>(status.st_size);
  }
  ~InputFile() { ::close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& name() const { return name_; }
  int descriptor() const { return descriptor_; }
  std::size_t size() const { return size_; }

  // The bytes that have been read and not yet consumed; empty only at the end of the file. Refills the buffer
  // when fewer than `wanted` bytes (at most the buffer's size) are left in it.
  const std::uint8_t* peek(std::size_t wanted, std::size_t* available) {
    if (end_ - begin_ < wanted && begin_ != 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    while (end_ - begin_ < wanted) {
      const std::size_t count = read_some(buffer_.data() + end_, buffer_.size() - end_);
      if (count == 0) break;
      end_ += count;
    }
    *available = end_ - begin_;
    return buffer_.data() + begin_;
  }
  void consume(std::size_t bytes) {
    begin_ += bytes;
    consumed_ += bytes;
  }
  // How many bytes of the file have been consumed so far.
  std::size_t consumed() const { return consumed_; }

 private:
  std::size_t read_some(std::uint8_t* to, std::size_t bytes) const {
    while (true) {
      const ssize_t count = ::read(descriptor_, to, bytes);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) fail_errno(name_ + ": cannot read the file");
    }
  }

  std::string name_;
  int descriptor_ = -1;
  std::size_t size_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;  // buffer_[begin_, end_) waits to be consumed
  std::size_t end_ = 0;
  std::size_t consumed_ = 0;
};

// The content of a file, whether it is compressed or not.
class ByteStream {
 public:
  ByteStream() = default;
  virtual ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  // Writes up to `bytes` bytes to `to` and returns how many; fewer than asked for only at the end of the content.
  virtual std::size_t read(std::uint8_t* to, std::size_t bytes) = 0;
};

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(InputFile& file) : file_(file) {}

  std::size_t read(std::uint8_t* to, std::size_t bytes) override {
    std::size_t written = 0;
    while (written < bytes) {
      std::size_t available = 0;
      const std::uint8_t* from = file_.peek(1, &available);
      if (available == 0) break;
      const std::size_t count = std::min(available, bytes - written);
      std::memcpy(to + written, from, count);
      file_.consume(count);
      written += count;
    }
    return written;
  }

 private:
  InputFile& file_;
};

// One gzip member or several in a row, as gzip(1) reads them; each member's CRC and length are checked by zlib.
class GzipStream final : public ByteStream {
 public:
  explicit GzipStream(InputFile& file) : file_(file) {
    constexpr int gzip_only = MAX_WBITS + 16;
    if (inflateInit2(&zlib_, gzip_only) != Z_OK) fail("{}: no memory left to decompress the file", file_.name());
  }
  ~GzipStream() override { inflateEnd(&zlib_); }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  std::size_t read(std::uint8_t* to, std::size_t bytes) override {
    std::size_t written = 0;
    while (written < bytes) {
      std::size_t available = 0;
      const std::uint8_t* from = file_.peek(1, &available);
      if (between_members_) {
        if (available == 0) break;
        begin_member();
        from = file_.peek(1, &available);
      }
      if (available == 0) {
        fail("{}: the gzip stream is cut off after {} bytes of the file; copy or download the file again",
             file_.name(), file_.consumed());
      }
      const std::size_t room = std::min<std::size_t>(bytes - written, std::numeric_limits<uInt>::max());
      zlib_.next_in = const_cast<Bytef*>(from);  // zlib reads only, but its field is not const
      zlib_.avail_in = static_cast<uInt>(available);
      zlib_.next_out = to + written;
      zlib_.avail_out = static_cast<uInt>(room);
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      file_.consume(available - zlib_.avail_in);
      written += room - zlib_.avail_out;
      if (result == Z_STREAM_END) {
        between_members_ = true;
      } else if (result == Z_MEM_ERROR) {
        fail("{}: no memory left to decompress the file", file_.name());
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        fail("{}: the gzip stream is damaged near byte {} of the file ({}); copy or download the file again",
             file_.name(), file_.consumed(), zlib_.msg != nullptr ? zlib_.msg : zError(result));
      }
    }
    return written;
  }

 private:
  // Another member must begin here, since bytes are left.
  void begin_member() {
    std::size_t available = 0;
    const std::uint8_t* from = file_.peek(2, &available);
    if (available < 2 || from[0] != 0x1f || from[1] != 0x8b) {
      fail(
          "{}: other bytes follow the end of the gzip stream at byte {}, expected the end of the file; "
          "copy or download the file again",
          file_.name(), file_.consumed());
    }
    inflateReset(&zlib_);
    between_members_ = false;
  }

  InputFile& file_;
  z_stream zlib_{};
  bool between_members_ = false;
};

std::string hexadecimal(const std::uint8_t* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{}{:02x}", i == 0 ? "" : " ", bytes[i]);
  return text;
}

std::string_view element_type_name(std::uint8_t type) {
  switch (type) {
    case 0x09:
      return "signed byte";
    case 0x0b:
      return "16-bit integer";
    case 0x0c:
      return "32-bit integer";
    case 0x0d:
      return "32-bit float";
    case 0x0e:
      return "64-bit float";
    default:
      return "unknown";
  }
}

std::vector<std::int64_t> read_shape(const std::string& name, ByteStream& stream) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t magic_bytes = stream.read(magic.data(), magic.size());
  if (magic_bytes == 0) fail("{}: holds no bytes, expected an IDX file; copy or download the file again", name);
  if (magic_bytes < magic.size()) {
    fail("{}: ends after {} bytes, expected the 4 bytes that begin an IDX file; copy or download the file again",
         name, magic_bytes);
  }
  if (magic[0] != 0 || magic[1] != 0) {
    fail("{}: begins with bytes {}, expected 00 00 08 and the number of dimensions: not an IDX file", name,
         hexadecimal(magic.data(), magic.size()));
  }
  if (magic[2] != unsigned_byte_type) {
    fail("{}: has elements of type 0x{:02x} ({}), expected 0x08 (unsigned byte); convert the file", name, magic[2],
         element_type_name(magic[2]));
  }
  const std::size_t dimensions = magic[3];
  if (dimensions < 1 || dimensions > max_dimensions) {
    fail("{}: has {} dimensions, expected 1 to {}", name, dimensions, max_dimensions);
  }
  std::array<std::uint8_t, 4 * max_dimensions> sizes{};
  const std::size_t sizes_bytes = stream.read(sizes.data(), 4 * dimensions);
  if (sizes_bytes < 4 * dimensions) {
    fail("{}: the header ends after {} bytes, expected {} for {} dimensions; copy or download the file again", name,
         magic_bytes + sizes_bytes, magic_bytes + 4 * dimensions, dimensions);
  }
  std::vector<std::int64_t> shape(dimensions);
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::uint32_t size = 0;
    for (std::size_t byte = 0; byte < 4; ++byte) size = size << 8 | sizes[4 * d + byte];
    if (size == 0) fail("{}: dimension {} of {} has size 0, expected at least 1", name, d + 1, dimensions);
    shape[d] = size;
  }
  return shape;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (std::size_t d = 0; d < shape.size(); ++d) text += fmt::format("{}{}", d == 0 ? "" : "x", shape[d]);
  return text;
}

std::size_t element_count(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (__builtin_mul_overflow(count, size, &count)) {
      fail(
          "{}: the header announces {} elements, which no 64-bit size can count; the header is damaged, copy or "
          "download the file again",
          name, shape_text(shape));
    }
  }
  return static_cast<std::size_t>(count);
}

// Reads `expected` bytes and makes sure that the content ends there.
std::vector<std::uint8_t> read_elements(const std::string& name, ByteStream& stream,
                                        const std::vector<std::int64_t>& shape, std::size_t expected) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(std::min(expected, trusted_reservation_bytes));
  while (bytes.size() < expected) {
    const std::size_t seen = bytes.size();
    const std::size_t next = std::min(expected - seen, growth_bytes);
    if (seen + next > bytes.capacity()) bytes.reserve(std::min(expected, 2 * bytes.capacity()));
    bytes.resize(seen + next);
    const std::size_t count = stream.read(bytes.data() + seen, next);
    if (count < next) {
      fail(
          "{}: is truncated: {} bytes follow the header, which announces {} = {}; copy or download the file "
          "again",
          name, seen + count, shape_text(shape), expected);
    }
  }
  // For gzip this is also what reads and checks the last member's CRC.
  std::uint8_t beyond = 0;
  if (stream.read(&beyond, 1) != 0) {
    fail(
        "{}: has trailing bytes: more than the {} = {} bytes that the header announces follow it; copy or "
        "download the file again",
        name, shape_text(shape), expected);
  }
  return bytes;
}

IdxArray parse(const std::string& name, ByteStream& stream) {
  IdxArray array;
  array.shape = read_shape(name, stream);
  const std::size_t expected = element_count(name, array.shape);
  try {
    array.bytes = read_elements(name, stream, array.shape, expected);
  } catch (const std::bad_alloc&) {
    fail("{}: no memory left for its {} = {}", name, shape_text(array.shape), human_bytes(expected));
  }
  return array;
}

bool is_compressed(InputFile& file) {
  std::size_t available = 0;
  const std::uint8_t* begin = file.peek(2, &available);
  return available >= 2 && begin[0] == 0x1f && begin[1] == 0x8b;
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& path) {
  InputFile file(path);
  if (is_compressed(file)) {
    GzipStream stream(file);
    return parse(file.name(), stream);
  }
  PlainStream stream(file);
  return parse(file.name(), stream);
}

IdxView open_idx(const std::filesystem::path& path) {
  InputFile file(path);
  if (is_compressed(file)) {
    GzipStream stream(file);
    IdxView view{read_shape(file.name(), stream), {}};
    view.bytes = ByteArray::later(element_count(file.name(), view.shape), [path, shape = view.shape] {
      IdxArray array = read_idx(path);
      if (array.shape != shape) fail("{}: has become another file since it was opened", path.string());
      return std::move(array.bytes);
    });
    return view;
  }
  PlainStream stream(file);
  IdxView view{read_shape(file.name(), stream), {}};
  const std::size_t header = file.consumed();
  if (file.size() - header != element_count(file.name(), view.shape)) {
    return {view.shape, read_idx(path).bytes};  // which says what is wrong with it
  }
  view.bytes = ByteArray::map(file.descriptor(), header, file.size() - header);
  return view;
}

}  // namespace feral::data
