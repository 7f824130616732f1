// Gradients that are no numbers: left out, counted, named; too many of them end the run.
#include <gtest/gtest.h>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class Nonfinite : public support::JobTest {
 protected:
  std::unique_ptr<Program> job(const std::string& name, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--report", path("report.json"), "--lr", "0.5"});
    return std::make_unique<Program>(support::wayward_job, more, mode(name));
  }
};

TEST_F(Nonfinite, AStepIsLeftOutCountedAndItsWorkerNamed) {
  const auto program = job("loss is nan at times");
  ASSERT_EQ(program->exit_code(), 0) << program->output() << program->errors();
  EXPECT_TRUE(has(program->output(), {"worker ", "the gradient of only.weight at batch ", "the step was left out",
                                      "steps left out as their gradients were not all numbers: 3"}));
  EXPECT_EQ(program->output().find("nan,"), std::string::npos) << "the mean loss is of the other batches";
  EXPECT_EQ(report().at("updates_dropped_nonfinite"), 3) << "once an epoch";
  EXPECT_EQ(report().at("updates_dropped_nonfinite_per_worker")[0].get<int>() +
                report().at("updates_dropped_nonfinite_per_worker")[1].get<int>(),
            3);
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(3, 1000));
  EXPECT_EQ(report().at("test_accuracy"), 1.0);
}

TEST_F(Nonfinite, TooManyInARowEndTheRunWithTheReason) {
  expect_failed(*job("loss is nan", {"--nonfinite-limit", "7"}), 1,
                {"worker ", "the gradient of only.weight", "7 steps in a row", "--nonfinite-limit", "lower --lr"});
}

TEST_F(Nonfinite, OneIsEnoughWhereItIsToStop) {
  expect_failed(*job("loss is nan at times", {"--on-nonfinite", "stop"}), 1,
                {"worker ", "the gradient of only.weight", "at batch ", "(epoch 1)", "--on-nonfinite stop"});
}

TEST_F(Nonfinite, WithoutALimitAllStepsAreLeftOut) {
  const auto program = job("loss is nan", {"--nonfinite-limit", "0"});
  ASSERT_EQ(program->exit_code(), 0) << program->errors();
  EXPECT_EQ(report().at("updates_dropped_nonfinite"), 300);
  EXPECT_EQ(report().at("staleness").at("max"), 0) << "no update was made";
}

TEST_F(Nonfinite, StalenessIsReportedForEachWorker) {
  const auto program = job("", {"--staleness-scale", "--workers", "3"});
  ASSERT_EQ(program->exit_code(), 0) << program->errors();
  EXPECT_EQ(report().at("staleness_per_worker").size(), 3U);
  EXPECT_GE(report().at("staleness").at("max"), report().at("staleness").at("p99"));
  EXPECT_EQ(report().at("test_accuracy"), 1.0);
}

}  // namespace
}  // namespace feral
