// Gradients and wrong calls of products.
#include "autograd/ops/product.hpp"

#include "autograd/ops/einsum.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;

void add_cases(std::vector<OpCase>& cases) {
  const auto product = [](const Inputs& x) { return x[0].matmul(x[1]); };
  cases.push_back({"bmm", "", product, {leaf({3, 2, 4}), leaf({3, 4, 2})}});
  cases.push_back(
      {"bmm", "method", [](const Inputs& x) { return x[0].bmm(x[1]); }, {leaf({2, 2, 3}), leaf({2, 3, 2})}});
  cases.push_back({"bmm", "one right matrix", product, {leaf({3, 2, 4}), leaf({4, 2})}});
  cases.push_back({"bmm", "one left matrix", product, {leaf({2, 4}), leaf({3, 4, 2})}});
  cases.push_back({"bmm", "broadcast batches", product, {leaf({2, 1, 2, 3}), leaf({3, 3, 2})}});
  cases.push_back({"bmm", "a batch of one", product, {leaf({1, 2, 3}), leaf({2, 3, 2})}});
  cases.push_back({"bmm",
                   "views",
                   [](const Inputs& x) { return x[0].transpose(0, 2).matmul(x[1].transpose(1, 2)); },
                   {leaf({3, 2, 2}), leaf({2, 4, 3})}});
  cases.push_back({"bmm", "of nothing", product, {leaf({2, 2, 0}), leaf({2, 0, 3})}});
  cases.push_back({"bmm", "batch and vector", product, {leaf({3, 2, 4}), leaf({4})}});
  cases.push_back({"bmm", "vector and batch", product, {leaf({2}), leaf({3, 2, 4})}});
  cases.push_back({"matmul", "vectors", product, {leaf({4}), leaf({4})}});
  cases.push_back({"matmul", "vector and matrix", product, {leaf({3}), leaf({3, 2})}});
  cases.push_back({"matmul", "mv", [](const Inputs& x) { return x[0].mv(x[1]); }, {leaf({2, 3}), leaf({3})}});
  cases.push_back({"matmul", "mm", [](const Inputs& x) { return x[0].mm(x[1]); }, {leaf({2, 3}), leaf({3, 2})}});
  cases.push_back({"matmul", "dot", [](const Inputs& x) { return x[0].dot(x[1]); }, {leaf({3}), leaf({3})}});
  cases.push_back({"mul", "outer", [](const Inputs& x) { return x[0].outer(x[1]); }, {leaf({3}), leaf({2})}});
  cases.push_back({"mul", "kron", [](const Inputs& x) { return x[0].kron(x[1]); }, {leaf({2, 2}), leaf({3, 2})}});
  cases.push_back({"matmul",
                   "einsum",
                   [](const Inputs& x) {
                     return einsum("ij,jk,kl->il", {x[0], x[1], x[2]});
                   },
                   {leaf({2, 3}), leaf({3, 2}), leaf({2, 4})}});
  cases.push_back({"bmm",
                   "einsum",
                   [](const Inputs& x) {
                     return einsum("bii,bij->jb", {x[0], x[1]});
                   },
                   {leaf({2, 3, 3}), leaf({2, 3, 4})}});
  cases.push_back({"matmul",
                   "tensordot",
                   [](const Inputs& x) {
                     return tensordot(x[0], x[1], {0, 2}, {1, 0});
                   },
                   {leaf({2, 3, 2}), leaf({2, 2, 2})}});
  cases.push_back({"linear",
                   "batches",
                   [](const Inputs& x) { return linear(x[0], x[1], x[2]); },
                   {leaf({2, 2, 3}), leaf({2, 3}), leaf({2})}});
  cases.push_back({"linear",
                   "a vector",
                   [](const Inputs& x) { return linear(x[0], x[1], x[2]); },
                   {leaf({3}), leaf({2, 3}), leaf({2})}});
}

void add_wrong_calls(std::vector<WrongCall>& calls) {
  calls.push_back({"bmm", [] { (void)f32({2, 3}).bmm(f32({3, 4})); }, {"[2, 3]", "[3, 4]", "[b, m, k]"}});
  calls.push_back({"bmm", [] { (void)f32({2, 3, 4}).bmm(f32({3, 4, 5})); }, {"[2, 3, 4]", "[3, 4, 5]"}});
  calls.push_back({"bmm", [] { (void)f32({2, 3, 4}).bmm(f32({2, 3, 5})); }, {"[2, 3, 4]", "[2, 3, 5]"}});
  calls.push_back({"bmm", [] { (void)f32({2, 3, 4}).bmm(f64({2, 4, 5})); }, {"float32", "float64"}});
  calls.push_back({"bmm", [] { (void)f32({2, 3, 4}).bmm(Tensor()); }, {"undefined"}});
  calls.push_back({"bmm", [] { apply<ops::Bmm>({}, f32({2}), f32({2})); }, {"[2]"}});
  calls.push_back({"matmul", [] { apply<ops::Matmul>({}, f32({2, 2, 2}), f32({2, 2})); }, {"[2, 2, 2]"}});
  calls.push_back({"matmul", [] { (void)f32({2, 3, 4}).matmul(f32({3, 4, 5})); }, {"[2]", "[3]"}});
  calls.push_back({"matmul", [] { (void)f32({2, 3, 4}).matmul(f32({2, 3, 5})); }, {"[2, 3, 4]", "[2, 3, 5]"}});
  calls.push_back({"matmul", [] { (void)f32({2, 3}).matmul(f32({4})); }, {"[2, 3]", "[4]"}});
  calls.push_back({"matmul", [] { (void)f32({}).matmul(f32({4})); }, {"[]", "[4]"}});
  const Tensor truths = Tensor::ones({2, 2}, DType::boolean);
  calls.push_back({"matmul", [=] { (void)truths.matmul(truths); }, {"bool"}});
  // No memory is asked for before the sizes have been checked.
  const Tensor long_column = f32({1, 1}).expand({std::int64_t{1} << 31, 1});
  calls.push_back({"matmul", [=] { (void)long_column.matmul(f32({1, 1})); }, {"2147483648", "2147483647"}});
  calls.push_back({"matmul", [=] { (void)f32({1, 1}).matmul(long_column.transpose(0, 1)); }, {"2147483647"}});
  calls.push_back({"matmul",
                   [=] { (void)long_column.transpose(0, 1).matmul(long_column); },
                   {"[1, 2147483648]", "2147483647"}});
  calls.push_back({"mm", [] { (void)f32({2, 3}).mm(f32({2, 3})); }, {"[2, 3]", "[m, k]"}});
  calls.push_back({"mm", [] { (void)f32({2, 3, 1}).mm(f32({3, 2})); }, {"[2, 3, 1]"}});
  calls.push_back({"mv", [] { (void)f32({2, 3}).mv(f32({2})); }, {"[2, 3]", "[2]"}});
  calls.push_back({"mv", [] { (void)f32({2, 3}).mv(f32({3, 1})); }, {"[3, 1]"}});
  calls.push_back({"dot", [] { (void)f32({2}).dot(f32({3})); }, {"[2]", "[3]"}});
  calls.push_back({"dot", [] { (void)f32({2}).dot(i32({2})); }, {"float32", "int32"}});
  calls.push_back({"outer", [] { (void)f32({2, 1}).outer(f32({3})); }, {"[2, 1]", "[3]"}});
  calls.push_back({"outer", [] { (void)f32({2}).outer(Tensor()); }, {"undefined"}});
  calls.push_back({"kron", [] { (void)f32({1, 1, 1, 1, 1}).kron(f32({2})); }, {"[1, 1, 1, 1, 1]", "4 dimensions"}});
  calls.push_back({"trace", [] { (void)f32({2}).trace(); }, {"2 dimensions", "[2]"}});
  calls.push_back({"linear", [] { linear(f32({2, 3, 4}), f32({5, 3})); }, {"[2, 3, 4]", "[5, 3]"}});
  calls.push_back({"linear", [] { linear(f32({}), f32({5, 3})); }, {"[]", "[5, 3]"}});
  calls.push_back({"linear", [] { linear(f32({2, 3, 4}), Tensor()); }, {"undefined"}});
  calls.push_back({"linear", [] { linear(f32({2, 3, 4}), f64({5, 4})); }, {"float32", "float64"}});
}

const FamilyOfOpCases cases(add_cases);
const FamilyOfWrongCalls wrong_calls(add_wrong_calls);

}  // namespace
}  // namespace feral
