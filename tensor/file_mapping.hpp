// A whole file in memory, private to this process: what is written to it never reaches the file.
#pragma once

#include <sys/mman.h>

#include <cstddef>

#include "core/fail.hpp"
#include "tensor/files.hpp"

namespace feral {

// Touching a page that has been cut off from the file since raises SIGBUS.
class FileMapping {
 public:
  // Throws feral::Error naming the file, which must not be empty.
  explicit FileMapping(const FileSource& file) : bytes_(file.size()) {
    // Without a reservation a file larger than the memory can be mapped, too.
    base_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.descriptor(), 0);
    if (base_ == MAP_FAILED) fail_errno(file.name() + ": cannot map the file");
  }
  ~FileMapping() { ::munmap(base_, bytes_); }
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;

  std::byte* data() const noexcept { return static_cast<std::byte*>(base_); }

 private:
  void* base_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace feral
