// A margin around a tensor.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "autograd/op.hpp"

namespace feral::ops {

// x inside of a larger tensor that holds `value` elsewhere.
struct Pad {
  static constexpr std::string_view name = "pad";
  static constexpr int arity = 1;
  struct Attributes {
    Shape before;  // margins, one a dimension; not negative
    Shape after;
    double value = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Pad>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Pad>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

enum class PadMode : std::uint8_t {
  constant,   // `value`
  reflect,    // mirrored at the edge element, which is not repeated: a margin must be below the size
  replicate,  // the edge element
  circular,   // from the other end: a margin may not exceed the size
};

// torch.nn.functional.pad: `margins` are {left, right} of the last dimension, then {top, bottom} of the one before,
// and so on; a negative margin cuts off that many elements. Any type; other modes than constant for any number of
// dimensions, too. Always a copy.
Tensor pad(const Tensor& x, std::span<const std::int64_t> margins, PadMode mode = PadMode::constant,
           double value = 0);
inline Tensor pad(const Tensor& x, std::initializer_list<std::int64_t> margins, PadMode mode = PadMode::constant,
                  double value = 0) {
  return pad(x, std::span(margins.begin(), margins.size()), mode, value);
}

}  // namespace feral
