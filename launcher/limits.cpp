#include "launcher/limits.hpp"

#include <sys/resource.h>

#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral {

std::uint64_t descriptors_needed(std::uint64_t workers, std::uint64_t loaders) noexcept {
  return descriptors_of_launcher + descriptors_per_child * (workers + loaders + 2);
}

void allow_descriptors(std::uint64_t needed) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
  if (limit.rlim_max >= needed) {
    limit.rlim_cur = needed;
    if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  }
  fail(
      "file descriptors: the job may need {} in the launcher, the limit is {} (RLIMIT_NOFILE); raise ulimit -n, or "
      "lower --max-workers and --max-loaders",
      needed, limit.rlim_max);
}

void check_address_space(std::uint64_t bytes) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  if (limit.rlim_cur >= mapped_bytes + bytes) return;
  fail("address space: a process of the job needs about {}, the limit is {} (RLIMIT_AS); raise ulimit -v",
       human_bytes(mapped_bytes + bytes), human_bytes(limit.rlim_cur));
}

}  // namespace feral
