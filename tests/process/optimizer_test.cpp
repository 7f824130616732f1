// Whole jobs with other optimizers than the default, their state shared or not, locked or not.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class OptimizerOfJob : public support::JobTest {
 protected:
  nlohmann::json trained(std::vector<std::string> more) {
    more.insert(more.end(), {"--report", path("report.json")});
    Program program(support::feral_program, digits(more));
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    return report();
  }
};

TEST_F(OptimizerOfJob, AdamLearnsWithStateOfItsOwnAndShared) {
  for (const char* state : {"--keep-blas-env", "--shared-state"}) {  // the first one changes nothing here
    const nlohmann::json report = trained({"--optimizer", "adam", "--epochs", "5", state});
    EXPECT_GE(report.at("test_accuracy"), 0.93) << state;
    EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(5, 10'000));
  }
}

TEST_F(OptimizerOfJob, OneWorkerHasTheSameNumbersWithSharedStateAndUnderTheLock) {
  const std::vector<std::string> settings = {"--optimizer", "adam", "--epochs", "2", "--workers", "1"};
  const nlohmann::json own = trained(settings);
  for (const std::vector<std::string>& other :
       {std::vector<std::string>{"--shared-state"}, std::vector<std::string>{"--policy", "locked"},
        std::vector<std::string>{"--shared-momentum", "--policy", "locked"}}) {
    std::vector<std::string> more = settings;
    more.insert(more.end(), other.begin(), other.end());
    const nlohmann::json report = trained(more);
    EXPECT_EQ(report.at("test_loss"), own.at("test_loss")) << other.front();
    EXPECT_EQ(report.at("test_accuracy"), own.at("test_accuracy"));
  }
}

TEST_F(OptimizerOfJob, EveryRuleTrains) {
  for (const char* rule : {"adamw", "adamax", "nadam", "radam", "adagrad", "adadelta", "rmsprop", "asgd"}) {
    const nlohmann::json report = trained({"--optimizer", rule, "--epochs", "2", "--shared-state"});
    EXPECT_GT(report.at("test_accuracy"), 0.5) << rule;
  }
}

TEST_F(OptimizerOfJob, SchedulesByNameTrain) {
  for (const char* name :
       {"constant", "step", "exponential", "polynomial", "cosine-restarts", "one-cycle", "plateau"}) {
    const nlohmann::json report = trained({"--schedule", name, "--epochs", "3", "--warmup", "20", "--lr", "0.1"});
    EXPECT_GT(report.at("test_accuracy"), 0.7) << name;
  }
}

TEST_F(OptimizerOfJob, LBFGSTrainsAloneAndIsRefusedToSeveral) {
  const nlohmann::json alone = trained(
      {"--optimizer", "lbfgs", "--workers", "1", "--batch", "2500", "--epochs", "2", "--schedule", "constant"});
  EXPECT_GT(alone.at("test_accuracy"), 0.7);
  std::filesystem::remove(path("report.json"));
  Program program(support::feral_program, digits({"--optimizer", "lbfgs", "--workers", "2"}));
  expect_failed(program, 2, {"--optimizer lbfgs", "--workers 2", "--workers 1", "synchronous mode"});
}

TEST_F(OptimizerOfJob, KilledWorkersLeaveSharedStateThatTrainingGoesOnFrom) {
  for (const char* policy : {"racy", "locked"}) {
    Program program(support::feral_program, digits({"--optimizer", "adam", "--shared-state", "--policy", policy,
                                                    "--epochs", "60", "--report", path("report.json")}));
    ASSERT_TRUE(trains(program));
    pid_t last = -1;
    for (int i = 0; i < 3; ++i) {
      pid_t pid = -1;
      ASSERT_TRUE(support::eventually([&] { return (pid = program.find("feral-worker-1")) > 0 && pid != last; }));
      ::kill(pid, SIGKILL);
      last = pid;
    }
    ASSERT_EQ(program.exit_code(), 0) << program.errors();
    EXPECT_EQ(report().at("worker_restarts"), 3);
    EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(60, 10'000));
    EXPECT_GE(report().at("test_accuracy"), 0.95) << policy;
  }
}

TEST_F(OptimizerOfJob, ALockWhoseHolderIsKilledInMidUpdateIsGivenBack) {
  Program program(support::wayward_job,
                  {"--policy", "locked", "--shared-state", "--workers", "3", "--report", path("report.json")},
                  mode("update dies once"));
  ASSERT_EQ(program.exit_code(), 0) << program.output() << program.errors();
  EXPECT_TRUE(has(program.output(), {"killed by SIGKILL; replacing it"}));
  EXPECT_EQ(report().at("worker_restarts"), 1);
  EXPECT_EQ(report().at("batches_redone"), 1);
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(3, 1000));
  EXPECT_EQ(report().at("test_accuracy"), 1.0);
}

TEST_F(OptimizerOfJob, AJobMayBringItsOwnOptimizerAndSchedule) {
  // Its schedule ends with the first epoch, so that the accuracy of epoch 1 is that of the end.
  Program program(support::wayward_job, {"--shared-state", "--report", path("report.json")}, mode("own optimizer"));
  ASSERT_EQ(program.exit_code(), 0) << program.output() << program.errors();
  EXPECT_EQ(report().at("test_accuracy"), 1.0);
  Program nothing(support::wayward_job, {}, mode("optimizer is nothing"));
  EXPECT_EQ(nothing.exit_code(), 2);
  EXPECT_TRUE(has(nothing.errors(), {"optimizer function returned nothing"}));
}

}  // namespace
}  // namespace feral
