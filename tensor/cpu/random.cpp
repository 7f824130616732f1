// Random fills and dropout, drawn from Philox blocks by position: the result does not depend on who computes it.
#include <algorithm>
#include <cmath>

#include "tensor/cpu/kernels.hpp"
#include "tensor/philox.hpp"

namespace feral::cpu {
namespace {

// Calls at(i, word) for the first `count` words from `first_block` on.
template <class At>
void for_each_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block, std::int64_t count,
                   At&& at) {
  for (std::int64_t i = 0; i < count; i += 4) {
    const PhiloxBlock words = philox(seed, stream, first_block + static_cast<std::uint64_t>(i) / 4);
    const std::int64_t lanes = std::min<std::int64_t>(4, count - i);
    for (std::int64_t lane = 0; lane < lanes; ++lane) at(i + lane, words[static_cast<std::size_t>(lane)]);
  }
}

}  // namespace

void dropout(const Tensor& out, const Tensor& x, const DropoutDraw& draw) {
  visit_floating(x.dtype(), [&]<class T>() {
    const T scale = draw.probability >= 1 ? T{0} : T{1} / (T{1} - static_cast<T>(draw.probability));
    const T* from = x.data<T>();
    T* to = out.data<T>();
    for_each_word(draw.seed, draw.stream, draw.first_block, x.numel() / draw.group,
                  [&](std::int64_t i, std::uint32_t word) {
                    const T factor = to_unit_float(word) < draw.probability ? T{0} : scale;
                    const std::int64_t start = i * draw.group;
                    for (std::int64_t k = start; k < start + draw.group; ++k) to[k] = from[k] * factor;
                  });
  });
}

void uniform(const Tensor& out, double low, double high, std::uint64_t seed, std::uint64_t stream,
             std::uint64_t first_block) {
  visit_floating(out.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    // The sum may round up to `high`, which does not belong to the range.
    const T last = std::nextafter(static_cast<T>(high), static_cast<T>(low));
    for_each_word(seed, stream, first_block, out.numel(), [&](std::int64_t i, std::uint32_t word) {
      to[i] = std::min(static_cast<T>(low + (high - low) * to_unit_float(word)), last);
    });
  });
}

}  // namespace feral::cpu
