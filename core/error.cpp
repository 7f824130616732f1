#include "core/error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "core/fail.hpp"

namespace feral {

namespace detail {
void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "feral: internal error: %s:%d: %s does not hold; please report this\n", file, line,
               expression);
  std::abort();
}
}  // namespace detail

std::string system_message(int code) { return std::generic_category().message(code); }

void fail_errno(std::string_view what) {
  const int code = errno;
  fail("{}: {}", what, system_message(code));
}

std::string human_bytes(unsigned long long bytes) {
  constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  int unit = 0;
  while (value >= 1024 && unit < 5) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace feral
