// Reductions, and what runs along one dimension: against PyTorch, computed in float64.
#include <gtest/gtest.h>

#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

// x.method(dims, keepdim), under the name METHOD_dims.
using OverDims = Tensor (Tensor::*)(const Dims&, bool) const;
Op over_dims(const std::string& method, OverDims function, std::vector<std::string> reaches = {}) {
  return of_method(method,
                   op(
                       method + "_dims", all_types, any_layout,
                       [function](const Call& c) { return (c[0].*function)(c.dims("dims"), c.flag("keepdim")); },
                       std::move(reaches)));
}

std::vector<Op> sums() {
  return {
      unary("sum", &Tensor::sum),
      over_dims("sum", &Tensor::sum),
      unary("mean", &Tensor::mean),
      over_dims("mean", &Tensor::mean),
      unary("prod", &Tensor::prod),
      over_dims("prod", &Tensor::prod),
      op("sum_to", floats, any_layout, [](const Call& c) { return c[0].sum_to(c.shape("shape")); }),
      op("var", all_types, any_layout, [](const Call& c) { return c[0].var(Dims(), c.number("correction", 1)); }),
      op("std", all_types, any_layout, [](const Call& c) { return c[0].std(Dims(), c.number("correction", 1)); }),
      of_method("var", op("var_dims", all_types, any_layout,
                          [](const Call& c) {
                            return c[0].var(c.dims("dims"), c.number("correction", 1), c.flag("keepdim"));
                          })),
      of_method("std", op("std_dims", all_types, any_layout,
                          [](const Call& c) {
                            return c[0].std(c.dims("dims"), c.number("correction", 1), c.flag("keepdim"));
                          })),
      op("norm", all_types, any_layout, [](const Call& c) { return c[0].norm(c.number("p")); }),
      of_method("norm",
                op("norm_dims", all_types, any_layout,
                   [](const Call& c) { return c[0].norm(c.number("p"), c.dims("dims"), c.flag("keepdim")); })),
      op("logsumexp", all_types, any_layout,
         [](const Call& c) { return c[0].logsumexp(c.dims("dims"), c.flag("keepdim")); }),
  };
}

std::vector<Op> truths() {
  return {
      unary("any", &Tensor::any),
      over_dims("any", &Tensor::any, {"any"}),
      unary("all", &Tensor::all),
      over_dims("all", &Tensor::all, {"all"}),
      unary("count_nonzero", &Tensor::count_nonzero),
      of_method("count_nonzero",
                op("count_nonzero_dims", all_types, any_layout,
                   [](const Call& c) { return c[0].count_nonzero(c.dims("dims")); }, {"count_nonzero"})),
  };
}

std::vector<Op> running() {
  return {
      op("cumsum", all_types, any_layout, [](const Call& c) { return c[0].cumsum(c.integer("dim")); }),
      op("cumprod", all_types, any_layout, [](const Call& c) { return c[0].cumprod(c.integer("dim")); }),
      op("softmax", all_types, any_layout, [](const Call& c) { return c[0].softmax(c.integer("dim")); }),
      op("log_softmax", all_types, any_layout, [](const Call& c) { return c[0].log_softmax(c.integer("dim")); }),
  };
}

const FamilyOfOps sums_family("reductions", sums());
const FamilyOfOps truths_family("reductions", truths());
const FamilyOfOps running_family("reductions", running());

TEST(Conformance, Reductions) { check_family("reductions"); }

}  // namespace
}  // namespace feral::conformance
