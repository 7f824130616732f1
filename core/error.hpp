// The two families of errors (docs/errors.md).
//
// feral::Error is for what a user can cause or mend: its message names the operation or file, the values that
// disagree, and the remedy, in one line. A broken invariant of our own aborts with file and line: FERAL_ASSERT.
// No library code calls exit.
#pragma once

#include <stdexcept>
#include <string>

namespace feral {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace detail

}  // namespace feral

// Checked in every build: an invariant costs a compare, a corrupted arena costs a day.
#define FERAL_ASSERT(expression) \
  (static_cast<bool>(expression) ? void(0) : ::feral::detail::assertion_failed(#expression, __FILE__, __LINE__))
