// That nothing is left out: every pair of an op's types and layouts has a case.
#include <gtest/gtest.h>

#include <set>

#include "tests/conformance/suite.hpp"

namespace feral::conformance {
namespace {

TEST(ConformanceCoverage, EveryTypeAndLayoutOfEveryOpHasACase) {
  std::set<std::string> covered;
  std::size_t cases = 0;
  for (const std::string& family : families()) {
    for (const Case& test : Fixture::of(family).cases()) {
      ++cases;
      if (test.in.empty()) {
        for (const Case::Out& result : test.out)
          covered.insert(test.op + " " + std::string(name_of(result.dtype)) + " made");
      }
      for (const Case::In& operand : test.in) {
        for (const std::string& layout : test.shows())
          covered.insert(test.op + " " + std::string(name_of(operand.dtype)) + " " + layout);
      }
    }
  }
  EXPECT_GE(cases, 2500U);
  for (const Op& op : table()) {
    EXPECT_FALSE(op.types.empty() || op.layouts.empty()) << op.name;
    for (const DType type : op.types) {
      for (const std::string& layout : op.layouts) {
        EXPECT_TRUE(covered.contains(op.name + " " + std::string(name_of(type)) + " " + layout))
            << op.name << " has no case of " << name_of(type) << ", " << layout;
      }
    }
  }
}

TEST(ConformanceCoverage, NamesAreUnique) {
  std::set<std::string> names;
  for (const Op& op : table()) EXPECT_TRUE(names.insert(op.name).second) << op.name;
}

}  // namespace
}  // namespace feral::conformance
