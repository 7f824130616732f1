// A tensor's elements as text, in NumPy's form.
#pragma once

#include <iosfwd>
#include <string>

#include "tensor/tensor.hpp"

namespace feral {

// NumPy's set_printoptions.
struct PrintOptions {
  int precision = 8;                // digits behind the point at most; fewer where fewer tell the numbers apart
  std::int64_t threshold = 1000;    // more elements than this are summarized
  std::int64_t edge_items = 3;      // in a summary: elements at either end of each dimension
  int line_width = 75;              // characters before a line is broken
  bool suppress_exponents = false;  // exponents for numbers of 1e8 and more alone
};

// The elements as NumPy's str() of the same array: "[[1.  2.5]\n [nan 4. ]]". "undefined" for an undefined tensor.
std::string format_elements(const Tensor& tensor, const PrintOptions& options = {});

// format_elements with the usual options.
std::ostream& operator<<(std::ostream& stream, const Tensor& tensor);

}  // namespace feral
