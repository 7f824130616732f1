#include "data/byte_array.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "core/fail.hpp"

namespace feral::data {

struct ByteArray::Held final : Content {
  explicit Held(std::vector<std::uint8_t> given) : bytes(std::move(given)) {}
  const std::uint8_t* look() override { return bytes.data(); }
  std::vector<std::uint8_t> bytes;
};

struct ByteArray::Mapped final : Content {
  Mapped(int descriptor, std::size_t offset, std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t before = offset % page;
    length = bytes + before;
    base = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor, static_cast<off_t>(offset - before));
    if (base == MAP_FAILED) fail_errno(fmt::format("cannot map {} of a file", human_bytes(bytes)));
    first = static_cast<const std::uint8_t*>(base) + before;
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() override { ::munmap(base, length); }
  const std::uint8_t* look() override { return first; }

  void* base = nullptr;
  std::size_t length = 0;
  const std::uint8_t* first = nullptr;
};

struct ByteArray::Later final : Content {
  Later(std::size_t announced, std::function<std::vector<std::uint8_t>()> function)
      : expected(announced), read(std::move(function)) {}
  const std::uint8_t* look() override {
    if (!bytes) {
      std::vector<std::uint8_t> given = read();
      if (given.size() != expected) fail("data: {} bytes came where {} were announced", given.size(), expected);
      bytes = std::move(given);
    }
    return bytes->data();
  }
  std::size_t to_come() const noexcept override { return bytes ? 0 : expected; }

  std::size_t expected;
  std::function<std::vector<std::uint8_t>()> read;
  std::optional<std::vector<std::uint8_t>> bytes;
};

ByteArray::ByteArray(std::vector<std::uint8_t> bytes) : size_(bytes.size()) {
  content_ = std::make_shared<Held>(std::move(bytes));
}

ByteArray ByteArray::map(int descriptor, std::size_t offset, std::size_t bytes) {
  if (bytes == 0) return {};
  return {std::make_shared<Mapped>(descriptor, offset, bytes), bytes};
}

ByteArray ByteArray::later(std::size_t bytes, std::function<std::vector<std::uint8_t>()> read) {
  return {std::make_shared<Later>(bytes, std::move(read)), bytes};
}

bool operator==(const ByteArray& a, const ByteArray& b) { return std::ranges::equal(a.span(), b.span()); }

}  // namespace feral::data
