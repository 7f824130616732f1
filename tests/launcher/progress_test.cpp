#include "launcher/progress.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "tests/support/forked.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

ProgressState state() {
  return {.epoch = 2,
          .epochs = 10,
          .steps = 1234,
          .total_steps = 9'380,
          .samples_per_second = 123'456.7,
          .loss = 0.12345,
          .seconds_left = 61.4,
          .paused = false};
}

TEST(Progress, NumbersHaveThousands) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(60'000), "60,000");
  EXPECT_EQ(with_thousands(1'234'567), "1,234,567");
  EXPECT_EQ(with_thousands(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Progress, ALineSaysWhereTheRunStands) {
  EXPECT_EQ(to_line(state()), "epoch 2/10  step 1,234/9,380  123,456 samples/s  loss 0.1235  1:01 left");
}

TEST(Progress, ALineOfAPausedRunSaysSo) {
  ProgressState s = state();
  s.paused = true;
  EXPECT_EQ(to_line(s), "epoch 2/10  step 1,234/9,380  paused");
}

TEST(Progress, TheTimeLeftMayBeLongOrUnknown) {
  ProgressState s = state();
  s.seconds_left = 59.9;
  EXPECT_TRUE(support::has(to_line(s), {" 1:00 left"}));
  s.seconds_left = 7260;
  EXPECT_TRUE(support::has(to_line(s), {" 121:00 left"}));
  for (const double unknown : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    s.seconds_left = unknown;
    EXPECT_TRUE(support::has(to_line(s), {" ? left"}));
  }
}

TEST(Progress, ElsewhereThanOnATerminalItIsPlainLines) {
  testing::internal::CaptureStdout();
  Progress progress;
  progress.print("one");
  progress.clear();
  progress.print("two");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "one\ntwo\n");
}

// What a progress shows on a terminal of the given width until a line and a live line have come.
std::string shown_on_terminal(unsigned short columns) {
  int terminal = -1;
  int program = -1;
  winsize size{.ws_row = 20, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (::openpty(&terminal, &program, nullptr, nullptr, &size) != 0) return "openpty failed";
  const shm::Fd terminal_end(terminal);
  const shm::Fd program_end(program);
  support::Forked process([&] {
    ::dup2(program, STDOUT_FILENO);
    Progress progress;
    for (;;) {
      progress.update(state());
      ::poll(nullptr, 0, 1);
    }
    return 0;
  });
  std::string shown;
  support::eventually([&] {
    char buffer[256];
    pollfd ready{.fd = terminal, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 10) == 1) {
      const ssize_t count = ::read(terminal, buffer, sizeof buffer);
      if (count > 0) shown.append(buffer, static_cast<std::size_t>(count));
    }
    return std::ranges::count(shown, '\r') >= 2;
  });
  return shown;
}

TEST(Progress, OnATerminalItIsOneLineThatIsWrittenAnew) {
  const std::string shown = shown_on_terminal(100);
  EXPECT_EQ(shown.find('\n'), std::string::npos) << shown;
  EXPECT_TRUE(shown.starts_with("\r\x1b[Kepoch 2/10")) << shown;
  EXPECT_TRUE(support::has(shown, {"1:01 left\r\x1b[K"}));
}

TEST(Progress, OnANarrowTerminalTheLineIsCut) {
  const std::string shown = shown_on_terminal(20);
  EXPECT_TRUE(shown.starts_with("\r\x1b[Kepoch 2/10  step 1,\r")) << shown;
}

}  // namespace
}  // namespace feral
