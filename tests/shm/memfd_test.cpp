#include "shm/memfd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "tests/support/messages.hpp"
#include "tests/support/processes.hpp"

namespace feral::shm {
namespace {

using support::error_of;
using support::has;

TEST(Memfd, IsEmptyCloseOnExecAndHasNoName) {
  const Fd memfd = create_memfd("feral-test");
  struct stat status {};
  ASSERT_EQ(::fstat(memfd.get(), &status), 0);
  EXPECT_EQ(status.st_size, 0);
  EXPECT_EQ(status.st_nlink, 0U);
  EXPECT_NE(::fcntl(memfd.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(support::names_in("/dev/shm").contains("feral-test"));
}

TEST(Memfd, ASealedSizeStays) {
  const Fd memfd = create_memfd("feral-test");
  set_size_and_seal(memfd.get(), 10'000);
  EXPECT_EQ(sealed_size(memfd.get()), 10'000U);
  for (const off_t size : {0, 9'999, 10'001}) {
    errno = 0;
    EXPECT_EQ(::ftruncate(memfd.get(), size), -1) << size;
    EXPECT_EQ(errno, EPERM) << size;
  }
  EXPECT_TRUE(has(error_of([&] { set_size_and_seal(memfd.get(), 20'000); }), {"cannot size", "19.5 KiB"}));
  EXPECT_EQ(sealed_size(memfd.get()), 10'000U);
}

TEST(Memfd, WhatIsNotSealedIsRefused) {
  const Fd unsealed = create_memfd("feral-test");
  ASSERT_EQ(::ftruncate(unsealed.get(), 4096), 0);
  EXPECT_TRUE(has(error_of([&] { sealed_size(unsealed.get()); }), {"no shared memory with a sealed size"}));
  const Fd file(::open("/dev/zero", O_RDWR | O_CLOEXEC));
  EXPECT_TRUE(has(error_of([&] { sealed_size(file.get()); }), {"no shared memory with a sealed size"}));
  EXPECT_TRUE(has(error_of([&] { sealed_size(-1); }), {"no shared memory with a sealed size"}));
}

TEST(Memfd, ReservedPagesAreTakenBeforeAnybodyTouchesThem) {
  constexpr std::size_t bytes = 64 * 4096;
  const Fd memfd = create_memfd("feral-test");
  set_size_and_seal(memfd.get(), bytes);
  struct stat status {};
  ASSERT_EQ(::fstat(memfd.get(), &status), 0);
  EXPECT_EQ(status.st_blocks, 0) << "a size alone takes nothing";
  reserve_pages(memfd.get(), bytes);
  ASSERT_EQ(::fstat(memfd.get(), &status), 0);
  EXPECT_GE(static_cast<std::size_t>(status.st_blocks) * 512, bytes);
}

TEST(Memfd, WhatCannotBeReservedIsAnErrorWithTheSize) {
  const Fd memfd = create_memfd("feral-test");
  set_size_and_seal(memfd.get(), 4096);
  // Beyond the sealed size the kernel refuses whatever memory there is.
  EXPECT_TRUE(has(error_of([&] { reserve_pages(memfd.get(), 1 << 20); }), {"cannot reserve 1.0 MiB", "--batch"}));
}

TEST(Fd, ClosesWhatItOwnsOnce) {
  int descriptor = -1;
  {
    Fd first = create_memfd("feral-test");
    descriptor = first.get();
    Fd second(std::move(first));
    EXPECT_EQ(second.get(), descriptor);
    EXPECT_NE(::fcntl(descriptor, F_GETFD), -1) << "moved, not closed";
  }
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
}

}  // namespace
}  // namespace feral::shm
