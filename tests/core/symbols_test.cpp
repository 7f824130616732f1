#include "core/symbols.hpp"

#include <gtest/gtest.h>

#include <array>

namespace feral {
namespace {

__attribute__((noinline)) std::size_t where_i_am_called(std::span<void*> into) {
  const std::size_t count = stack_of_caller(into);
  return count;
}

TEST(Symbols, TheStackBeginsWithItsCaller) {
  std::array<void*, 16> addresses{};
  const std::size_t count = where_i_am_called(addresses);
  ASSERT_GT(count, 2U);
  EXPECT_NE(symbol_at(addresses[0]).function.find("where_i_am_called"), std::string::npos);
}

TEST(Symbols, AreShownWithTheirPlaceWhereItIsKnown) {
  EXPECT_EQ((Symbol{.function = "f()", .file = {}, .line = 0}.to_string()), "f()");
  EXPECT_EQ((Symbol{.function = "f()", .file = "a.cpp", .line = 3}.to_string()), "f() (a.cpp:3)");
}

TEST(Symbols, NothingStandsNowhere) { EXPECT_EQ(symbol_at(nullptr).file, ""); }

}  // namespace
}  // namespace feral
