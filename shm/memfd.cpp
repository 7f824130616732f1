#include "shm/memfd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/fail.hpp"

namespace feral::shm {

Fd create_memfd(const char* label) {
  const int descriptor = ::memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) fail_errno("arena: cannot create shared memory (memfd_create)");
  return Fd(descriptor);
}

void set_size_and_seal(int memfd, std::size_t bytes) {
  if (::ftruncate(memfd, static_cast<off_t>(bytes)) != 0) {
    fail_errno(fmt::format("arena: cannot size shared memory to {}", human_bytes(bytes)));
  }
  if (::fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    fail_errno("arena: cannot seal the size of shared memory");
  }
}

void reserve_pages(int memfd, std::size_t bytes) {
  int code = 0;
  do {
    code = ::posix_fallocate(memfd, 0, static_cast<off_t>(bytes));
  } while (code == EINTR);
  if (code != 0) {
    fail("arena: cannot reserve {} of shared memory: {}; lower --batch or free memory", human_bytes(bytes),
         system_message(code));
  }
}

std::size_t sealed_size(int memfd) {
  const int seals = ::fcntl(memfd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
    fail("arena: descriptor {} is no shared memory with a sealed size", memfd);
  }
  struct stat status {};
  if (::fstat(memfd, &status) != 0) fail_errno("arena: cannot read the size of shared memory");
  return static_cast<std::size_t>(status.st_size);
}

}  // namespace feral::shm
