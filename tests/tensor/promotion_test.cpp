#include "tensor/promotion.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace feral {
namespace {

TEST(Promotion, IsPyTorchsForEveryPairOfTypes) {
  std::ifstream in(FERAL_SOURCE_DIR "/tests/fixtures/promotion/promotion.json");
  const nlohmann::json table = nlohmann::json::parse(in).at("types");
  int pairs = 0;
  for (int a = 0; a < dtype_count; ++a) {
    for (int b = 0; b < dtype_count; ++b, ++pairs) {
      const std::string first(name_of(static_cast<DType>(a)));
      const std::string second(name_of(static_cast<DType>(b)));
      EXPECT_EQ(name_of(promote(static_cast<DType>(a), static_cast<DType>(b))),
                table.at(first).at(second).get<std::string>())
          << first << " and " << second;
    }
  }
  EXPECT_EQ(pairs, 100);
}

}  // namespace
}  // namespace feral
