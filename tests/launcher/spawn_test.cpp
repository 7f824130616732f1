#include "launcher/spawn.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "shm/memfd.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/processes.hpp"

extern char** environ;

namespace feral {
namespace {

using support::has;

// This program is started again as the child; there only this test runs. It says who it is and waits for its end.
TEST(SpawnedChildSide, DISABLED_SaysWhoItIsAndWaits) {
  ASSERT_TRUE(child_identity());
  sigset_t blocked;
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  std::printf("\nidentity: %s\n", encode(*child_identity()).c_str());
  std::printf("role variable: %s\n", std::getenv(role_variable) == nullptr ? "removed" : "still there");
  std::printf("group: %s\n", ::getpgrp() == ::getpid() ? "own" : "inherited");
  std::printf("blocked: %s\n", ::sigismember(&blocked, SIGTERM) == 1 ? "SIGTERM" : "nothing");
  struct sigaction action {};
  ::sigaction(SIGPIPE, nullptr, &action);
  std::printf("SIGPIPE: %s\n", action.sa_handler == SIG_DFL ? "default" : "changed");
  for (char** entry = environ; *entry != nullptr; ++entry) std::printf("variable: %s\n", *entry);
  std::printf("ready\n");
  std::fflush(stdout);
  char byte = 0;
  ::recv(control_descriptor, &byte, 1, 0);
}

const std::vector<std::string>& child_arguments() {
  static const std::vector<std::string> arguments = {"launcher_tests", "--gtest_also_run_disabled_tests",
                                                     "--gtest_filter=SpawnedChildSide.*"};
  return arguments;
}

std::string read_until_ready(int output) {
  std::string text;
  support::eventually([&] {
    char buffer[4096];
    pollfd ready{.fd = output, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 10) != 1) return false;
    const ssize_t count = ::read(output, buffer, sizeof buffer);
    if (count <= 0) return true;
    text.append(buffer, static_cast<std::size_t>(count));
    return text.find("\nready\n") != std::string::npos;
  });
  return text;
}

class Spawn : public testing::Test {
 protected:
  Spawn() : memfd_(shm::create_memfd("feral-spawn-test")) {}

  void start(const ChildIdentity& identity) {
    child_ = spawn_child(identity, memfd_.get(), child_arguments(), child_environment(false));
    said_ = read_until_ready(child_.output.get());
  }
  ~Spawn() override {
    if (child_.pid <= 0) return;
    ::kill(child_.pid, SIGKILL);
    ::waitpid(child_.pid, nullptr, 0);
  }

  shm::Fd memfd_;
  SpawnedChild child_;
  std::string said_;
};

TEST_F(Spawn, TheChildKnowsWhoItIsAndItsOwnChildrenWillNot) {
  start({.role = Role::loader, .owner = {7, 3}, .core = -1});
  EXPECT_TRUE(has(said_, {"identity: loader 7 3 -1\n", "role variable: removed\n", "group: own\n"}));
  EXPECT_TRUE(has(support::content_of("/proc/" + std::to_string(child_.pid) + "/cmdline"), {"feral-loader-7"}));
}

TEST_F(Spawn, TheChildHasFiveDescriptorsWhateverTheLauncherHasOpen) {
  const shm::Fd inheritable(::open("/dev/zero", O_RDONLY));  // a user's own, without close-on-exec
  const shm::Fd high(::fcntl(inheritable.get(), F_DUPFD, 200));
  start({.role = Role::worker, .owner = {}});
  const std::vector<std::string> descriptors = support::descriptors_of(child_.pid);
  ASSERT_EQ(descriptors.size(), 5U) << testing::PrintToString(descriptors);
  EXPECT_EQ(descriptors[0], "0 /dev/null");
  EXPECT_TRUE(descriptors[1].starts_with("1 pipe:"));
  EXPECT_TRUE(descriptors[2].starts_with("2 pipe:"));
  EXPECT_TRUE(descriptors[3].starts_with("3 socket:"));
  EXPECT_TRUE(has(descriptors[4], {"4 /memfd:feral-spawn-test"}));
}

TEST_F(Spawn, TheChildStartsWithoutBlockedOrIgnoredSignals) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  start({.role = Role::worker, .owner = {}});
  std::signal(SIGPIPE, old);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_TRUE(has(said_, {"blocked: nothing\n", "SIGPIPE: default\n"}));
}

TEST_F(Spawn, ThePidfdTellsOfTheEnd) {
  start({.role = Role::worker, .owner = {}});
  pollfd end{.fd = child_.pidfd.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&end, 1, 0), 0);
  ::kill(child_.pid, SIGKILL);
  EXPECT_EQ(::poll(&end, 1, 10'000), 1);
}

// The launcher may have been started with some of its standard descriptors closed, so that the arena got one of
// them or one of those that children are handed.
TEST(SpawnFromLowDescriptors, TheChildStillGetsTheArena) {
  for (const int number : {0, 1, 2, 3, 4, 5}) {
    support::Forked launcher([number] {
      const int memfd = shm::create_memfd("feral-spawn-test").release();
      if (memfd != number) {
        if (::dup2(memfd, number) < 0) return 1;
        ::close(memfd);
      }
      const SpawnedChild child =
          spawn_child({.role = Role::worker, .owner = {}}, number, child_arguments(), child_environment(false));
      read_until_ready(child.output.get());
      const std::vector<std::string> descriptors = support::descriptors_of(child.pid);
      ::kill(child.pid, SIGKILL);
      ::waitpid(child.pid, nullptr, 0);
      if (descriptors.size() != 5) return 2;
      if (!descriptors[3].starts_with("3 socket:")) return 3;
      return descriptors[4].starts_with("4 /memfd:feral-spawn-test") ? 0 : 4;
    });
    EXPECT_EQ(launcher.wait(), 0) << "memfd " << number;
  }
}

class BlasEnvironment : public testing::Test {
 protected:
  BlasEnvironment() {
    ::setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    ::setenv("OPENBLAS_NUM_THREADS", "7", 1);
    ::setenv("FERAL_TEST_KEPT", "yes", 1);
  }
  ~BlasEnvironment() override {
    for (const char* name : {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "FERAL_TEST_KEPT"}) ::unsetenv(name);
  }
  static std::size_t count(const std::vector<std::string>& environment, const std::string& setting) {
    return static_cast<std::size_t>(std::ranges::count(environment, setting));
  }
};

TEST_F(BlasEnvironment, IsCleanedForChildren) {
  const std::vector<std::string> environment = child_environment(false);
  EXPECT_EQ(count(environment, "FERAL_TEST_KEPT=yes"), 1U);
  EXPECT_EQ(count(environment, "OPENBLAS_NUM_THREADS=1"), 1U);
  EXPECT_EQ(std::ranges::count_if(environment, [](const auto& e) { return e.starts_with("OPENBLAS_"); }), 1);
}

TEST_F(BlasEnvironment, IsKeptWhenAskedFor) {
  const std::vector<std::string> environment = child_environment(true);
  EXPECT_EQ(count(environment, "OPENBLAS_CORETYPE=Haswell"), 1U);
  EXPECT_EQ(count(environment, "OPENBLAS_NUM_THREADS=7"), 1U);
  EXPECT_EQ(count(environment, "OPENBLAS_NUM_THREADS=1"), 0U);
}

TEST_F(BlasEnvironment, WhatIsDroppedCanBeSaid) {
  const std::vector<std::string> dropped = dropped_blas_settings(false);
  EXPECT_EQ(count(dropped, "OPENBLAS_CORETYPE=Haswell"), 1U);
  EXPECT_EQ(count(dropped, "OPENBLAS_NUM_THREADS=7"), 1U);
  EXPECT_TRUE(dropped_blas_settings(true).empty());
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  EXPECT_EQ(count(dropped_blas_settings(false), "OPENBLAS_NUM_THREADS=1"), 0U)
      << "that is what children get anyway";
}

}  // namespace
}  // namespace feral
