#include "launcher/process_state.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/support/forked.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral {
namespace {

namespace fs = std::filesystem;

TEST(ProcessState, OfOneThatSleepsAndIsStoppedAndIsGone) {
  support::Forked process([] {
    for (;;) ::pause();
    return 0;
  });
  const auto state = [&] { return process_state(process.pid()); };
  EXPECT_TRUE(support::eventually([&] { return state().state == 'S'; }));
  EXPECT_TRUE(state().can_answer());
  EXPECT_FALSE(state().stopped());
  EXPECT_FALSE(is_stopped(process.pid()));
  ::kill(process.pid(), SIGSTOP);
  EXPECT_TRUE(support::eventually([&] { return state().stopped(); }));
  EXPECT_FALSE(state().can_answer());
  EXPECT_TRUE(is_stopped(process.pid()));
  EXPECT_TRUE(support::has(state().to_string(), {"stopped (state T"}));
  const pid_t pid = process.pid();
  process.kill();
  EXPECT_EQ(process_state(pid).state, '?');
  EXPECT_EQ(process_state(pid).to_string(), "gone (state ?)");
}

TEST(ProcessState, TellsWhereTheKernelKeepsIt) {
  const support::TemporaryFolder proc;
  fs::create_directories(proc.path() / "7");
  std::ofstream(proc.path() / "7" / "stat") << "7 (a) T (b) D 1 7 7 0\n";
  EXPECT_EQ(process_state(7, proc.path()).to_string(), "in an uninterruptible system call (state D)");
  std::ofstream(proc.path() / "7" / "wchan") << "nfs_wait";
  std::ofstream(proc.path() / "7" / "syscall") << "0 0x3 0x0\n";
  EXPECT_EQ(process_state(7, proc.path()).to_string(),
            "in an uninterruptible system call (state D, in nfs_wait, system call 0)");
  std::ofstream(proc.path() / "7" / "wchan") << "0";
  std::ofstream(proc.path() / "7" / "syscall") << "running\n";
  EXPECT_EQ(process_state(7, proc.path()).to_string(), "in an uninterruptible system call (state D)");
}

}  // namespace
}  // namespace feral
