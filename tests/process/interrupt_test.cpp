// Signals to the launcher.
#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::gone_within;
using support::has;
using support::Program;

class Interrupt : public support::JobTest {
 protected:
  // The job ends by that signal within the time, with one line about what was kept, and leaves nobody.
  static void expect_interrupted(Program& program, int signal, const std::string& says,
                                 std::chrono::milliseconds limit = gone_within) {
    EXPECT_EQ(program.exit_code(limit), 128 + signal) << program.output() << program.errors();
    EXPECT_TRUE(program.processes().empty());
    EXPECT_EQ(program.errors(), "");
    const std::vector<std::string> lines = support::lines_of(program.output());
    ASSERT_FALSE(lines.empty());
    EXPECT_TRUE(has(lines.back(), {says, "kept"}));
    EXPECT_EQ(std::ranges::count_if(lines, [](const auto& line) { return line.find("kept") != std::string::npos; }),
              1);
  }

  // Waits until the program has seen a signal that was sent to it.
  static void wait_until_taken(const Program& program, int signal) {
    EXPECT_TRUE(support::eventually([&] {
      std::istringstream status(support::content_of("/proc/" + std::to_string(program.pid()) + "/status"));
      std::string word;
      while (status >> word && word != "ShdPnd:") {
      }
      unsigned long long pending = 0;
      status >> std::hex >> pending;
      return status && (pending >> (signal - 1) & 1U) == 0;
    }));
  }
};

class InterruptBy : public Interrupt, public testing::WithParamInterface<int> {};

TEST_P(InterruptBy, EndsARunningJob) {
  Program program(support::feral_program, digits({"--epochs", support::endless, "--report", path("report.json")}));
  ASSERT_TRUE(trains(program));
  program.signal(GetParam());
  expect_interrupted(program, GetParam(), "stopped in epoch ");
  EXPECT_FALSE(std::filesystem::exists(path("report.json")));
}

TEST_P(InterruptBy, EndsAJobWhoseEvaluatorStillBuilds) {
  Program program(support::wayward_job, {}, mode("model never comes"));
  ASSERT_GT(program.wait_for("feral-eval"), 0);
  program.signal(GetParam());
  expect_interrupted(program, GetParam(), "stopped before training");
}

TEST_P(InterruptBy, EndsAJobWhoseWorkersDoNotAnswerWhenTheGraceIsOver) {
  Program program(support::wayward_job, {"--grace", "0.5"}, mode("step hangs"));
  ASSERT_GT(program.wait_for("feral-worker-1"), 0);
  program.signal(GetParam());
  expect_interrupted(program, GetParam(), "stopped in epoch 1 after 0 steps");
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptBy, testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& instance) { return std::string(::sigabbrev_np(instance.param)); });

TEST_F(Interrupt, ASecondOneEndsAJobAtOnce) {
  Program program(support::wayward_job, {}, mode("step hangs"));
  ASSERT_GT(program.wait_for("feral-worker-1"), 0);
  program.signal(SIGINT);
  wait_until_taken(program, SIGINT);
  program.signal(SIGINT);
  // A worker that hangs has five seconds to end after the first one.
  expect_interrupted(program, SIGINT, "stopped in epoch 1", std::chrono::milliseconds(700));
}

TEST_F(Interrupt, EndsAJobWithStoppedChildren) {
  Program program(support::feral_program, digits({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  for (const char* name : {"feral-worker-0", "feral-loader-0", "feral-eval"}) {
    const pid_t pid = program.find(name);
    ASSERT_GT(pid, 0) << name;
    ::kill(pid, SIGSTOP);
    ASSERT_TRUE(support::eventually([&] { return support::process_info(pid).state == 'T'; }));
  }
  program.signal(SIGTERM);
  expect_interrupted(program, SIGTERM, "stopped in epoch ");
}

TEST_F(Interrupt, EndsAJobWhoseEvaluatorWasStoppedBeforeTraining) {
  Program program(support::wayward_job, {}, mode("model never comes"));
  const pid_t evaluator = program.wait_for("feral-eval");
  ASSERT_GT(evaluator, 0);
  ::kill(evaluator, SIGSTOP);
  ASSERT_TRUE(support::eventually([&] { return support::process_info(evaluator).state == 'T'; }));
  program.signal(SIGINT);
  expect_interrupted(program, SIGINT, "stopped before training");
}

TEST_F(Interrupt, EndsAJobWhoseWorkersSayMoreThanCanBeShown) {
  Program program(support::wayward_job, {"--grace", "0.5"}, mode("step floods"));
  ASSERT_TRUE(support::eventually([&] { return program.output().find("so much to say") != std::string::npos; }));
  program.signal(SIGINT);
  EXPECT_EQ(program.exit_code(gone_within), 130);
  EXPECT_TRUE(program.processes().empty());
}

TEST_F(Interrupt, OfAJobThatWaitsToReplaceAProcessEndsItToo) {
  Program program(support::wayward_job, {"--max-restarts", "1000"}, mode("step segfaults"));
  ASSERT_TRUE(support::eventually([&] { return program.output().find("replacing it") != std::string::npos; }));
  program.signal(SIGTERM);
  expect_interrupted(program, SIGTERM, "stopped in epoch 1 after 0 steps");
}

}  // namespace
}  // namespace feral
