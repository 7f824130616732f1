#include "core/symbols.hpp"

#include <execinfo.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/stacktrace.hpp>
#include <string_view>

namespace feral {
namespace {

// What the compiler makes of std::string.
constexpr std::string_view long_string =
    "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";

std::string shortened(std::string name) {
  for (std::size_t at = 0; (at = name.find(long_string, at)) != std::string::npos;) {
    name.replace(at, long_string.size(), "std::string");
  }
  return name;
}

}  // namespace

std::string Symbol::to_string() const {
  return file.empty() ? function : fmt::format("{} ({}:{})", function, file, line);
}

Symbol symbol_at(const void* address) {
  const boost::stacktrace::frame frame(address);
  const std::string path = frame.source_file();
  return {
      .function = shortened(frame.name()), .file = path.substr(path.rfind('/') + 1), .line = frame.source_line()};
}

std::size_t stack_of_caller(std::span<void*> addresses) {
  const int count = ::backtrace(addresses.data(), static_cast<int>(addresses.size()));
  // What comes first is in here, and in whatever stands before backtrace() (AddressSanitizer does).
  const auto end = addresses.begin() + std::max(count, 0);
  auto first = std::find(addresses.begin(), end, __builtin_return_address(0));
  if (first == end && count > 0) first = addresses.begin() + 1;
  return static_cast<std::size_t>(std::move(first, end, addresses.begin()) - addresses.begin());
}

}  // namespace feral
