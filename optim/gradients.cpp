#include "optim/gradients.hpp"

#include "autograd/grad_mode.hpp"

namespace feral::optim {

void merge_gradients(const Tensor& parameter) {
  const Tensor dense = parameter.grad();
  if (!dense.defined()) return;
  const SparseGradient sparse = parameter.sparse_grad();
  if (!sparse.defined()) return;
  const NoGradGuard no_grad;
  const Tensor sum = dense.detach().clone();
  sum.index_add_(0, sparse.rows, sparse.values);
  parameter.set_grad(sum);
  parameter.set_sparse_grad({});
}

}  // namespace feral::optim
