// What stands at an address of this program: for stacks that people read.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace feral {

struct Symbol {
  std::string function;  // empty where the program carries no symbols
  std::string file;      // its name without folders; empty where the program carries no line numbers
  std::size_t line = 0;

  std::string to_string() const;  // "step(feral::StepContext&) (job.cpp:12)"
};

// Slow: reads the program's symbols when called for the first time.
Symbol symbol_at(const void* address);

// The return addresses on the calling thread's stack, the caller's own first. Answers how many there are.
std::size_t stack_of_caller(std::span<void*> addresses);

}  // namespace feral
