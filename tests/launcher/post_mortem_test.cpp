#include "launcher/post_mortem.hpp"

#include <gtest/gtest.h>

#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::has;
using support::lines_of;

Casualty casualty(int number) {
  Casualty result;
  result.seconds = number;
  result.who = "worker " + std::to_string(number);
  result.pid = 4000 + number;
  result.how = "killed by SIGSEGV";
  return result;
}

TEST(PostMortem, WithoutDeathsSaysNothing) {
  EXPECT_TRUE(PostMortem().empty());
  EXPECT_EQ(PostMortem().text(), "");
}

TEST(PostMortem, ALineNamesWhatIsKnown) {
  Casualty dead = casualty(1);
  EXPECT_EQ(dead.line(), "worker 1 (pid 4001) killed by SIGSEGV");
  dead.batch = "batch 17";
  dead.last_op = "matmul";
  EXPECT_EQ(dead.line(), "worker 1 (pid 4001, batch 17, last op 'matmul') killed by SIGSEGV");
  dead.oom_kills = 2;
  EXPECT_TRUE(has(dead.line(), {"out of memory"}));
}

TEST(PostMortem, TellsStackStateAndOutputBelowTheLine) {
  Casualty dead = casualty(1);
  dead.seconds = 1.5;
  dead.state = "stopped (state T)";
  dead.oom_kills = 1;
  dead.stack = {"step()", "main"};
  dead.output = {"loading", "oh"};
  PostMortem book;
  book.add(dead);
  EXPECT_EQ(book.text(),
            "post-mortem: 1 death, the first one first\n"
            "1.500 s: worker 1 (pid 4001) killed by SIGSEGV (out of memory: the limit of its cgroup)\n"
            "    it was stopped (state T)\n"
            "    the kernel killed 1 process of the cgroup for want of memory\n"
            "    where it stood:\n"
            "      step()\n"
            "      main\n"
            "    the last that it said:\n"
            "      loading\n"
            "      oh\n");
}

TEST(PostMortem, KeepsTheFirstAndTheLastOfMany) {
  PostMortem book;
  for (int i = 1; i <= 8; ++i) book.add(casualty(i));
  EXPECT_EQ(lines_of(book.text()).size(), 9U);
  for (int i = 9; i <= 1000; ++i) book.add(casualty(i));
  const std::vector<std::string> lines = lines_of(book.text());
  ASSERT_EQ(lines.size(), 10U);
  EXPECT_EQ(lines[0], "post-mortem: 1000 deaths, the first one first");
  EXPECT_TRUE(has(lines[1], {"worker 1 "}));
  EXPECT_TRUE(has(lines[4], {"worker 4 "}));
  EXPECT_EQ(lines[5], "… 992 more …");
  EXPECT_TRUE(has(lines[6], {"worker 997 "}));
  EXPECT_TRUE(has(lines[9], {"worker 1000 "}));
}

}  // namespace
}  // namespace feral
