// What may stand in the brackets of x.index({...}) and x.index_put_({...}, values): NumPy's basic and advanced
// indices.
//
//   x.index({0, Slice{1, 9, 2}})          x[0, 1:9:2]        a view
//   x.index({ellipsis, newaxis})          x[..., None]       a view
//   x.index({rows, Slice{}, columns})     x[rows, :, columns]  a copy, as NumPy and PyTorch place the dimensions
//   x.index({mask})                       x[mask]            a copy
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "tensor/tensor.hpp"

namespace feral {

// Python's start:stop:step; each may be left out. Negative ones count from the end; step must be at least 1.
struct Slice {
  std::optional<std::int64_t> start = std::nullopt;
  std::optional<std::int64_t> stop = std::nullopt;
  std::int64_t step = 1;
};

struct NewAxis {};
struct Ellipsis {};
inline constexpr NewAxis newaxis{};    // a dimension of size 1
inline constexpr Ellipsis ellipsis{};  // as many full slices as are missing

// One entry. A tensor is int64 or int32 (positions) or bool (a mask over as many dimensions as it has).
struct Index {
  Index(std::int64_t position) : value(position) {}
  Index(int position) : value(std::int64_t{position}) {}
  Index(Slice slice) : value(slice) {}
  Index(NewAxis) : value(newaxis) {}
  Index(Ellipsis) : value(ellipsis) {}
  Index(const Tensor& tensor) : value(tensor) {}
  std::variant<std::int64_t, Slice, NewAxis, Ellipsis, Tensor> value;
};

}  // namespace feral
