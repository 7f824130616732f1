// Several tensors made one, and margins: against PyTorch and NumPy.
#include <gtest/gtest.h>

#include "autograd/ops/join.hpp"
#include "autograd/ops/pad.hpp"
#include "core/error.hpp"
#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

PadMode mode_of(const std::string& name) {
  if (name == "constant") return PadMode::constant;
  if (name == "reflect") return PadMode::reflect;
  if (name == "replicate") return PadMode::replicate;
  if (name == "circular") return PadMode::circular;
  throw Error("no mode " + name);
}

std::vector<Op> joining() {
  return {
      op("cat", all_types, not_0_dim, [](const Call& c) { return cat(c.inputs(), c.integer("dim")); }),
      op("stack", all_types, any_layout, [](const Call& c) { return stack(c.inputs(), c.integer("dim", 0)); }),
      op("hstack", all_types, any_layout, [](const Call& c) { return hstack(c.inputs()); }),
      op("vstack", all_types, any_layout, [](const Call& c) { return vstack(c.inputs()); }),
      op("meshgrid", all_types, {"contiguous", "stepped", "broadcast", "empty", "0-dim"},
         [](const Call& c) { return meshgrid(c.inputs(), c.text("indexing")); }),
      op("broadcast_tensors", all_types, any_layout, [](const Call& c) { return broadcast_tensors(c.inputs()); }),
      op("pad", all_types, not_0_dim,
         [](const Call& c) {
           return pad(c[0], c.integers("margins"), mode_of(c.text("mode")), c.number("value", 0));
         }),
  };
}

const FamilyOfOps joining_family("joining", joining());

TEST(Conformance, Joining) { check_family("joining"); }

}  // namespace
}  // namespace feral::conformance
