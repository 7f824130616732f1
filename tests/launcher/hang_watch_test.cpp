#include "launcher/hang_watch.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace feral {
namespace {

using std::chrono::milliseconds;

constexpr pid_t a = 11;
constexpr pid_t b = 12;

// Processes that are looked at every 100 ms of an imagined time.
class Watching : public testing::Test {
 protected:
  ProcessBeats& of(pid_t pid) {
    for (ProcessBeats& process : processes) {
      if (process.pid == pid) return process;
    }
    return processes.emplace_back(ProcessBeats{.pid = pid, .beats = 1});
  }
  // The pid of who is told to hang at the next look; 0 for nobody.
  pid_t look(milliseconds later = milliseconds(100)) {
    now += later;
    last = watch.look(processes, now);
    return last ? last->pid : 0;
  }
  // How many looks it takes until somebody hangs; -1 when nobody does in 1000.
  int looks_until(pid_t pid) {
    for (int looks = 1; looks <= 1000; ++looks) {
      if (const pid_t told = look(); told != 0) return told == pid ? looks : -2;
    }
    return -1;
  }
  void is_gone(pid_t pid) {
    std::erase_if(processes, [&](const ProcessBeats& process) { return process.pid == pid; });
  }

  HangWatch watch{std::chrono::seconds(2)};
  HangWatch::Clock::time_point now{};
  std::vector<ProcessBeats> processes;
  std::optional<Hang> last;
};

TEST_F(Watching, OneThatBeatsDoesNotHang) {
  for (int i = 0; i < 1000; ++i) {
    ++of(a).beats;
    for (int quiet = 0; quiet < 19; ++quiet) ASSERT_EQ(look(), 0);
  }
}

TEST_F(Watching, OneThatIsSilentForTheTimeoutHangsAndIsToldOnce) {
  of(a);
  look();
  EXPECT_EQ(looks_until(a), 20);
  EXPECT_EQ(last->silence, milliseconds(2000));
  EXPECT_FALSE(last->starting);
  EXPECT_EQ(looks_until(a), -1);
}

TEST_F(Watching, WithATimeoutOfZeroNobodyHangs) {
  watch = HangWatch(milliseconds(0));
  of(a);
  EXPECT_EQ(looks_until(a), -1);
}

TEST_F(Watching, OneThatStartsUpHasFiveTimesAsLong) {
  of(a).beats = 0;
  look();
  EXPECT_EQ(looks_until(a), 100);
  EXPECT_TRUE(last->starting);
}

TEST_F(Watching, TheFirstBeatEndsTheStart) {
  of(a).beats = 0;
  for (int i = 0; i < 50; ++i) look();
  of(a).beats = 1;
  look();
  EXPECT_EQ(looks_until(a), 20);
}

TEST_F(Watching, OneThatWaitsHangsOnlyWhenItIsStopped) {
  of(a).waiting = true;
  EXPECT_EQ(looks_until(a), -1);
  of(a).stopped = true;
  EXPECT_EQ(look(), a);
}

TEST_F(Watching, OneThatWaitsAndLooksAgainNowAndThenDoesNotHangWhenItIsStoppedForAMoment) {
  of(a).waiting = true;
  for (int i = 0; i < 100; ++i) {
    ++of(a).beats;
    of(a).stopped = i % 2 == 0;
    ASSERT_EQ(look(), 0);
  }
}

TEST_F(Watching, TheLongestSilentIsToldAndTheOthersHaveAQuarterOfTheTimeoutAfterItsEnd) {
  of(a);
  for (int i = 0; i < 5; ++i) look();
  of(b);
  look();
  ASSERT_EQ(looks_until(a), 15);
  EXPECT_EQ(looks_until(b), -1) << "it may wait for the first one";
  is_gone(a);
  EXPECT_EQ(looks_until(b), 5);
}

TEST_F(Watching, OneThatWasOnlyWaitingForTheFirstIsSpared) {
  of(a);
  look();
  of(b);
  ASSERT_EQ(looks_until(a), 20);
  for (int i = 0; i < 10; ++i) look();
  is_gone(a);
  look();
  ++of(b).beats;
  look();
  EXPECT_EQ(looks_until(b), 20);
}

TEST_F(Watching, AReplacementStartsAfresh) {
  of(a);
  look();
  ASSERT_EQ(looks_until(a), 20);
  is_gone(a);
  of(b);
  look();
  EXPECT_EQ(looks_until(b), 20);
}

TEST_F(Watching, TimeInWhichTheLauncherDidNotLookCountsLittle) {
  of(a);
  look();
  EXPECT_EQ(look(std::chrono::hours(10)), 0) << "frozen together with the launcher";
  EXPECT_EQ(looks_until(a), 10);
}

}  // namespace
}  // namespace feral
