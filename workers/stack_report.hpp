// How a child tells where it stands: asked by a signal of the launcher's when it hangs, and on its own when it
// crashes. The handlers only read the stack and send one packet over the socket to the launcher.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace feral {

// A place in the code, wherever its module was loaded.
struct StackFrame {
  std::string module;        // path of the shared library; empty: the program itself
  std::uint64_t offset = 0;  // from where the module was loaded
  bool known = true;         // false: in no module, `offset` is the address
};

// Child to launcher: where it stood when the signal came, innermost frame first.
struct StackReport {
  int signal = 0;
  std::vector<StackFrame> frames;
};

// The signal that asks a child for its stack.
int stack_signal() noexcept;

// Before main(), in children: from now on stack_signal() makes the main thread report, and so do SIGSEGV, SIGBUS,
// SIGFPE, SIGILL and SIGABRT before they end the process as they would have. Handlers that the program sets itself
// take their place.
void install_stack_reports() noexcept;

// For threads other than the main one: stack_signal() is none of their business.
void block_stack_signal() noexcept;

// What a packet says; nothing when it is no report. Throws feral::Error when it is a broken one.
std::optional<StackReport> decode_stack_report(std::string_view packet);

// "step(feral::StepContext&) (job.cpp:12)"; for modules that this process has loaded too. `return_address`: the
// call before it is meant.
std::string describe(const StackFrame& frame, bool return_address);

}  // namespace feral
