// What is known of the processes that died: a line each while the job goes on, all of it when it is given up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace feral {

// A process that died abnormally, or hung and was killed for it.
struct Casualty {
  double seconds = 0;  // from the start of the job to the death, or to when the hang was noticed
  std::string who;     // "worker 1"
  long pid = -1;
  std::string how;                  // "killed by SIGSEGV", "hung: no progress for 2.0 s"
  std::string batch;                // that it had in hand: "batch 17"; empty: none
  std::string last_op;              // empty: none
  std::string state;                // of a hung one that could not answer, from /proc
  std::uint64_t oom_kills = 0;      // that the cgroup has counted since the death before
  std::vector<std::string> stack;   // innermost first
  std::vector<std::string> output;  // its last lines

  // "worker 1 (pid 4711, batch 17, last op 'matmul') killed by SIGSEGV"
  std::string line() const;
  // That line and all else, indented.
  std::string text() const;
};

class PostMortem {
 public:
  static constexpr std::size_t kept_at_each_end = 4;  // of the casualties; those between are only counted

  void add(Casualty casualty);
  bool empty() const noexcept { return count_ == 0; }
  // All that is known, the first death first, in lines with their ends.
  std::string text() const;

 private:
  std::size_t count_ = 0;
  std::vector<Casualty> first_;
  std::vector<Casualty> last_;
};

}  // namespace feral
