// Times an LSTM layer and a Transformer encoder layer, forward and backward, one thread; prints "name value unit".
// Beside it: bench/recurrent_torch.py.
#include <cblas.h>
#include <feral/feral.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

namespace {

using feral::Tensor;
using Clock = std::chrono::steady_clock;

double processor_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// The median of 25 runs after 5, in µs; and the least processor time of a run, which others on the machine move
// less.
template <class Run>
void measure(const char* name, const Run& run) {
  constexpr std::size_t runs = 25;
  std::vector<double> times;
  std::vector<double> processor;
  for (std::size_t i = 0; i < runs + 5; ++i) {
    const auto start = Clock::now();
    const double processor_start = processor_us();
    run();
    if (i < 5) continue;
    processor.push_back(processor_us() - processor_start);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  std::sort(processor.begin(), processor.end());
  std::printf("%s %.1f us\n%s_processor %.1f us\n", name, times[runs / 2], name, processor.front());
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

void transformer(std::int64_t heads, const char* name) {
  feral::nn::TransformerEncoderLayer layer(128, heads, {.dim_feedforward = 512, .dropout = 0, .batch_first = true});
  Tensor x = Tensor::randn({8, 64, 128}).set_requires_grad(true);
  const Tensor gradient = Tensor::randn({8, 64, 128});
  measure(name, [&] {
    layer.zero_grad();
    layer(x).backward(gradient);
  });
}

}  // namespace

int main() {
  openblas_set_num_threads(1);
  feral::manual_seed(1);
  lstm();
  transformer(8, "transformer_layer_forward_backward_us");
  transformer(4, "transformer_layer_4_heads_forward_backward_us");
}
