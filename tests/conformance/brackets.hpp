// What stands in the brackets of x[...], as a fixture says it.
#pragma once

#include <optional>

#include "core/error.hpp"
#include "tensor/index.hpp"
#include "tests/conformance/suite.hpp"

namespace feral::conformance {

// The entries of the attribute "items"; {"tensor": i} is operand i.
inline std::vector<Index> brackets(const Call& c) {
  std::vector<Index> entries;
  for (const nlohmann::json& item : c.attributes().at("items")) {
    if (item == "newaxis") {
      entries.emplace_back(newaxis);
    } else if (item == "ellipsis") {
      entries.emplace_back(ellipsis);
    } else if (item.is_number_integer()) {
      entries.emplace_back(item.get<std::int64_t>());
    } else if (item.contains("tensor")) {
      entries.emplace_back(c[item.at("tensor").get<std::size_t>()]);
    } else {
      Slice slice;
      const nlohmann::json& ends = item.at("slice");
      if (!ends[0].is_null()) slice.start = ends[0].get<std::int64_t>();
      if (!ends[1].is_null()) slice.stop = ends[1].get<std::int64_t>();
      if (!ends[2].is_null()) slice.step = ends[2].get<std::int64_t>();
      entries.emplace_back(slice);
    }
  }
  return entries;
}

// Calls function with the entries as an initializer_list, which has no other way to be made at run time.
template <class Function>
decltype(auto) with_list(const std::vector<Index>& e, Function&& function) {
  switch (e.size()) {
    case 1:
      return function({e[0]});
    case 2:
      return function({e[0], e[1]});
    case 3:
      return function({e[0], e[1], e[2]});
    case 4:
      return function({e[0], e[1], e[2], e[3]});
    default:
      throw Error("too many indices");
  }
}

}  // namespace feral::conformance
