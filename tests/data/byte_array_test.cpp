#include "data/byte_array.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/fail.hpp"
#include "shm/fd.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::data {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(ByteArray, HoldsWhatItIsGivenAndSharesItWithItsCopies) {
  const ByteArray array = Bytes{1, 2, 3};
  const ByteArray copy = array;
  EXPECT_EQ(array, copy);
  EXPECT_EQ(array.data(), copy.data());
  EXPECT_EQ(array[2], 3);
  EXPECT_EQ(array.bytes_to_come(), 0U);
  EXPECT_TRUE(ByteArray().empty());
  EXPECT_FALSE(array == ByteArray(Bytes{1, 2}));
}

TEST(ByteArray, MapsAPartOfAFileThatMayBeClosed) {
  const support::TemporaryFolder folder;
  const std::string path = (folder.path() / "file").string();
  std::ofstream(path) << std::string(5000, 'a') << "bcd";
  ByteArray array;
  {
    const shm::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    array = ByteArray::map(file.get(), 4999, 4);
  }
  EXPECT_EQ(array, ByteArray(Bytes{'a', 'b', 'c', 'd'}));
  EXPECT_TRUE(ByteArray::map(-1, 0, 0).empty());
  EXPECT_NE(support::error_of([] { ByteArray::map(-1, 0, 4); }), "");
}

TEST(ByteArray, ReadsOnceWhenSomebodyLooks) {
  int calls = 0;
  const ByteArray array = ByteArray::later(2, [&] {
    if (++calls == 1) fail("not yet");
    return Bytes{7, 8};
  });
  EXPECT_EQ(array.size(), 2U);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(array.bytes_to_come(), 2U);
  EXPECT_EQ(support::error_of([&] { array.data(); }), "not yet");
  EXPECT_EQ(array[1], 8);
  EXPECT_EQ(array[0], 7);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(array.bytes_to_come(), 0U);
}

TEST(ByteArray, RefusesAnotherNumberOfBytesThanWasAnnounced) {
  const ByteArray array = ByteArray::later(2, [] { return Bytes{7}; });
  EXPECT_EQ(support::error_of([&] { array.data(); }), "data: 1 bytes came where 2 were announced");
}

}  // namespace
}  // namespace feral::data
