// The largest, the smallest, the middle, and where they stand: against NumPy's order, in which a NaN comes first.
#include <gtest/gtest.h>

#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

using OverDims = Tensor (Tensor::*)(const Dims&, bool) const;
using AlongDim = ValuesIndices (Tensor::*)(std::int64_t, bool) const;
using PlaceAlongDim = Tensor (Tensor::*)(std::int64_t, bool) const;

Op over_dims(const std::string& name, OverDims function) {
  return op(name, all_types, not_0_dim,
            [function](const Call& c) { return (c[0].*function)(c.dims("dims"), c.flag("keepdim")); });
}

Op along_dim(const std::string& name, AlongDim function, std::vector<DType> types = all_types,
             std::vector<std::string> reaches = {}) {
  return of_method(
      name, op(
                name + "_dim", std::move(types), any_layout,
                [function](const Call& c) { return both((c[0].*function)(c.integer("dim"), c.flag("keepdim"))); },
                std::move(reaches)));
}

Op place_along_dim(const std::string& name, PlaceAlongDim function, std::vector<std::string> reaches) {
  return of_method(name,
                   op(
                       name + "_dim", all_types, any_layout,
                       [function](const Call& c) { return (c[0].*function)(c.integer("dim"), c.flag("keepdim")); },
                       std::move(reaches)));
}

const std::vector<std::string> not_empty = {"contiguous", "transposed", "stepped", "broadcast", "0-dim"};

Op of_all(const std::string& name, Method0 function, std::vector<DType> types = all_types) {
  Op result = unary(name, function, std::move(types));
  result.layouts = not_empty;
  return result;
}

std::vector<Op> extremes() {
  return {
      over_dims("amax", &Tensor::amax),
      over_dims("amin", &Tensor::amin),
      of_all("max", &Tensor::max),
      of_all("min", &Tensor::min),
      along_dim("max", &Tensor::max),
      along_dim("min", &Tensor::min),
      of_all("argmax", &Tensor::argmax),
      of_all("argmin", &Tensor::argmin),
      place_along_dim("argmax", &Tensor::argmax, {"argmax"}),
      place_along_dim("argmin", &Tensor::argmin, {"argmin"}),
      of_all("median", &Tensor::median),
      along_dim("median", &Tensor::median, numbers, {"argmedian"}),
      of_method("median", op("median_values", numbers, {"contiguous", "transposed", "stepped", "broadcast"},
                             [](const Call& c) { return c[0].median(c.integer("dim")).values; })),
  };
}

const FamilyOfOps extremes_family("extremes", extremes());

TEST(Conformance, Extremes) { check_family("extremes"); }

}  // namespace
}  // namespace feral::conformance
