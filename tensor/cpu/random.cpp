// Random fills and dropout, drawn from Philox blocks by position.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/normal_quantile.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {
namespace {

// Calls at(i, word) for the first `count` words.
template <class At>
void for_each_word(PhiloxPosition position, std::int64_t count, At&& at) {
  for (std::int64_t i = 0; i < count; i += 4) {
    const PhiloxBlock words =
        philox(position.seed, position.stream, position.block + static_cast<std::uint64_t>(i) / 4);
    const std::int64_t lanes = std::min<std::int64_t>(4, count - i);
    for (std::int64_t lane = 0; lane < lanes; ++lane) at(i + lane, words[static_cast<std::size_t>(lane)]);
  }
}

// Calls at(i, high, low) for the first `count` pairs of words.
template <class At>
void for_each_pair(PhiloxPosition position, std::int64_t count, At&& at) {
  for (std::int64_t i = 0; i < count; i += 2) {
    const PhiloxBlock words =
        philox(position.seed, position.stream, position.block + static_cast<std::uint64_t>(i) / 2);
    at(i, words[0], words[1]);
    if (i + 1 < count) at(i + 1, words[2], words[3]);
  }
}

// Calls at(i, unit) with `count` numbers of [0, 1): 24 bits of one word for float, 53 of two for double.
template <class T, class At>
void for_each_unit(PhiloxPosition position, std::int64_t count, At&& at) {
  if constexpr (sizeof(T) == 4) {
    for_each_word(position, count, [&](std::int64_t i, std::uint32_t word) { at(i, to_unit_float(word)); });
  } else {
    for_each_pair(position, count,
                  [&](std::int64_t i, std::uint32_t high, std::uint32_t low) { at(i, to_unit_double(high, low)); });
  }
}

// A number of (0, 1], for logarithms.
float above_zero(std::uint32_t word) { return (static_cast<float>(word) + 1.0F) * 0x1.0p-32F; }
double above_zero(std::uint32_t high, std::uint32_t low) { return to_unit_double(high, low) + 0x1.0p-53; }

// A number of 0 … count - 1 from 64 bits (0: all of them). The bias is below count / 2^64.
std::uint64_t below(std::uint64_t count, std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = std::uint64_t{high} << 32 | low;
  if (count == 0) return bits;
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(bits) * count >> 64);
}

}  // namespace

void dropout(const Tensor& out, const Tensor& x, const DropoutDraw& draw) {
  visit_floating(x.dtype(), [&]<class T>() {
    const T scale = draw.probability >= 1 ? T{0} : T{1} / (T{1} - static_cast<T>(draw.probability));
    const T* from = x.data<T>();
    T* to = out.data<T>();
    for_each_word(draw.position, x.numel() / draw.group, [&](std::int64_t i, std::uint32_t word) {
      const T factor = to_unit_float(word) < draw.probability ? T{0} : scale;
      const std::int64_t start = i * draw.group;
      for (std::int64_t k = start; k < start + draw.group; ++k) to[k] = from[k] * factor;
    });
  });
}

void uniform(const Tensor& out, double low, double high, PhiloxPosition position) {
  visit_floating(out.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    // The sum may round up to `high`, which does not belong to the range.
    const T last = std::nextafter(static_cast<T>(high), static_cast<T>(low));
    for_each_unit<T>(position, out.numel(), [&](std::int64_t i, T unit) {
      to[i] = std::min(static_cast<T>(low + (high - low) * unit), last);
    });
  });
}

void normal(const Tensor& out, double mean, double std, PhiloxPosition position) {
  const std::int64_t count = out.numel();
  visit_floating(out.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    const auto put = [&](std::int64_t i, T first, T second) {
      const T radius = std::sqrt(T{-2} * std::log(first));
      const T angle = static_cast<T>(6.283185307179586477) * second;
      to[i] = static_cast<T>(mean + std * (radius * std::cos(angle)));
      if (i + 1 < count) to[i + 1] = static_cast<T>(mean + std * (radius * std::sin(angle)));
    };
    // A block makes four floats or two doubles.
    const std::int64_t step = sizeof(T) == 4 ? 4 : 2;
    for (std::int64_t i = 0; i < count; i += step) {
      const PhiloxBlock words =
          philox(position.seed, position.stream, position.block + static_cast<std::uint64_t>(i / step));
      if constexpr (sizeof(T) == 4) {
        put(i, above_zero(words[0]), to_unit_float(words[1]));
        if (i + 2 < count) put(i + 2, above_zero(words[2]), to_unit_float(words[3]));
      } else {
        put(i, above_zero(words[0], words[1]), to_unit_double(words[2], words[3]));
      }
    }
  });
}

void exponential(const Tensor& out, double rate, PhiloxPosition position) {
  visit_floating(out.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    const T scale = static_cast<T>(-1 / rate);
    if constexpr (sizeof(T) == 4) {
      for_each_word(position, out.numel(),
                    [&](std::int64_t i, std::uint32_t word) { to[i] = scale * std::log(above_zero(word)); });
    } else {
      for_each_pair(position, out.numel(), [&](std::int64_t i, std::uint32_t high, std::uint32_t low) {
        to[i] = scale * std::log(above_zero(high, low));
      });
    }
  });
}

void truncated_normal(const Tensor& out, double mean, double std, double low, double high,
                      PhiloxPosition position) {
  double from = (low - mean) / std;
  double to = (high - mean) / std;
  // Far above the mean the distribution function is 1 to all digits; its mirror image keeps them.
  const bool mirrored = from > 0;
  if (mirrored) {
    std::swap(from, to);
    from = -from;
    to = -to;
  }
  const double first = normal_distribution(from);
  const double width = normal_distribution(to) - first;
  visit_floating(out.dtype(), [&]<class T>() {
    T* elements = out.data<T>();
    for_each_pair(position, out.numel(), [&](std::int64_t i, std::uint32_t word, std::uint32_t next) {
      const double p = first + width * above_zero(word, next);
      const double x = p <= 0 ? from : p >= 1 ? to : std::clamp(normal_quantile(p), from, to);
      elements[i] = static_cast<T>(std::clamp(mean + std * (mirrored ? -x : x), low, high));
    });
  });
}

void bernoulli(const Tensor& out, double probability, PhiloxPosition position) {
  const auto threshold = static_cast<std::uint64_t>(std::ldexp(probability, 32));
  visit_dtype(out.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    for_each_word(position, out.numel(), [&](std::int64_t i, std::uint32_t word) {
      to[i] = static_cast<T>(word < threshold ? 1.0F : 0.0F);
    });
  });
}

void integers(const Tensor& out, std::int64_t low, std::uint64_t count, PhiloxPosition position) {
  visit_dtype(out.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    for_each_pair(position, out.numel(), [&](std::int64_t i, std::uint32_t high_word, std::uint32_t low_word) {
      const std::uint64_t number = static_cast<std::uint64_t>(low) + below(count, high_word, low_word);
      to[i] = static_cast<T>(static_cast<std::int64_t>(number));
    });
  });
}

void permutation(const Tensor& out, PhiloxPosition position) {
  const std::int64_t n = out.numel();
  auto* to = out.data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) to[i] = i;
  for_each_pair(position, n, [&](std::int64_t i, std::uint32_t high, std::uint32_t low) {
    const std::int64_t last = n - 1 - i;
    std::swap(to[last], to[below(static_cast<std::uint64_t>(last) + 1, high, low)]);
  });
}

void multinomial(const Tensor& out, const Tensor& weights, bool replacement, PhiloxPosition position) {
  const std::int64_t rows = out.shape()[0];
  const std::int64_t samples = out.shape()[1];
  const std::int64_t n = weights.shape()[1];
  auto* to = out.data<std::int64_t>();
  struct Runner {
    double time;
    std::int64_t column;
  };
  const Workspace scratch(static_cast<std::size_t>(n) * sizeof(Runner));
  visit_floating(weights.dtype(), [&]<class T>() {
    const T* data = weights.data<T>();
    const auto weight = [&](std::int64_t row, std::int64_t column) {
      return static_cast<double>(data[row * weights.strides()[0] + column * weights.strides()[1]]);
    };
    for (std::int64_t row = 0; row < rows; ++row, to += samples) {
      if (replacement) {
        auto* sums = reinterpret_cast<double*>(scratch.get());
        double sum = 0;
        std::int64_t last = 0;  // with a weight: where rounding must not lead beyond
        for (std::int64_t k = 0; k < n; ++k) {
          if (weight(row, k) > 0) last = k;
          sums[k] = sum += weight(row, k);
        }
        for_each_pair(position, samples, [&](std::int64_t i, std::uint32_t high, std::uint32_t low) {
          const double* found = std::upper_bound(sums, sums + n, to_unit_double(high, low) * sum);
          to[i] = std::min<std::int64_t>(found - sums, last);
        });
        position.block += static_cast<std::uint64_t>(samples + 1) / 2;
      } else {
        auto* runners = reinterpret_cast<Runner*>(scratch.get());
        for_each_pair(position, n, [&](std::int64_t k, std::uint32_t high, std::uint32_t low) {
          const double w = weight(row, k);
          const double time =
              w > 0 ? -std::log(above_zero(high, low)) / w : std::numeric_limits<double>::infinity();
          runners[k] = {time, k};
        });
        std::partial_sort(runners, runners + samples, runners + n, [](const Runner& a, const Runner& b) {
          return a.time != b.time ? a.time < b.time : a.column < b.column;
        });
        for (std::int64_t i = 0; i < samples; ++i) to[i] = runners[i].column;
        position.block += static_cast<std::uint64_t>(n + 1) / 2;
      }
    }
  });
}

}  // namespace feral::cpu
