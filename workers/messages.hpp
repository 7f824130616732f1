// What a child and the launcher say to each other, one message a packet of their socket.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "workers/job_arena.hpp"
#include "workers/stack_report.hpp"

namespace feral {

// Child to launcher: what the evaluator has built.
struct Described {
  JobDescription description;
};

// Child to launcher: an error of the user's, in one line; the child ends.
struct Failed {
  std::string message;
};

using ChildMessage = std::variant<Described, Failed, StackReport>;

// Launcher to evaluator: the arena can be mapped.
inline constexpr char go_message[] = "go";

inline constexpr std::size_t max_message_bytes = 64 * 1024;

// At most max_message_bytes: an error is cut to that, a description that is longer throws feral::Error.
// Stacks are not encoded here: signal handlers send them.
std::string encode(const ChildMessage& message);

// Throws feral::Error for anything that is no message.
ChildMessage decode_message(const std::string& text);

}  // namespace feral
