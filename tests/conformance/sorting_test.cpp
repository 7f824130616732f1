// Order, counting and searching: against PyTorch's stable sort and NumPy.
#include <gtest/gtest.h>

#include "autograd/ops/sorting.hpp"
#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

std::vector<Op> sorting() {
  return {
      op("sort", all_types, any_layout,
         [](const Call& c) { return both(c[0].sort(c.integer("dim"), c.flag("descending"))); }),
      op("argsort", all_types, any_layout,
         [](const Call& c) { return c[0].argsort(c.integer("dim"), c.flag("descending")); }, {"argsort"}),
      op("topk", all_types, any_layout,
         [](const Call& c) { return both(c[0].topk(c.integer("k"), c.integer("dim"), c.flag("largest"))); },
         {"topk"}),
      op("kthvalue", all_types, any_layout,
         [](const Call& c) { return both(c[0].kthvalue(c.integer("k"), c.integer("dim"), c.flag("keepdim"))); },
         {"kthvalue"}),
      op("unique", all_types, any_layout,
         [](const Call& c) {
           const UniqueResult found = c[0].unique();
           return std::vector<Tensor>{found.values, found.inverse, found.counts};
         },
         {"unique"}),
      op("bincount", integers, {"contiguous", "stepped", "broadcast", "empty"},
         [](const Call& c) { return c[0].bincount(c[1], c.integer("min_length", 0)); }, {"bincount"}),
      op("histogram", all_floats, any_layout,
         [](const Call& c) { return c[0].histogram(c.integer("bins"), c.number("low", 0), c.number("high", 0)); },
         {"histogram"}),
      op("searchsorted", numbers, any_layout,
         [](const Call& c) { return searchsorted(c[0], c[1], c.flag("right")); }, {"searchsorted"}),
  };
}

const FamilyOfOps sorting_family("sorting", sorting());

TEST(Conformance, Sorting) { check_family("sorting"); }

}  // namespace
}  // namespace feral::conformance
