// Writing by index, and what stands in brackets: against PyTorch.
#include <gtest/gtest.h>

#include "tests/conformance/brackets.hpp"
#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

const std::vector<std::string> own = {"contiguous", "transposed", "stepped", "empty"};  // may be written to

std::vector<Op> copies() {
  return {
      op("scatter", all_types, not_0_dim, [](const Call& c) { return c[0].scatter(c.integer("dim"), c[1], c[2]); }),
      of_method("scatter",
                op("scatter_number", all_types, not_0_dim,
                   [](const Call& c) { return c[0].scatter(c.integer("dim"), c[1], c.scalar("number")); })),
      op("scatter_add", numbers, not_0_dim,
         [](const Call& c) { return c[0].scatter_add(c.integer("dim"), c[1], c[2]); }),
      op("scatter_reduce", numbers, not_0_dim,
         [](const Call& c) {
           return c[0].scatter_reduce(c.integer("dim"), c[1], c[2], c.text("reduce"), c.flag("include_self"));
         }),
      op("index_add", numbers, not_0_dim,
         [](const Call& c) { return c[0].index_add(c.integer("dim"), c[1], c[2]); }),
      op("index_copy", all_types, not_0_dim,
         [](const Call& c) { return c[0].index_copy(c.integer("dim"), c[1], c[2]); }),
      op("index_fill", all_types, not_0_dim,
         [](const Call& c) { return c[0].index_fill(c.integer("dim"), c[1], c.scalar("number")); }),
      op("index", all_types, any_layout,
         [](const Call& c) {
           return with_list(brackets(c), [&](std::initializer_list<Index> list) { return c[0].index(list); });
         }),
  };
}

std::vector<Op> in_place_forms() {
  return {
      writing("scatter_", all_types, own,
              [](const Call& c) { return Tensor(c[0].scatter_(c.integer("dim"), c[1], c[2])); }),
      writing("scatter_add_", numbers, own,
              [](const Call& c) { return Tensor(c[0].scatter_add_(c.integer("dim"), c[1], c[2])); }),
      writing("index_add_", numbers, own,
              [](const Call& c) { return Tensor(c[0].index_add_(c.integer("dim"), c[1], c[2])); }),
      writing("index_copy_", all_types, own,
              [](const Call& c) { return Tensor(c[0].index_copy_(c.integer("dim"), c[1], c[2])); }),
      writing("index_fill_", all_types, own,
              [](const Call& c) { return Tensor(c[0].index_fill_(c.integer("dim"), c[1], c.scalar("number"))); }),
      writing("index_put_", all_types, own,
              [](const Call& c) {
                const Tensor values = c.inputs().back();
                with_list(brackets(c), [&](std::initializer_list<Index> list) -> const Tensor& {
                  return c.inputs()[0].index_put_(list, values, c.flag("accumulate"));
                });
                return c[0];
              }),
  };
}

const FamilyOfOps copies_family("scattering", copies());
const FamilyOfOps in_place_family("scattering", in_place_forms());

TEST(Conformance, Scattering) { check_family("scattering"); }

}  // namespace
}  // namespace feral::conformance
