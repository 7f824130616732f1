// Memory that a test shares with the processes it forks.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <span>
#include <stdexcept>

namespace feral::support {

// Anonymous shared memory, zeroed, page-aligned.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes)
      : address_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)), bytes_(bytes) {
    if (address_ == MAP_FAILED) throw std::runtime_error("mmap failed");
  }
  ~SharedMemory() { ::munmap(address_, bytes_); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::span<std::byte> bytes() const noexcept { return {static_cast<std::byte*>(address_), bytes_}; }

 private:
  void* address_;
  std::size_t bytes_;
};

// One T in shared memory.
template <class T>
class Shared {
 public:
  Shared() : memory_(sizeof(T)), object_(new (memory_.bytes().data()) T{}) {}
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }

 private:
  SharedMemory memory_;
  T* object_;
};

}  // namespace feral::support
