// Linear algebra: against PyTorch. Factors are not unique, so their products and what makes them factors are
// compared.
#include <gtest/gtest.h>

#include "autograd/ops/linalg.hpp"
#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

Tensor turned(const Tensor& x) { return x.transpose(-2, -1); }

// x with its last dimension multiplied by s.
Tensor scaled(const Tensor& x, const Tensor& s) { return x.mul(s.unsqueeze(-2)); }

const std::vector<std::string> matrices = not_0_dim;

std::vector<Op> factors() {
  return {
      op("qr", floats, matrices,
         [](const Call& c) {
           const linalg::QR f = linalg::qr(c[0]);
           return std::vector<Tensor>{f.q.matmul(f.r), turned(f.q).matmul(f.q), f.r.tril(-1)};
         }),
      op("svd", floats, matrices,
         [](const Call& c) {
           const linalg::SVD f = linalg::svd(c[0]);
           return std::vector<Tensor>{scaled(f.u, f.s).matmul(f.vh), f.s, turned(f.u).matmul(f.u),
                                      f.vh.matmul(turned(f.vh))};
         }),
      op("eigh", floats, matrices,
         [](const Call& c) {
           const linalg::Eigh f = linalg::eigh(c[0]);
           const Tensor& v = f.eigenvectors;
           return std::vector<Tensor>{f.eigenvalues, scaled(v, f.eigenvalues).matmul(turned(v)),
                                      turned(v).matmul(v)};
         }),
      op("cholesky", floats, matrices, [](const Call& c) { return linalg::cholesky(c[0]); }),
  };
}

std::vector<Op> solutions() {
  return {
      op("solve", floats, matrices, [](const Call& c) { return linalg::solve(c[0], c[1]); }),
      op("inv", floats, matrices, [](const Call& c) { return linalg::inv(c[0]); }),
      op("det", floats, matrices, [](const Call& c) { return linalg::det(c[0]); }),
      op("slogdet", floats, matrices,
         [](const Call& c) {
           const linalg::SignLogAbsDet f = linalg::slogdet(c[0]);
           return std::vector<Tensor>{f.sign, f.logabsdet};
         }),
      op("lstsq", floats, matrices, [](const Call& c) { return linalg::lstsq(c[0], c[1]); }),
      op("pinv", floats, matrices, [](const Call& c) { return linalg::pinv(c[0]); }),
  };
}

const FamilyOfOps factors_family("linalg", factors());
const FamilyOfOps solutions_family("linalg", solutions());

TEST(Conformance, Linalg) { check_family("linalg"); }

}  // namespace
}  // namespace feral::conformance
