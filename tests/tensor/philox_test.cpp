#include "tensor/philox.hpp"

#include <gtest/gtest.h>

#include <set>

namespace feral {
namespace {

// Random123's known answers for philox4x32-10. Its counter words 0 and 1 are our block, 2 and 3 our stream; its key
// is our seed, all with the low word first.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox(0, 0, 0), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  EXPECT_EQ(philox(ones, ones, ones), (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EveryPositionOfItsArgumentsCounts) {
  std::set<PhiloxBlock> seen = {philox(0, 0, 0)};
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t one = std::uint64_t{1} << bit;
    seen.insert({philox(one, 0, 0), philox(0, one, 0), philox(0, 0, one)});
  }
  EXPECT_EQ(seen.size(), 1U + 3 * 64);
}

TEST(Philox, IsAConstantExpression) {
  static_assert(philox(0, 0, 0)[0] == 0x6627e8d5);
  static_assert(to_unit_float(0) == 0);
}

TEST(ToUnitFloat, CoversZeroToJustBelowOneExactly) {
  EXPECT_EQ(to_unit_float(0xFF), 0.0F);
  EXPECT_EQ(to_unit_float(0x100), 0x1.0p-24F);
  EXPECT_EQ(to_unit_float(0x80000000), 0.5F);
  EXPECT_EQ(to_unit_float(0xFFFFFFFF), 1.0F - 0x1.0p-24F);
}

}  // namespace
}  // namespace feral
