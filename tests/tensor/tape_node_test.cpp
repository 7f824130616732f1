#include "tensor/tape_node.hpp"

#include <gtest/gtest.h>

namespace feral {
namespace {

// A node that holds one reference to the next and notes its end.
struct Link : TapeNode {
  Link* next = nullptr;
  int* destroyed = nullptr;
  static void end(TapeNode& self) noexcept {
    auto& link = static_cast<Link&>(self);
    ++*link.destroyed;
    if (link.next != nullptr) release(link.next);
    delete &link;
  }
};

Link* make_link(Link* next, int* destroyed) {
  auto* link = new Link;
  link->destroy = Link::end;
  link->next = next;
  link->destroyed = destroyed;
  return link;
}

TEST(TapeNode, GoesWithItsLastReference) {
  int destroyed = 0;
  Link* link = make_link(nullptr, &destroyed);
  retain(link);
  release(link);
  EXPECT_EQ(destroyed, 0);
  release(link);
  EXPECT_EQ(destroyed, 1);
}

TEST(TapeNode, AChainOfAMillionNodesDoesNotOverflowTheStack) {
  constexpr int length = 1'000'000;
  int destroyed = 0;
  Link* head = nullptr;
  for (int i = 0; i < length; ++i) head = make_link(head, &destroyed);
  release(head);
  EXPECT_EQ(destroyed, length);
}

TEST(TapeNode, ASharedNodeOutlivesOneOfItsUsers) {
  int destroyed = 0;
  Link* shared = make_link(nullptr, &destroyed);
  retain(shared);
  Link* first = make_link(shared, &destroyed);
  Link* second = make_link(shared, &destroyed);
  release(first);
  EXPECT_EQ(destroyed, 1);
  release(second);
  EXPECT_EQ(destroyed, 3);
}

}  // namespace
}  // namespace feral
