// The memory under tensors: owned, borrowed from the caller (an arena slot, say), or foreign with a deleter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace feral {

// Counted by the tensors that view it. The count is not atomic: tensors belong to the thread that made them.
struct Storage {
  std::uint32_t references = 1;
  std::uint32_t version = 0;  // another number after each write in place (Tensor::version)
  std::uint32_t saved = 0;    // of the references, those of nodes that keep their own result
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  // How the memory goes away: nullptr for borrowed memory.
  void (*release)(Storage&) noexcept = nullptr;
  std::function<void(void*)>* deleter = nullptr;

  // Memory of the caching allocator, 64-byte aligned, uninitialized.
  static Storage* owned(std::size_t bytes);
  // Memory that outlives the storage.
  static Storage* borrowed(void* data, std::size_t bytes);
  // Memory from outside; `deleter(data)` is called when the last tensor lets go.
  static Storage* foreign(void* data, std::size_t bytes, std::function<void(void*)> deleter);

  // To be called before elements are written in place.
  void touch() noexcept {
    if (version > last_version) last_version = version;  // from another thread
    version = ++last_version;
  }

  void retain() noexcept { ++references; }
  void drop() noexcept {
    if (--references == 0) destroy();
  }

 private:
  // One sequence for all storages of a thread, which a new one begins with: a tensor that has been given other
  // memory shows another number, too.
  static inline thread_local std::uint32_t last_version = 0;
  void destroy() noexcept;
};

}  // namespace feral
