#include "workers/child.hpp"

#include <gtest/gtest.h>

namespace feral {
namespace {

TEST(Child, AnIdentityIsRoleIndexGenerationAndCore) {
  EXPECT_EQ(encode({.role = Role::worker, .owner = {3, 2}, .core = 5}), "worker 3 2 5");
  EXPECT_EQ(encode({.role = Role::loader, .owner = {1023, 65535}}), "loader 1023 65535 -1");
  EXPECT_EQ(encode({.role = Role::evaluator, .owner = {}}), "evaluator 0 0 -1");
  EXPECT_EQ(encode({.role = Role::reserver, .owner = {}}), "reserver 0 0 -1");
}

TEST(Child, MessagesNameWorkersAndLoadersByIndex) {
  EXPECT_EQ(describe(Role::worker, 1), "worker 1");
  EXPECT_EQ(describe(Role::loader, 0), "loader 0");
  EXPECT_EQ(describe(Role::evaluator, 0), "evaluator");
  EXPECT_EQ(describe(Role::reserver, 0), "reserver");
}

TEST(Child, AProcessThatNoLauncherStartedHasNoIdentity) { EXPECT_FALSE(child_identity()); }

}  // namespace
}  // namespace feral
