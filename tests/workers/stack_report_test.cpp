#include "workers/stack_report.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "tests/support/forked.hpp"
#include "tests/support/messages.hpp"
#include "workers/child.hpp"
#include "workers/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FERAL_TEST_OWN_HANDLERS 1  // the sanitizers have their own, and stacks of their own
#endif

#ifdef FERAL_TEST_OWN_HANDLERS

__attribute__((noinline)) void stand_here_for_ever(int ready) {
  const char byte = 0;
  if (::write(ready, &byte, 1) != 1) ::_exit(9);
  for (;;) ::pause();
}

__attribute__((noinline)) int fall_over(volatile int* nowhere) { return *nowhere + 1; }

__attribute__((noinline)) int dig(int depth) {
  volatile char room[4096] = {};
  room[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : dig(depth + 1) + room[0];
}

// A process that reports its stack to this one.
class Reporter {
 public:
  template <class Action>
  explicit Reporter(Action action)
      : ends_(sockets()), process_([&] {
          ::dup2(ends_[1], control_descriptor);
          install_stack_reports();
          return action();
        }) {}
  ~Reporter() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  support::Forked& process() { return process_; }

  StackReport report() {
    std::vector<char> buffer(max_message_bytes);
    pollfd ready{.fd = ends_[0], .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 10'000) != 1) throw std::runtime_error("no report");
    const ssize_t bytes = ::recv(ends_[0], buffer.data(), buffer.size(), 0);
    packet.assign(buffer.data(), static_cast<std::size_t>(bytes));
    return std::get<StackReport>(decode_message(packet));
  }
  std::string packet;

 private:
  static std::array<int, 2> sockets() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) != 0) throw std::runtime_error("socketpair failed");
    for (int& end : ends) {  // above the descriptor that the child takes for its launcher
      const int copy = ::fcntl(end, F_DUPFD, 20);
      ::close(std::exchange(end, copy));
    }
    return ends;
  }

  std::array<int, 2> ends_;
  support::Forked process_;
};

std::vector<std::string> names_of(const StackReport& report) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < report.frames.size(); ++i) names.push_back(describe(report.frames[i], i > 0));
  return names;
}

bool stands_in(const StackReport& report, const std::string& function) {
  return std::ranges::any_of(names_of(report),
                             [&](const auto& name) { return name.find(function) != std::string::npos; });
}

TEST(StackReport, OfAProcessThatIsAskedNamesWhereItStands) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  Reporter reporter([&] {
    stand_here_for_ever(ready[1]);
    return 0;
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(reporter.process().pid(), stack_signal());
  const StackReport report = reporter.report();
  EXPECT_EQ(report.signal, stack_signal());
  EXPECT_TRUE(stands_in(report, "stand_here_for_ever")) << testing::PrintToString(names_of(report));
  EXPECT_FALSE(stands_in(report, "send_stack")) << "the handler's own frames are left out";
  // It goes on, and answers again.
  ::kill(reporter.process().pid(), stack_signal());
  EXPECT_TRUE(stands_in(reporter.report(), "stand_here_for_ever"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(StackReport, OfACrashComesBeforeTheProcessDiesOfItsSignal) {
  Reporter reporter([] { return fall_over(nullptr); });
  const StackReport report = reporter.report();
  EXPECT_EQ(report.signal, SIGSEGV);
  EXPECT_TRUE(stands_in(report, "fall_over")) << testing::PrintToString(names_of(report));
  EXPECT_EQ(reporter.process().wait(), -1);
}

TEST(StackReport, OfAnAbortAndOfASentSignalToo) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE}) {
    Reporter reporter([&] {
      ::raise(signal);
      return 0;
    });
    EXPECT_EQ(reporter.report().signal, signal);
    EXPECT_EQ(reporter.process().wait(), -1) << "the signal still ends it";
  }
}

TEST(StackReport, OfAStackThatOverflows) {
  Reporter reporter([] { return dig(1); });
  const StackReport report = reporter.report();
  EXPECT_EQ(report.signal, SIGSEGV);
  EXPECT_TRUE(stands_in(report, "dig"));
  EXPECT_EQ(reporter.process().wait(), -1);
}

TEST(StackReport, PacketsThatCannotBeAreRefused) {
  Reporter reporter([] { return fall_over(nullptr); });
  reporter.report();
  const std::string good = reporter.packet;
  ASSERT_TRUE(decode_stack_report(good));
  EXPECT_TRUE(has(error_of([&] { decode_stack_report(good.substr(0, good.size() - 1)); }), {"bytes"}));
  EXPECT_TRUE(has(error_of([&] { decode_stack_report(good + "x"); }), {"bytes"}));
  EXPECT_TRUE(has(error_of([&] { decode_stack_report(good.substr(0, 8)); }), {"8 bytes"}));
  const auto with = [&](std::size_t at, std::uint32_t value) {
    std::string bad = good;
    std::memcpy(bad.data() + at, &value, sizeof value);
    return bad;
  };
  EXPECT_TRUE(has(error_of([&] { decode_stack_report(with(12, 65)); }), {"65 frames"}));
  EXPECT_TRUE(has(error_of([&] { decode_stack_report(with(16, 0xffff'ffff)); }), {"modules"}));
  // Whatever else stands there, it is read within its bounds and described without being followed.
  for (std::size_t at = 24; at + 4 <= good.size(); at += 4) {
    const auto report = decode_stack_report(with(at, 0x4141'4141));
    ASSERT_TRUE(report);
    if (at < 24 + 64) {
      EXPECT_FALSE(describe(report->frames[0], false).empty());
    }
  }
}

#endif

TEST(StackReport, OtherMessagesAreNone) {
  EXPECT_FALSE(decode_stack_report(""));
  EXPECT_FALSE(decode_stack_report("{\"kind\": \"failed\"}"));
}

TEST(StackReport, AFrameOfNoModuleIsItsAddress) {
  EXPECT_EQ(describe({.module = {}, .offset = 0x1234, .known = false}, false), "0x1234");
  EXPECT_EQ(describe({.module = "/lib/nowhere.so", .offset = 0x1234}, false), "nowhere.so+0x1234");
  EXPECT_EQ(describe({.module = {}, .offset = ~0ULL}, false), "the program+0xffffffffffffffff");
}

}  // namespace
}  // namespace feral
