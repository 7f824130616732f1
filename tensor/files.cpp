#include "tensor/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/fail.hpp"

namespace feral {

namespace {
// Linux moves at most 2 GiB a call anyway.
constexpr std::size_t transfer_bytes = std::size_t{1} << 30;
}  // namespace

void MemorySource::read(std::size_t offset, std::byte* to, std::size_t bytes) const {
  FERAL_ASSERT(offset <= bytes_.size() && bytes <= bytes_.size() - offset);
  if (bytes != 0) std::memcpy(to, bytes_.data() + offset, bytes);
}

FileSource::FileSource(const std::filesystem::path& path, std::string_view expected) : ByteSource(path.string()) {
  // O_NONBLOCK: opening a FIFO without a writer would wait forever; it has no effect on a regular file.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail_errno(name() + ": cannot open the file");
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    const int code = errno;
    ::close(descriptor_);
    fail("{}: cannot open the file: {}", name(), system_message(code));
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail("{}: is {}, expected {}", name(), S_ISDIR(status.st_mode) ? "a directory" : "not a regular file",
         expected);
  }
  size_ = static_cast<std::size_t>(status.st_size);
}

FileSource::~FileSource() { ::close(descriptor_); }

void FileSource::read(std::size_t offset, std::byte* to, std::size_t bytes) const {
  while (bytes > 0) {
    const ssize_t count = ::pread(descriptor_, to, std::min(bytes, transfer_bytes), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      fail_errno(name() + ": cannot read the file");
    }
    if (count == 0) {
      fail("{}: ends after {} bytes, expected {}: it has become shorter while it was read", name(), offset, size());
    }
    offset += static_cast<std::size_t>(count);
    to += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

OutputFile::OutputFile(const std::filesystem::path& path) : path_(path), name_(path.string()) {
  static std::atomic<unsigned> counter{0};
  // Unlike mkstemp(3) this leaves the permissions to the umask, as for any other file.
  for (int attempt = 0; attempt < 100 && descriptor_ < 0; ++attempt) {
    temporary_ = path_.parent_path() / fmt::format(".feral-{}-{}.tmp", ::getpid(), counter.fetch_add(1));
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) break;
  }
  if (descriptor_ < 0) fail_errno(name_ + ": cannot create a file beside it");
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void OutputFile::write(const void* data, std::size_t bytes) {
  overwrite(size_, data, bytes);
  size_ += bytes;
}

void OutputFile::overwrite(std::uint64_t offset, const void* data, std::size_t bytes) {
  const auto* from = static_cast<const std::byte*>(data);
  while (bytes > 0) {
    const ssize_t count = ::pwrite(descriptor_, from, std::min(bytes, transfer_bytes), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      fail_errno(name_ + ": cannot write the file");
    }
    from += count;
    offset += static_cast<std::uint64_t>(count);
    bytes -= static_cast<std::size_t>(count);
  }
}

void OutputFile::commit() {
  if (::fsync(descriptor_) != 0) fail_errno(name_ + ": cannot write the file");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno(name_ + ": cannot write the file");
  ::close(descriptor_);
  descriptor_ = -1;
  // The name is on the disk, too, once the folder is. Where folders cannot be synchronized it comes when it comes.
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  const int folder_descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_descriptor < 0) return;
  ::fsync(folder_descriptor);
  ::close(folder_descriptor);
}

std::string printable(std::string_view text) {
  constexpr std::size_t shown = 60;
  std::string result;
  for (const char c : text.substr(0, shown)) {
    if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > shown) result += "...";
  return result;
}

}  // namespace feral
