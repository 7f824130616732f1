// Products: against PyTorch, computed in float64; integers exactly.
#include <gtest/gtest.h>

#include "autograd/ops/einsum.hpp"
#include "autograd/ops/product.hpp"
#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

Op product(const std::string& name, Method1 method, std::vector<std::string> layouts) {
  Op result = binary(name, method, numbers);
  result.layouts = std::move(layouts);
  return result;
}

std::vector<Op> products() {
  return {
      product("matmul", &Tensor::matmul, not_0_dim),
      product("mm", &Tensor::mm, not_0_dim),
      product("bmm", &Tensor::bmm, not_0_dim),
      product("mv", &Tensor::mv, not_0_dim),
      product("dot", &Tensor::dot, {"contiguous", "stepped", "broadcast", "empty"}),
      product("outer", &Tensor::outer, {"contiguous", "stepped", "broadcast", "empty"}),
      product("kron", &Tensor::kron, any_layout),
      op("trace", numbers, not_0_dim, [](const Call& c) { return c[0].trace(); }),
      op("linear", all_floats, not_0_dim, [](const Call& c) { return linear(c[0], c[1], c[2]); }),
      op("einsum", numbers, not_0_dim, [](const Call& c) { return einsum(c.text("equation"), c.inputs()); }),
      op("tensordot", numbers, not_0_dim,
         [](const Call& c) {
           if (c.has("count")) return tensordot(c[0], c[1], c.integer("count"));
           return tensordot(c[0], c[1], c.dims("dims_a"), c.dims("dims_b"));
         }),
  };
}

const FamilyOfOps products_family("products", products());

TEST(Conformance, Products) { check_family("products"); }

}  // namespace
}  // namespace feral::conformance
