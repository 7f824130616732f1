#include "tensor/storage.hpp"

#include <new>
#include <utility>

#include "tensor/allocator.hpp"

namespace feral {

Storage* Storage::owned(std::size_t bytes) {
  auto* storage = new (allocate_block(sizeof(Storage))) Storage;
  try {
    storage->data = static_cast<std::byte*>(allocate_block(bytes));
  } catch (...) {
    deallocate_block(storage, sizeof(Storage));
    throw;
  }
  storage->bytes = bytes;
  storage->touch();
  storage->release = [](Storage& self) noexcept { deallocate_block(self.data, self.bytes); };
  return storage;
}

Storage* Storage::borrowed(void* data, std::size_t bytes) {
  auto* storage = new (allocate_block(sizeof(Storage))) Storage;
  storage->data = static_cast<std::byte*>(data);
  storage->bytes = bytes;
  storage->touch();
  return storage;
}

Storage* Storage::foreign(void* data, std::size_t bytes, std::function<void(void*)> deleter) {
  Storage* storage = borrowed(data, bytes);
  storage->deleter = new std::function<void(void*)>(std::move(deleter));
  storage->release = [](Storage& self) noexcept {
    (*self.deleter)(self.data);
    delete self.deleter;
  };
  return storage;
}

void Storage::destroy() noexcept {
  if (release != nullptr) release(*this);
  deallocate_block(this, sizeof(Storage));
}

}  // namespace feral
