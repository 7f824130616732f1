// Waiting for a condition under a deadline, which is what these tests do instead of sleeping.
#pragma once

#include <poll.h>
#include <sched.h>

#include <chrono>

namespace feral::support {

// Long enough for a busy machine; a test that needs it all is about to fail.
inline constexpr std::chrono::seconds patience{30};

// Whether `condition` became true before `limit` had passed; looks at every chance, then every two milliseconds.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds limit = patience) {
  const auto start = std::chrono::steady_clock::now();
  while (!condition()) {
    const auto waited = std::chrono::steady_clock::now() - start;
    if (waited > limit) return condition();
    if (waited < std::chrono::milliseconds(2)) {
      ::sched_yield();
    } else {
      ::poll(nullptr, 0, 2);
    }
  }
  return true;
}

}  // namespace feral::support
