#include "nn/repr.hpp"

#include <fmt/format.h>

namespace feral::nn {

std::string repr_of(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string repr_of(const Shape& values) {
  std::string text = "(";
  for (int i = 0; i < values.dims(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(values[i]);
  return text + (values.dims() == 1 ? ",)" : ")");
}

}  // namespace feral::nn
