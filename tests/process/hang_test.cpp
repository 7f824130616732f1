// Children that hang, and what is told of those that died.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::lines_of;
using support::Program;

class Hanging : public support::JobTest {
 protected:
  // The wayward job in that mode ends well though one process hangs; what it said.
  std::string survives(const std::string& name, const std::string& timeout = "0.5",
                       std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--hang-timeout", timeout, "--report", path("report.json"), "--epochs", "3"});
    Program program(support::wayward_job, more, mode(name));
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(3, 1000));
    EXPECT_TRUE(program.processes().empty());
    return program.output();
  }
};

TEST_F(Hanging, AWorkerIsNamedWithItsBatchAndOpAndReplaced) {
  const std::string said = survives("step hangs once");
  EXPECT_TRUE(has(said, {"worker ", "batch ", "last op 'exp'", "hung: no progress for 0.", "state S",
                         "--hang-timeout", "; replacing it"}));
  EXPECT_EQ(report().at("worker_restarts"), 1);
  EXPECT_EQ(report().at("batches_redone"), 1);
}

TEST_F(Hanging, ALoaderIsReplacedAndItsBatchLoadedAgain) {
  EXPECT_TRUE(has(survives("data hangs once"), {"loader 0 (pid ", "batch ", "hung: ", "; replacing it"}));
  EXPECT_GE(report().at("loader_restarts"), 1);
}

TEST_F(Hanging, TheEvaluatorIsReplacedAndTheAccuracyStillMeasured) {
  EXPECT_TRUE(has(survives("metric hangs once"), {"evaluator (pid ", "test batch 0", "hung: ", "; replacing it"}));
  EXPECT_EQ(report().at("test_accuracy"), 1.0);
}

TEST_F(Hanging, AWorkerThatHoldsTheLockOfTheUpdatesIsReplacedAndThoseThatWaitForItAreNot) {
  survives("update hangs once", "1", {"--policy", "locked", "--workers", "3"});
  EXPECT_EQ(report().at("worker_restarts"), 1);
  EXPECT_EQ(report().at("batches_redone"), 1);
}

TEST_F(Hanging, WhatIsStoppedIsDescribedByTheKernelAndReplaced) {
  Program program(support::feral_program, digits({"--epochs", "60", "--hang-timeout", "0.5", "--workers", "1",
                                                  "--report", path("report.json")}));
  ASSERT_TRUE(trains(program));
  for (const char* name : {"feral-worker-0", "feral-loader-0", "feral-eval"}) {
    const pid_t pid = program.find(name);
    ASSERT_GT(pid, 0) << name;
    ::kill(pid, SIGSTOP);
  }
  EXPECT_EQ(program.exit_code(), 0) << program.output() << program.errors();
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(60, 10'000));
  EXPECT_GE(report().at("worker_restarts"), 1);
  EXPECT_GE(report().at("loader_restarts"), 1);
  for (const char* who : {"worker 0 (pid ", "loader 0 (pid ", "evaluator (pid "}) {
    EXPECT_TRUE(std::ranges::any_of(lines_of(program.output()),
                                    [&](const std::string& line) {
                                      return line.starts_with(who) &&
                                             line.find("it is stopped (state T") != std::string::npos;
                                    }))
        << who << ": " << program.output();
  }
}

TEST_F(Hanging, AModelThatNeverComesIsGivenUpWithItsStack) {
  Program program(support::wayward_job, {"--hang-timeout", "0.5"}, mode("model never comes"));
  expect_failed(program, 1, {"evaluator hung: no progress for 2.5 s since it was started", "built the model"});
  EXPECT_TRUE(has(program.errors(), {"where it stood:", "pause", "make_model", "main"}));
}

TEST_F(Hanging, TheMostIsToldOfTheFirstDeath) {
  Program program(support::wayward_job, {"--max-restarts", "1", "--workers", "1", "--report", path("report.json")},
                  mode("step says and segfaults"));
  expect_failed(program, 1, {"gave up: worker 0", "batch 0", "SIGSEGV", "after 1 restarts"});
  const std::vector<std::string> lines = lines_of(program.errors());
  EXPECT_EQ(lines[0], "post-mortem: 2 deaths, the first one first");
  EXPECT_TRUE(has(lines[1], {" s: worker 0 (pid ", "batch 0", "last op '", "killed by SIGSEGV"}));
  EXPECT_TRUE(has(program.errors(), {"where it stood:", "segfault()", "step(feral::StepContext&)", "main"}));
  // Fifty lines of sixty, of each of the two.
  EXPECT_EQ(std::ranges::count_if(lines, [](const auto& line) { return line.starts_with("      word "); }), 100);
  EXPECT_FALSE(has(program.errors(), {"word 9\n"}));
  EXPECT_TRUE(has(program.errors(), {"word 10\n", "word 59\n"}));
}

}  // namespace
}  // namespace feral
