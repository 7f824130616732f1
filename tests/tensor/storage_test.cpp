#include "tensor/storage.hpp"

#include <gtest/gtest.h>

#include "core/sizes.hpp"
#include "tensor/allocator.hpp"
#include "tensor/tensor.hpp"

namespace feral {
namespace {

TEST(Storage, OwnedMemoryGoesBackToTheAllocatorWithTheLastReference) {
  release_cached_blocks();
  Storage* storage = Storage::owned(1000);
  EXPECT_EQ(storage->bytes, 1000U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(storage->data) % tensor_alignment_bytes, 0U);
  storage->retain();
  storage->drop();
  EXPECT_EQ(allocator_statistics().cached_bytes, 0U);
  storage->drop();
  EXPECT_GE(allocator_statistics().cached_bytes, 1000U + sizeof(Storage));
}

TEST(Storage, BorrowedMemoryIsLeftAsItIs) {
  int value = 17;
  Storage* storage = Storage::borrowed(&value, sizeof(value));
  EXPECT_EQ(storage->data, reinterpret_cast<std::byte*>(&value));
  storage->drop();
  EXPECT_EQ(value, 17);
}

TEST(Storage, TheDeleterIsCalledOnceWithTheMemory) {
  int value = 0;
  std::vector<void*> deleted;
  Storage* storage = Storage::foreign(&value, sizeof(value), [&](void* data) { deleted.push_back(data); });
  storage->retain();
  storage->drop();
  EXPECT_TRUE(deleted.empty());
  storage->drop();
  EXPECT_EQ(deleted, std::vector<void*>{&value});
}

TEST(Storage, AForeignTensorsDeleterWaitsForTheLastView) {
  float values[6] = {0, 1, 2, 3, 4, 5};
  int calls = 0;
  {
    Tensor view;
    {
      const Tensor tensor = Tensor::from_blob(values, {2, 3}, DType::float32, [&](void*) { ++calls; });
      view = tensor.transpose(0, 1).narrow(0, 1, 2);
    }
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(view.to_vector<float>(), (std::vector<float>{1, 4, 2, 5}));
  }
  EXPECT_EQ(calls, 1);
}

TEST(Storage, ARefusedBlobIsNotDeleted) {
  float value = 0;
  int calls = 0;
  EXPECT_THROW(Tensor::from_blob(&value, {-1}, DType::float32, [&](void*) { ++calls; }), std::exception);
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace feral
