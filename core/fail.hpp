// Throwing a feral::Error whose message is formatted by fmt. Kept apart from error.hpp because fmt does not
// compile in every translation unit that may throw.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"

namespace feral {

// Throws feral::Error with the formatted message.
template <class... Arguments>
[[noreturn]] void fail(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw Error(fmt::format(format, std::forward<Arguments>(arguments)...));
}

// The message of errno value `code`, such as "No such file or directory".
std::string system_message(int code);

// Throws "WHAT: MESSAGE OF ERRNO" for the current errno.
[[noreturn]] void fail_errno(std::string_view what);

// `bytes` for people: "512 B", "87.4 KiB", "1.2 GiB".
std::string human_bytes(unsigned long long bytes);

}  // namespace feral
