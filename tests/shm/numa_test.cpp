#include "shm/numa.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "shm/memfd.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::shm {
namespace {

class NumaNodes : public testing::Test {
 protected:
  void node(const std::string& name, const std::string& cores) const {
    std::filesystem::create_directories(folder_.path() / name);
    std::ofstream(folder_.path() / name / "cpulist") << cores << "\n";
  }
  std::vector<NumaNode> read() const { return numa_nodes(folder_.path()); }

 private:
  support::TemporaryFolder folder_;
};

TEST_F(NumaNodes, AreReadInTheirOrderAsListsOfCores) {
  node("node10", "7");
  node("node2", "4-5,6");
  node("node0", "0-3,8-9");
  const std::vector<NumaNode> nodes = read();
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(nodes[0].number, 0);
  EXPECT_EQ(nodes[0].cores, (std::vector<int>{0, 1, 2, 3, 8, 9}));
  EXPECT_EQ(nodes[1].number, 2);
  EXPECT_EQ(nodes[1].cores, (std::vector<int>{4, 5, 6}));
  EXPECT_EQ(nodes[2].number, 10);
}

TEST_F(NumaNodes, WithoutCoresOrOfAnotherNameAreLeftOut) {
  node("node0", "0-1");
  node("node1", "");
  node("nodes", "2");
  node("power", "3");
  EXPECT_EQ(read().size(), 1U);
}

TEST_F(NumaNodes, AreOneWhereTheKernelDoesNotSay) {
  ASSERT_EQ(read().size(), 1U);
  EXPECT_TRUE(read()[0].cores.empty());
  EXPECT_EQ(numa_nodes("/nowhere").size(), 1U);
}

TEST_F(NumaNodes, DamagedListsEndInNothing) {
  node("node0", "0-99999999999999999999");
  node("node1", "3-999999999");
  EXPECT_EQ(read().size(), 1U) << "none with cores";
}

TEST(BindToNode, LeavesTheMemoryUsable) {
  const Fd memfd = create_memfd("feral-test");
  set_size_and_seal(memfd.get(), 1 << 16);
  bind_to_node(memfd.get(), 100, 40'000, 0);  // allowed or not
  reserve_pages(memfd.get(), 1 << 16);
  EXPECT_FALSE(bind_to_node(memfd.get(), 100, 2000, 0)) << "no whole page";
  EXPECT_FALSE(bind_to_node(memfd.get(), 0, 1 << 16, -1));
}

}  // namespace
}  // namespace feral::shm
