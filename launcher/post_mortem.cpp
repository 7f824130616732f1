#include "launcher/post_mortem.hpp"

#include <fmt/format.h>

#include <utility>

namespace feral {

std::string Casualty::line() const {
  std::string text = fmt::format("{} (pid {}", who, pid);
  if (!batch.empty()) text += ", " + batch;
  if (!last_op.empty()) text += fmt::format(", last op '{}'", last_op);
  text += ") " + how;
  if (oom_kills > 0) text += " (out of memory: the limit of its cgroup)";
  return text;
}

std::string Casualty::text() const {
  std::string text = fmt::format("{:.3f} s: {}\n", seconds, line());
  if (!state.empty()) text += fmt::format("    it was {}\n", state);
  if (oom_kills > 0) {
    text += fmt::format("    the kernel killed {} process{} of the cgroup for want of memory\n", oom_kills,
                        oom_kills == 1 ? "" : "es");
  }
  if (!stack.empty()) text += "    where it stood:\n";
  for (const std::string& frame : stack) text += fmt::format("      {}\n", frame);
  if (!output.empty()) text += "    the last that it said:\n";
  for (const std::string& said : output) text += fmt::format("      {}\n", said);
  return text;
}

void PostMortem::add(Casualty casualty) {
  ++count_;
  if (first_.size() < kept_at_each_end) {
    first_.push_back(std::move(casualty));
    return;
  }
  if (last_.size() == kept_at_each_end) last_.erase(last_.begin());
  last_.push_back(std::move(casualty));
}

std::string PostMortem::text() const {
  if (empty()) return "";
  std::string text = fmt::format("post-mortem: {} death{}, the first one first\n", count_, count_ == 1 ? "" : "s");
  for (const Casualty& casualty : first_) text += casualty.text();
  if (const std::size_t between = count_ - first_.size() - last_.size(); between > 0) {
    text += fmt::format("… {} more …\n", between);
  }
  for (const Casualty& casualty : last_) text += casualty.text();
  return text;
}

}  // namespace feral
