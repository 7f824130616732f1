// How fast convolutions run on one thread: minima over repetitions, for every layer forward, the gradient of the
// input and that of the weight, in milliseconds and GFLOP/s.
//
//   cmake --build build/check --target conv_speed && OPENBLAS_NUM_THREADS=1 build/check/bench/conv_speed [seconds]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "feral.hpp"

namespace {

struct Layer {
  const char* name;
  std::int64_t batch, in, size, out, kernel, stride, padding;
};

constexpr Layer layers[] = {
    {"64-64 3x3 @32", 1, 64, 32, 64, 3, 1, 1},       {"64-64 3x3 @32", 16, 64, 32, 64, 3, 1, 1},
    {"stem 7x7/2 @224", 1, 3, 224, 64, 7, 2, 3},     {"stem 7x7/2 @224", 16, 3, 224, 64, 7, 2, 3},
    {"64 3x3 @56", 1, 64, 56, 64, 3, 1, 1},          {"64 3x3 @56", 16, 64, 56, 64, 3, 1, 1},
    {"64-128 3x3/2 @56", 1, 64, 56, 128, 3, 2, 1},   {"64-128 3x3/2 @56", 16, 64, 56, 128, 3, 2, 1},
    {"64-128 1x1/2 @56", 1, 64, 56, 128, 1, 2, 0},   {"64-128 1x1/2 @56", 16, 64, 56, 128, 1, 2, 0},
    {"128 3x3 @28", 1, 128, 28, 128, 3, 1, 1},       {"128 3x3 @28", 16, 128, 28, 128, 3, 1, 1},
    {"128-256 3x3/2 @28", 1, 128, 28, 256, 3, 2, 1}, {"128-256 3x3/2 @28", 16, 128, 28, 256, 3, 2, 1},
    {"128-256 1x1/2 @28", 1, 128, 28, 256, 1, 2, 0}, {"128-256 1x1/2 @28", 16, 128, 28, 256, 1, 2, 0},
    {"256 3x3 @14", 1, 256, 14, 256, 3, 1, 1},       {"256 3x3 @14", 16, 256, 14, 256, 3, 1, 1},
    {"256-512 3x3/2 @14", 1, 256, 14, 512, 3, 2, 1}, {"256-512 3x3/2 @14", 16, 256, 14, 512, 3, 2, 1},
    {"256-512 1x1/2 @14", 1, 256, 14, 512, 1, 2, 0}, {"256-512 1x1/2 @14", 16, 256, 14, 512, 1, 2, 0},
    {"512 3x3 @7", 1, 512, 7, 512, 3, 1, 1},         {"512 3x3 @7", 16, 512, 7, 512, 3, 1, 1},
    {"lenet 1-10 5x5 @28", 64, 1, 28, 10, 5, 1, 0},  {"lenet 10-20 5x5 @12", 64, 10, 12, 20, 5, 1, 0},
};

feral::Tensor numbers(const feral::Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7919 % 1000) * 1e-3F;
  return feral::Tensor::from_vector(values, shape);
}

// Seconds of processor time: the machine may have others at work on it.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <class Function>
double fastest(double seconds, Function&& function) {
  double best = 1e9;
  const double end = processor_seconds() + seconds;
  for (int i = 0; i < 3 || processor_seconds() < end; ++i) {
    const double start = processor_seconds();
    function();
    best = std::min(best, processor_seconds() - start);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.3;
  const feral::NoGradGuard no_grad;
  std::printf("%-22s %5s %22s %22s %22s %12s\n", "layer", "batch", "forward ms (GFLOP/s)", "d input", "d weight",
              "backward ms");
  for (const Layer& l : layers) {
    const feral::ConvGeometry geometry = {.stride = l.stride, .padding = l.padding};
    const feral::Tensor x = numbers({l.batch, l.in, l.size, l.size});
    const feral::Tensor weight = numbers({l.out, l.in, l.kernel, l.kernel});
    const feral::Tensor y = feral::apply<feral::ops::Convolution>(geometry, x, weight, feral::Tensor());
    const double flops = 2.0 * static_cast<double>(y.numel() * l.in * l.kernel * l.kernel);
    const double times[] = {
        fastest(seconds, [&] { feral::apply<feral::ops::Convolution>(geometry, x, weight, feral::Tensor()); }),
        fastest(seconds,
                [&] {
                  feral::apply<feral::ops::ConvolutionInputGradient>({.geometry = geometry, .x_shape = x.shape()},
                                                                     y, weight);
                }),
        fastest(seconds, [&] {
          feral::apply<feral::ops::ConvolutionWeightGradient>(
              {.geometry = geometry, .weight_shape = weight.shape()}, x, y);
        })};
    std::printf("%-22s %5lld", l.name, static_cast<long long>(l.batch));
    for (const double t : times) std::printf(" %13.3f (%6.1f)", t * 1e3, flops / t * 1e-9);
    std::printf(" %12.3f\n", (times[1] + times[2]) * 1e3);
  }
  return 0;
}
