// A run of bytes that cannot be changed: held in memory, mapped from a file, or read when somebody first looks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace feral::data {

// Copies share the bytes. One thread at a time, like a data set.
class ByteArray {
 public:
  ByteArray() = default;
  ByteArray(std::vector<std::uint8_t> bytes);  // NOLINT: what is read into memory is a byte array

  // Bytes [offset, offset + bytes) of the regular file that `descriptor` has open and that holds them; the
  // descriptor may be closed afterwards. All processes that map a file share one copy of it. A file that is cut
  // short while it is mapped ends the process that looks (SIGBUS), so files must be replaced, never shortened.
  // Throws feral::Error.
  static ByteArray map(int descriptor, std::size_t offset, std::size_t bytes);

  // `read` is called once, when the bytes are first looked at, and must answer that many; what it throws passes
  // through, and it is asked again the next time.
  static ByteArray later(std::size_t bytes, std::function<std::vector<std::uint8_t>()> read);

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::uint8_t* data() const { return content_ == nullptr ? nullptr : content_->look(); }
  const std::uint8_t* begin() const { return data(); }
  const std::uint8_t* end() const { return data() + size_; }
  std::uint8_t operator[](std::size_t index) const { return data()[index]; }
  std::span<const std::uint8_t> span() const { return {data(), size_}; }

  // How much memory of this process looking at the bytes is going to take: 0 once they are there, or mapped.
  std::size_t bytes_to_come() const noexcept { return content_ == nullptr ? 0 : content_->to_come(); }

  friend bool operator==(const ByteArray& a, const ByteArray& b);

 private:
  struct Content {
    virtual ~Content() = default;
    virtual const std::uint8_t* look() = 0;
    virtual std::size_t to_come() const noexcept { return 0; }
  };
  struct Held;
  struct Mapped;
  struct Later;
  ByteArray(std::shared_ptr<Content> content, std::size_t size) : content_(std::move(content)), size_(size) {}

  std::shared_ptr<Content> content_;
  std::size_t size_ = 0;
};

}  // namespace feral::data
