// Bytes in and out of files, as .npy and .npz need them: random access to a whole of known size, and files that
// appear under their name only when they are complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace feral {

// Bytes of known number that are read by position.
class ByteSource {
 public:
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  const std::string& name() const noexcept { return name_; }  // for messages
  std::size_t size() const noexcept { return size_; }
  // Copies bytes [offset, offset + bytes), which the caller has checked to lie within size().
  virtual void read(std::size_t offset, std::byte* to, std::size_t bytes) const = 0;

 protected:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}
  std::size_t size_ = 0;

 private:
  std::string name_;
};

// Bytes that the caller keeps alive.
class MemorySource final : public ByteSource {
 public:
  MemorySource(std::span<const std::byte> bytes, std::string_view name)
      : ByteSource(std::string(name)), bytes_(bytes) {
    size_ = bytes.size();
  }
  void read(std::size_t offset, std::byte* to, std::size_t bytes) const override;

 private:
  std::span<const std::byte> bytes_;
};

// A regular file, with the size that it has when it is opened. Throws feral::Error naming the file when it cannot
// be opened or read, is no regular file (`expected` says what was hoped for: "an .npy file"), or shrinks meanwhile.
class FileSource final : public ByteSource {
 public:
  FileSource(const std::filesystem::path& path, std::string_view expected);
  ~FileSource() override;
  void read(std::size_t offset, std::byte* to, std::size_t bytes) const override;
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
};

// A file that is written under a temporary name in the folder of `path` and takes that name in commit(), over
// whatever stood there. Without commit() nothing is left behind, unless the process is killed. Throws feral::Error
// naming `path`.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& name() const noexcept { return name_; }
  std::uint64_t size() const noexcept { return size_; }
  void write(const void* data, std::size_t bytes);                            // at the end
  void overwrite(std::uint64_t offset, const void* data, std::size_t bytes);  // what has been written before
  // The bytes are on the disk before the name points at them: a power cut leaves the old file or the new one.
  void commit();

 private:
  std::filesystem::path path_;
  std::string name_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// `text` for a message: cut to a readable length, what is not printable ASCII written as \xNN.
std::string printable(std::string_view text);

}  // namespace feral
