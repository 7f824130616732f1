#include "autograd/anomaly.hpp"

#include <boost/stacktrace.hpp>

#include "autograd/anomaly_check.hpp"
#include "autograd/grad_mode.hpp"
#include "autograd/node_extras.hpp"
#include "autograd/op.hpp"
#include "core/fail.hpp"

namespace feral {
namespace {

constexpr std::size_t frames_kept = 32;
constexpr int frames_shown = 4;

// What lies between the caller and the tape.
bool is_inside(std::string_view function) {
  for (const std::string_view prefix :
       {"feral::detail::", "feral::apply", "feral::Tensor::", "feral::operator",
        "feral::ops::", "void feral::detail", "feral::Tensor feral::apply", "boost::stacktrace"}) {
    if (function.starts_with(prefix)) return true;
  }
  return function.empty();
}

// "name (file.cpp:12) < caller (file.cpp:34)"; names alone where the program carries no line numbers.
std::string describe(const std::vector<void*>& addresses) {
  std::string text;
  int shown = 0;
  for (void* address : addresses) {
    const boost::stacktrace::frame frame(address);
    const std::string function = frame.name();
    if (is_inside(function)) continue;
    if (shown > 0) text += " < ";
    text += function;
    const std::string file = frame.source_file();
    if (!file.empty()) text += fmt::format(" ({}:{})", file.substr(file.rfind('/') + 1), frame.source_line());
    if (++shown == frames_shown || function == "main") break;
  }
  return text;
}

std::string origin_of(const Node& node) {
  if (node.extras == nullptr || node.extras->origin.empty()) {
    return "recorded outside of anomaly mode: switch it on before the forward pass to see where";
  }
  const std::string place = describe(node.extras->origin);
  return place.empty() ? "recorded in a program without symbols" : "recorded in " + place;
}

}  // namespace

void detail::keep_origin(Node& node) {
  const boost::stacktrace::stacktrace trace(1, frames_kept);
  std::vector<void*>& origin = extras_of(node).origin;
  for (const boost::stacktrace::frame& frame : trace) origin.push_back(const_cast<void*>(frame.address()));
}

void detail::refuse_stale(const Node& node, const Tensor& saved) {
  fail(
      "backward: '{}' has saved a tensor of shape {} that has been written in place since; clone() it before, or "
      "write after backward{}",
      node.op->name, saved.shape().to_string(), node.extras == nullptr ? "" : "; it was " + origin_of(node));
}

void check_finite(const Node& node, int input, const Tensor& gradient) {
  const NoGradGuard no_grad;
  if (gradient.detach().isfinite().all().item<bool>()) return;
  const bool has_nan = gradient.detach().isnan().any().item<bool>();
  fail("backward: the gradient of input {} of '{}' has {}; '{}' was {}", input, node.op->name,
       has_nan ? "a NaN" : "an infinity", node.op->name, origin_of(node));
}

void Node::drop_extras() noexcept { delete extras; }

}  // namespace feral
