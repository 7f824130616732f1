// Tensors: making them, computing with them, taking gradients. Shown in docs/tensor.md.
#include <cstdio>
#include <feral/feral.hpp>

using feral::DType;
using feral::Tensor;

int main() {
  // Making tensors.
  const Tensor a = Tensor::from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor row = Tensor::full({3}, 10);  // float32 unless told otherwise
  const Tensor counts = Tensor::ones({2, 3}, DType::int64);

  // Views share memory; nothing is copied.
  const Tensor columns = a.transpose(0, 1);  // [3, 2]
  const Tensor middle = a.narrow(1, 1, 1);   // [2, 1]: column 1
  const Tensor flat = a.reshape({-1});       // [6]

  // Arithmetic broadcasts as in NumPy and promotes types as in PyTorch.
  const Tensor sum = a + row;                      // [2, 3] + [3]
  const Tensor mixed = counts * 2.5;               // an integer tensor and a floating number: float32
  const Tensor whole = counts * 2;                 // stays int64
  const Tensor halves = a.to(DType::float16) + 1;  // computed in float32, kept as float16

  // Functions, comparisons, choices.
  const Tensor curve = (a / 3).tanh().square();
  const Tensor large = where(a.gt(3), a, Tensor::zeros({}));
  const Tensor inside = a.clamp(2, 5);

  // Reductions and products.
  const Tensor total = a.sum();              // 0-dimensional
  const Tensor by_column = a.sum({0});       // [3]
  const Tensor best = a.argmax(1);           // int64 [2]
  const Tensor product = a.matmul(columns);  // [2, 2]

  // Gradients.
  Tensor w = Tensor::from_vector<double>({0.5, -1, 2}, {3});
  w.set_requires_grad(true);
  const Tensor loss = (w.square() * w.exp()).mean();
  loss.backward();
  const std::vector<double> gradient = w.grad().to_vector<double>();

  // Errors name the operation and both shapes.
  try {
    a.matmul(a);
  } catch (const feral::Error& error) {
    std::printf("%s\n", error.what());
  }
  std::printf("total %g, gradient %.4f %.4f %.4f\n", total.item(), gradient[0], gradient[1], gradient[2]);
  for (const Tensor& tensor :
       {sum, mixed, whole, halves, curve, large, inside, by_column, best, product, middle, flat}) {
    std::printf("%s\n", tensor.to_string().c_str());
  }
}
