#include "autograd/anomaly.hpp"

#include "autograd/anomaly_check.hpp"
#include "autograd/grad_mode.hpp"
#include "autograd/node_extras.hpp"
#include "autograd/op.hpp"
#include "core/fail.hpp"
#include "core/symbols.hpp"

namespace feral {
namespace {

constexpr std::size_t frames_kept = 32;
constexpr int frames_shown = 4;

// What lies between the caller and the tape.
bool is_inside(std::string_view function) {
  for (const std::string_view prefix : {"feral::detail::", "feral::apply", "feral::Tensor::", "feral::operator",
                                        "feral::ops::", "void feral::detail", "feral::Tensor feral::apply"}) {
    if (function.starts_with(prefix)) return true;
  }
  return function.empty();
}

// "name (file.cpp:12) < caller (file.cpp:34)"; names alone where the program carries no line numbers.
std::string describe(const std::vector<void*>& addresses) {
  std::string text;
  int shown = 0;
  for (void* address : addresses) {
    const Symbol symbol = symbol_at(address);
    if (is_inside(symbol.function)) continue;
    if (shown > 0) text += " < ";
    text += symbol.to_string();
    if (++shown == frames_shown || symbol.function == "main") break;
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
  std::array<void*, frames_kept> frames;
  const std::size_t count = stack_of_caller(frames);
  extras_of(node).origin.assign(frames.begin(), frames.begin() + count);
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
