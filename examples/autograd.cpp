// Gradients: taking them, looking into them, writing them. Shown in docs/autograd.md, with what it prints.
#include <feral/feral.hpp>
#include <iostream>

using feral::DType;
using feral::Tensor;
namespace autograd = feral::autograd;

namespace {

// x³ as an op of one's own.
struct Cube {
  static constexpr std::string_view name = "cube";
  static constexpr int arity = 1;                // tensor inputs
  static constexpr unsigned saved_inputs = 0b1;  // bit i: input i is kept for the way back
  struct Attributes {};                          // what is no tensor: a slope, a dimension, …
  static feral::Result infer(const Attributes&, const Tensor& x) {
    feral::ops::check_floating(name, x);
    return {x.shape(), x.dtype(), x.device()};
  }
  static void run(const Attributes&, const Tensor& out, feral::Aux<Cube>&, const Tensor& x) {
    visit_floating(x.dtype(), [&]<class T>() {
      const Tensor dense = x.contiguous();
      const T* from = dense.data<T>();
      T* to = out.data<T>();
      for (std::int64_t i = 0; i < x.numel(); ++i) to[i] = from[i] * from[i] * from[i];
    });
  }
  static feral::Gradients<1> gradient(const feral::Saved<Cube>& saved, const Tensor& gradient) {
    return {gradient * saved.input(0).square() * 3};
  }
};

Tensor cube(const Tensor& x) { return feral::apply<Cube>({}, x); }

// Rounds forward, and lets the gradient through as if it had not.
Tensor straight_through_round(const Tensor& x) {
  const feral::NoGradGuard no_grad;
  const Tensor rounded = x.round();
  const feral::GradModeGuard record(true);
  return autograd::custom_function("round", rounded, {x},
                                   [](const Tensor& gradient) { return std::vector{gradient}; });
}

}  // namespace

int main() {
  const auto vector = [](std::vector<double> values) {
    const auto n = static_cast<std::int64_t>(values.size());
    return Tensor::from_vector(values, {n});
  };

  // Leaves ask for a gradient; backward adds to it.
  Tensor w = vector({1, 2, 3});
  w.set_requires_grad(true);
  (w * w).sum().backward();
  (w * 10).sum().backward();
  std::cout << w.grad() << "\n";
  w.set_grad({});

  // Gradients as answers; create_graph makes them differentiable.
  const Tensor y = (w * w * w).sum();
  const Tensor first = autograd::grad({y}, {w}, {}, {.create_graph = true})[0];
  const Tensor second = autograd::grad({first.sum()}, {w})[0];
  std::cout << first.detach() << " " << second << " " << std::boolalpha << w.grad().defined() << "\n";

  // Not recording: for evaluation, for updates.
  {
    const feral::NoGradGuard no_grad;
    w -= first * 0.01;
  }
  const Tensor frozen = w.detach();  // the same memory, off the tape

  // In place: recorded where nobody else sees the memory.
  const Tensor h = w * 2;
  h.relu_();
  h.add_(1);
  h.sum().backward();
  std::cout << w.grad() << "\n";
  w.set_grad({});

  // What an op has saved and somebody has written since is an error, never a wrong gradient.
  const Tensor product = (w * w).sum();
  frozen.fill_(1);
  try {
    product.backward();
  } catch (const feral::Error& error) {
    std::cout << error.what() << "\n";
  }

  // Hooks see a gradient on its way, and may replace it.
  const Tensor hidden = w * 3;
  hidden.register_hook([](const Tensor& gradient) { return gradient.clamp(-0.5, 0.5); });
  hidden.retain_grad();
  hidden.sum().backward();
  std::cout << w.grad() << " " << hidden.grad() << "\n";
  w.set_grad({});

  // An op of one's own, checked against finite differences.
  const auto function = [](const std::vector<Tensor>& in) { return cube(in[0]); };
  Tensor x = vector({0.5, -1.5});
  x.set_requires_grad(true);
  std::cout << cube(x).detach() << " '" << feral::gradcheck(function, {x}) << "' '"
            << feral::gradgradcheck(function, {x}) << "'\n";

  // A gradient of one's own for something that has none.
  straight_through_round(x).sum().backward();
  std::cout << x.grad() << "\n";
  x.set_grad({});

  // Derivatives of functions.
  const auto f = [](const std::vector<Tensor>& in) { return in[0] * in[0] * in[0].sum(); };
  std::cout << autograd::jacobian(f, {frozen})[0] << "\n"
            << autograd::jvp(f, {frozen}, {vector({1, 0, 0})}).second << "\n"
            << autograd::hvp([&](const auto& in) { return f(in).sum(); }, {frozen}, {vector({1, 0, 0})}).second[0]
            << "\n";

  // Memory for time: what is inside is computed again on the way back.
  const Tensor z =
      autograd::checkpoint([&](const std::vector<Tensor>& in) { return (in[0] * w).tanh().exp(); }, {x.sum()});
  z.sum().backward();
  std::cout << w.grad().shape().to_string() << "\n";

  // Only the rows that were read.
  Tensor table = Tensor::ones({1000, 2});
  table.set_requires_grad(true);
  const Tensor words = Tensor::from_vector<std::int64_t>({7, 42, 7}, {3});
  feral::embedding(table, words, {.sparse = true}).sum().backward();
  std::cout << table.sparse_grad().rows << "\n" << table.sparse_grad().values << "\n";

  // Which op went wrong?
  const autograd::AnomalyGuard anomaly;
  Tensor zero = vector({0});
  zero.set_requires_grad(true);
  try {
    zero.sqrt().sum().backward();
  } catch (const feral::Error& error) {
    const std::string text = error.what();
    std::cout << text.substr(0, text.find(';')) << "\n";
  }
}
