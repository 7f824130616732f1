// Short ways to write a row of the table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/conformance/suite.hpp"

namespace feral::conformance {

// A bool as the fixtures hold it.
inline Tensor truth(bool value) { return Tensor::full({}, value ? 1 : 0, DType::boolean); }

inline std::vector<Tensor> both(const ValuesIndices& x) { return {x.values, x.indices}; }

using Method0 = Tensor (Tensor::*)() const;
using Method1 = Tensor (Tensor::*)(const Tensor&) const;
using MethodScalar = Tensor (Tensor::*)(Scalar) const;
using InPlace0 = const Tensor& (Tensor::*)() const;
using InPlace1 = const Tensor& (Tensor::*)(const Tensor&) const;
using InPlaceScalar = const Tensor& (Tensor::*)(Scalar) const;

// x.method()
inline Op unary(const std::string& name, Method0 method, std::vector<DType> types = all_types,
                std::vector<std::string> reaches = {}) {
  return {.name = name,
          .method = "",
          .types = std::move(types),
          .layouts = any_layout,
          .run = [method](const Call& c) -> std::vector<Tensor> { return {(c[0].*method)()}; },
          .reaches = std::move(reaches)};
}

// x.method(y)
inline Op binary(const std::string& name, Method1 method, std::vector<DType> types = all_types,
                 std::vector<std::string> reaches = {}) {
  return {.name = name,
          .method = "",
          .types = std::move(types),
          .layouts = any_layout,
          .run = [method](const Call& c) -> std::vector<Tensor> { return {(c[0].*method)(c[1])}; },
          .reaches = std::move(reaches)};
}

// x.method(number)
inline Op with_number(const std::string& name, MethodScalar method, std::vector<DType> types = all_types) {
  const std::string method_name = name.ends_with("_number") ? name.substr(0, name.size() - 7) : name;
  return {.name = name,
          .method = method_name,
          .types = std::move(types),
          .layouts = any_layout,
          .run = [method](const Call& c) -> std::vector<Tensor> { return {(c[0].*method)(c.scalar("number"))}; }};
}

inline Op in_place(const std::string& name, InPlace0 method, std::vector<DType> types) {
  return {.name = name,
          .method = "",
          .types = std::move(types),
          .layouts = {"contiguous", "transposed", "stepped", "empty", "0-dim"},
          .run = [method](const Call& c) -> std::vector<Tensor> { return {(c[0].*method)()}; },
          .kind = Kind::writes};
}

// x.method_(y); a case with one operand and "overlap" takes y from x's own memory.
inline Op in_place(const std::string& name, InPlace1 method, std::vector<DType> types) {
  return {.name = name,
          .method = "",
          .types = std::move(types),
          .layouts = any_layout,
          .run = [method](const Call& c) -> std::vector<Tensor> {
            if (!c.has("overlap")) return {(c[0].*method)(c[1])};
            if (c.text("overlap") == "itself") return {(c[0].*method)(c[0])};
            if (c.text("overlap") == "transposed") return {(c[0].*method)(c[0].transpose(0, 1))};
            if (c.text("overlap") == "row") return {(c[0].*method)(c[0].narrow(0, 0, 1))};
            // Shifted by one row.
            const std::int64_t rows = c[0].size(0) - 1;
            const bool down = c.text("overlap") == "down";
            (c[0].narrow(0, down ? 1 : 0, rows).*method)(c[0].narrow(0, down ? 0 : 1, rows));
            return {c[0]};
          },
          .kind = Kind::writes};
}

inline Op in_place(const std::string& name, InPlaceScalar method, std::vector<DType> types) {
  const std::string method_name = name.ends_with("_number") ? name.substr(0, name.size() - 7) : name;
  return {.name = name,
          .method = method_name,
          .types = std::move(types),
          .layouts = {"contiguous", "transposed", "stepped", "empty", "0-dim"},
          .run = [method](const Call& c) -> std::vector<Tensor> { return {(c[0].*method)(c.scalar("number"))}; },
          .kind = Kind::writes};
}

// Anything else with one result.
template <class Function>
Op op(const std::string& name, std::vector<DType> types, std::vector<std::string> layouts, Function function,
      std::vector<std::string> reaches = {}) {
  return {.name = name,
          .method = "",
          .types = std::move(types),
          .layouts = std::move(layouts),
          .run = [function](const Call& c) -> std::vector<Tensor> {
            if constexpr (std::is_same_v<decltype(function(c)), Tensor>) {
              return {function(c)};
            } else {
              return function(c);
            }
          },
          .reaches = std::move(reaches)};
}

template <class Function>
Op view(const std::string& name, std::vector<std::string> layouts, Function function) {
  Op result = op(name, all_types, std::move(layouts), function);
  result.kind = Kind::views;
  return result;
}

template <class Function>
Op writing(const std::string& name, std::vector<DType> types, std::vector<std::string> layouts, Function function,
           std::vector<std::string> reaches = {}) {
  Op result = op(name, std::move(types), std::move(layouts), function, std::move(reaches));
  result.kind = Kind::writes;
  return result;
}

// Another row for the same method.
inline Op of_method(const std::string& method, Op result) {
  result.method = method;
  return result;
}

}  // namespace feral::conformance
