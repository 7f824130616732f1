// Tensor's methods that draw random numbers.
#include <cmath>
#include <limits>

#include "core/fail.hpp"
#include "tensor/generator.hpp"
#include "tensor/in_place.hpp"
#include "tensor/kernels.hpp"

namespace feral {
namespace {

Generator& chosen(Generator* generator) { return generator != nullptr ? *generator : default_generator(); }

// Random words for fills of `count` elements: one an element of 32 bits, two of 64; normal numbers come in pairs.
std::uint64_t words_for(const Tensor& x) {
  const auto pairs = static_cast<std::uint64_t>(x.numel() + 1) / 2;
  return pairs * (x.dtype() == DType::float64 ? 4 : 2);
}

// Calls draw(tensor) with x, or with a contiguous tensor of a type that `draw` fills, which is then copied into x.
template <class Draw>
const Tensor& filled(const Tensor& x, DType type, Draw&& draw) {
  if (x.is_contiguous() && x.dtype() == type) {
    draw(x);
  } else {
    const Tensor contiguous = Tensor::empty(x.shape(), type);
    draw(contiguous);
    kernels(x.device()).copy(x, contiguous);
  }
  return x;
}

// The type in which random floats for x are made.
DType floating_type(std::string_view op, const Tensor& x) {
  check_target(op, x);
  if (!is_floating(x.dtype())) fail("{}: expected a floating type, got {}", op, name_of(x.dtype()));
  return x.dtype() == DType::float64 ? DType::float64 : DType::float32;
}

void check_probability(std::string_view op, double probability) {
  if (!(probability >= 0 && probability <= 1)) fail("{}: probability {} is outside of [0, 1]", op, probability);
}

// The largest number of a 16-bit type that is below `bound`.
double last_half_below(double bound, DType dtype) {
  const auto search = [&]<class Half>() {
    auto half = static_cast<Half>(static_cast<float>(bound));
    while (static_cast<double>(static_cast<float>(half)) >= bound) {
      const bool negative = (half.bits & 0x8000U) != 0;
      const auto magnitude = static_cast<std::uint16_t>(half.bits & 0x7FFFU);
      half.bits = negative ? static_cast<std::uint16_t>(half.bits + 1)
                           : static_cast<std::uint16_t>(magnitude == 0 ? 0x8001U : half.bits - 1U);
    }
    return static_cast<double>(static_cast<float>(half));
  };
  return dtype == DType::float16 ? search.template operator()<Float16>() : search.template operator()<BFloat16>();
}

// [smallest, largest] integer that the type holds exactly, as do all between.
std::pair<std::int64_t, std::int64_t> integer_range(DType dtype) {
  return visit_dtype(dtype, [&]<class T>() -> std::pair<std::int64_t, std::int64_t> {
    if constexpr (std::is_integral_v<T>) {
      return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
    } else {
      const int digits = dtype == DType::float64    ? 53
                         : dtype == DType::float32  ? 24
                         : dtype == DType::bfloat16 ? 8
                                                    : 11;
      return {-(std::int64_t{1} << digits), std::int64_t{1} << digits};
    }
  });
}

}  // namespace

const Tensor& Tensor::uniform_(double low, double high, Generator* generator) const {
  const DType type = floating_type("uniform_", *this);
  if (!(low <= high) || !std::isfinite(high - low)) fail("uniform_: no range from {} to {}", low, high);
  return filled(*this, type, [&](const Tensor& x) {
    kernels(x.device()).uniform(x, low, high, chosen(generator).take(words_for(x)));
    // Rounded to 16 bits, a number may reach `high`, which does not belong to the range.
    if (is_half(dtype()) && low < high) {
      const double last = last_half_below(high, dtype());
      kernels(x.device())
          .parametric(ParametricKernel::clamp, x, x, {-std::numeric_limits<double>::infinity(), last, 0});
    }
  });
}

const Tensor& Tensor::normal_(double mean, double std, Generator* generator) const {
  const DType type = floating_type("normal_", *this);
  if (!(std >= 0)) fail("normal_: standard deviation {} is below 0", std);
  return filled(*this, type, [&](const Tensor& x) {
    kernels(x.device()).normal(x, mean, std, chosen(generator).take(words_for(x)));
  });
}

const Tensor& Tensor::truncated_normal_(double mean, double std, double low, double high,
                                        Generator* generator) const {
  const DType type = floating_type("truncated_normal_", *this);
  if (!(std > 0)) fail("truncated_normal_: standard deviation {} is not above 0", std);
  if (!(low <= high)) fail("truncated_normal_: no range from {} to {}", low, high);
  return filled(*this, type, [&](const Tensor& x) {
    const auto words = 2 * static_cast<std::uint64_t>(x.numel());
    kernels(x.device()).truncated_normal(x, mean, std, low, high, chosen(generator).take(words));
  });
}

const Tensor& Tensor::exponential_(double rate, Generator* generator) const {
  const DType type = floating_type("exponential_", *this);
  if (!(rate > 0)) fail("exponential_: rate {} is not above 0", rate);
  return filled(*this, type, [&](const Tensor& x) {
    kernels(x.device()).exponential(x, rate, chosen(generator).take(words_for(x)));
  });
}

const Tensor& Tensor::bernoulli_(double probability, Generator* generator) const {
  check_target("bernoulli_", *this);
  check_probability("bernoulli_", probability);
  return filled(*this, dtype(), [&](const Tensor& x) {
    kernels(x.device()).bernoulli(x, probability, chosen(generator).take(static_cast<std::uint64_t>(x.numel())));
  });
}

const Tensor& Tensor::random_(std::int64_t low, std::int64_t high, Generator* generator) const {
  check_target("random_", *this);
  if (low >= high) fail("random_: no integer in [{}, {})", low, high);
  const auto [smallest, largest] = integer_range(dtype());
  if (low < smallest || high - 1 > largest) {
    fail("random_: {} does not hold all integers of [{}, {}), only those from {} to {}", name_of(dtype()), low,
         high, smallest, largest);
  }
  const std::uint64_t count = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  return filled(*this, dtype(), [&](const Tensor& x) {
    kernels(x.device()).integers(x, low, count, chosen(generator).take(2 * static_cast<std::uint64_t>(x.numel())));
  });
}

Tensor Tensor::rand(const Shape& shape, DType dtype, Generator* generator) {
  return empty(shape, dtype).uniform_(0, 1, generator);
}

Tensor Tensor::randn(const Shape& shape, DType dtype, Generator* generator) {
  return empty(shape, dtype).normal_(0, 1, generator);
}

Tensor Tensor::randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype, Generator* generator) {
  if (low >= high) fail("randint: no integer in [{}, {})", low, high);
  return empty(shape, dtype).random_(low, high, generator);
}

Tensor Tensor::randperm(std::int64_t n, Generator* generator) {
  if (n < 0) fail("randperm: {} elements", n);
  const Tensor order = empty({n}, DType::int64);
  kernels(order.device()).permutation(order, chosen(generator).take(2 * static_cast<std::uint64_t>(n)));
  return order;
}

Tensor Tensor::bernoulli(Generator* generator) const {
  refuse_undefined("bernoulli", *this);
  if (!is_floating(dtype())) fail("bernoulli: expected probabilities of a floating type, got {}", name_of(dtype()));
  const std::vector<double> probabilities = to_vector<double>();
  for (const double p : probabilities) check_probability("bernoulli", p);
  const Tensor draws = rand(shape(), DType::float64, generator);
  const Tensor below = empty(shape(), DType::boolean);
  kernels(device()).compare(CompareKernel::less, below, draws, from_vector(probabilities, shape()));
  const Tensor result = empty(shape(), dtype());
  kernels(device()).copy(result, below);
  return result;
}

Tensor Tensor::multinomial(std::int64_t samples, bool replacement, Generator* generator) const {
  refuse_undefined("multinomial", *this);
  if (!is_floating(dtype())) fail("multinomial: expected weights of a floating type, got {}", name_of(dtype()));
  if (dims() != 1 && dims() != 2)
    fail("multinomial: weights must be [n] or [rows, n], got {}", shape().to_string());
  const std::int64_t n = size(-1);
  const std::int64_t rows = dims() == 2 ? size(0) : 1;
  if (samples < 1) fail("multinomial: {} samples", samples);
  const std::vector<double> values = to_vector<double>();
  for (std::int64_t row = 0; row < rows; ++row) {
    std::int64_t positive = 0;
    double sum = 0;
    for (std::int64_t k = 0; k < n; ++k) {
      const double weight = values[static_cast<std::size_t>(row * n + k)];
      if (!(weight >= 0) || std::isinf(weight)) {
        fail("multinomial: weight {} of row {} is {}; weights are finite and not below 0", k, row, weight);
      }
      positive += weight > 0;
      sum += weight;
    }
    if (positive == 0 || std::isinf(sum)) fail("multinomial: the weights of row {} add up to {}", row, sum);
    if (!replacement && positive < samples) {
      fail("multinomial: {} samples without replacement from {} weights above 0 in row {}", samples, positive, row);
    }
  }
  const Tensor weights = from_vector(values, {rows, n});
  const std::int64_t pairs = replacement ? samples : n;
  const auto words = static_cast<std::uint64_t>(rows) * (static_cast<std::uint64_t>(pairs + 1) / 2) * 4;
  const Tensor out = empty(dims() == 2 ? Shape{rows, samples} : Shape{samples}, DType::int64);
  const Tensor matrix = borrow(out.raw_data(), {rows, samples}, DType::int64);
  kernels(device()).multinomial(matrix, weights, replacement, chosen(generator).take(words));
  return out;
}

}  // namespace feral
