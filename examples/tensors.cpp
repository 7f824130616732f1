// Tensors: making them, looking at them, computing with them, taking gradients. Shown in docs/tensor.md, with what
// it prints.
#include <feral/feral.hpp>
#include <iostream>

using feral::DType;
using feral::Tensor;

int main() {
  // Making tensors.
  const Tensor a = Tensor::arange(1, 7).reshape({2, 3}).to(DType::float32);
  const Tensor row = Tensor::full({3}, 10);  // float32 unless told otherwise
  const Tensor counts = Tensor::ones({2, 3}, DType::int64);
  const Tensor given = Tensor::from_vector<double>({0.5, -1, 2}, {3});
  const Tensor grid = Tensor::linspace(0, 1, 5);
  std::cout << a << "\n" << grid << "\n" << Tensor::eye(2) << "\n" << given.to_string() << "\n";

  // Views share memory; nothing is copied.
  const Tensor columns = a.transpose(0, 1);     // [3, 2]
  const Tensor second = a.select(1, 1);         // [2]: column 1
  const Tensor ends = a.slice(1, 0, 3, 2);      // [2, 2]: columns 0 and 2
  const Tensor flat = a.view({-1});             // [6]
  const Tensor windows = flat.unfold(0, 3, 1);  // [4, 3]: every three neighbours
  std::cout << columns << "\n" << second << "\n" << ends << "\n" << windows << "\n";

  // Indexing as in NumPy: integers, slices, newaxis, ellipsis, positions, masks.
  using feral::ellipsis;
  using feral::newaxis;
  using feral::Slice;
  const Tensor picked = Tensor::from_vector<std::int64_t>({2, 0}, {2});
  std::cout << a.index({1, Slice{1, 3}}) << "\n";                 // a[1, 1:3]
  std::cout << a.index({ellipsis, newaxis}).to_string() << "\n";  // a[..., None]
  std::cout << a.index({Slice{}, picked}) << "\n";                // a[:, [2, 0]]
  std::cout << a.index({a.gt(3)}) << "\n";                        // a[a > 3]
  const Tensor marked = a.clone();
  marked.index_put_({a.gt(4)}, Tensor::full({}, -1));
  std::cout << marked << "\n";

  // Arithmetic broadcasts as in NumPy and promotes types as in PyTorch.
  const Tensor mixed = counts * 2.5;               // an integer tensor and a floating number: float32
  const Tensor whole = counts * 2;                 // stays int64
  const Tensor halves = a.to(DType::float16) + 1;  // computed in float32, kept as float16
  std::cout << a + row << "\n"
            << mixed.to_string() << ", " << whole.to_string() << ", " << halves.to_string() << "\n";

  // Functions, comparisons, choices.
  const auto brief = [](const Tensor& tensor) { return format_elements(tensor, {.precision = 4}); };
  std::cout << brief((a / 3).tanh().square()) << "\n"
            << where(a.gt(3), a, Tensor::zeros({})) << "\n"
            << a.clamp(2, 5) << "\n";

  // In place: the same names with an underscore, or +=.
  const Tensor totals = Tensor::zeros({3});
  totals.add_(row).mul_(2);
  totals += row;
  std::cout << totals << "\n";

  // Reductions, over all elements or some dimensions.
  std::cout << a.sum() << " " << a.mean(0) << " " << brief(a.std({0, 1}, 1, true)) << " "
            << a.amax(1, true).to_string() << "\n";
  const auto [values, indices] = a.max(1);
  std::cout << values << " at " << indices << "\n" << a.cumsum(1) << "\n" << brief(a.softmax(1)) << "\n";

  // Order.
  const Tensor mess = Tensor::from_vector<float>({3, 1, 2, 1}, {4});
  const auto [sorted, order] = mess.sort();
  std::cout << sorted << " from " << order << ", largest two " << mess.topk(2).values << ", different "
            << mess.unique().values << "\n";

  // Joining and taking apart.
  std::cout << feral::cat({a, a}, 0).to_string() << ", " << feral::stack({row, row}).to_string() << ", "
            << a.split(2, 1).size() << " parts\n"
            << feral::pad(row, {1, 2}) << "\n";

  // Products and linear algebra.
  const Tensor square = a.matmul(columns);  // [2, 2]
  std::cout << square << "\n" << feral::einsum("ij,kj->ik", {a, a}) << "\n";
  const Tensor solution = feral::linalg::solve(square, Tensor::ones({2, 1}));
  std::cout << square.matmul(solution).allclose(Tensor::ones({2, 1}), 1e-4) << "\n";

  // Random numbers: the seed and the place in the stream decide, nothing else.
  feral::manual_seed(1);
  const Tensor noise = Tensor::randn({1000});
  std::cout << (noise.mean().abs().item() < 0.1) << " " << Tensor::randperm(5).sum() << "\n";

  // Gradients.
  Tensor w = given.clone();
  w.set_requires_grad(true);
  const Tensor loss = (w.square() * w.exp()).mean();
  loss.backward();
  std::cout << brief(w.grad()) << "\n";

  // Errors name the operation and both shapes.
  try {
    (void)a.matmul(a);
  } catch (const feral::Error& error) {
    std::cout << error.what() << "\n";
  }
}
