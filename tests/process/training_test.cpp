// Whole jobs that nobody disturbs.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class Training : public support::JobTest {
 protected:
  // Runs `feral train …` to its end and returns the report.
  nlohmann::json trained(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--report", path("report.json")});
    Program program(support::feral_program, arguments);
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    EXPECT_EQ(program.errors(), "");
    EXPECT_TRUE(program.processes().empty());
    return report();
  }
};

// After 15 epochs the net reproduces its training digits, with one worker as with four: what is left to differ is
// the noise of the order of updates. Over 36 runs, half of them on a busy machine, the accuracies lay between 0.977
// and 0.982.
TEST_F(Training, TheAccuracyDoesNotDependOnTheNumberOfProcesses) {
  std::vector<double> accuracies;
  for (const int workers : {1, 2, 4}) {
    for (const int loaders : {1, 2}) {
      const nlohmann::json report =
          trained(digits({"--epochs", "15", "--lr", "0.1", "--workers", std::to_string(workers), "--loaders",
                          std::to_string(loaders)}));
      accuracies.push_back(report.at("test_accuracy"));
      EXPECT_EQ(report.at("workers"), workers);
      EXPECT_EQ(report.at("loaders"), loaders);
      EXPECT_EQ(report.at("steps"), 15 * 157);
      EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(15, 10'000));
      EXPECT_EQ(report.at("samples_total"), 150'000);
      EXPECT_EQ(report.at("worker_restarts"), 0);
      EXPECT_EQ(report.at("loader_restarts"), 0);
      EXPECT_EQ(report.at("batches_redone"), 0);
    }
  }
  const auto [lowest, highest] = std::ranges::minmax(accuracies);
  EXPECT_LE(highest - lowest, 0.01) << testing::PrintToString(accuracies);
  EXPECT_GE(lowest, 0.97);
}

TEST_F(Training, TheNumbersOfTheReportBelongTogether) {
  const nlohmann::json report = trained(digits({"--epochs", "4"}));
  const double seconds = report.at("seconds_train");
  EXPECT_GT(seconds, 0);
  EXPECT_DOUBLE_EQ(report.at("samples_per_second"), 40'000 / seconds);
  EXPECT_GT(report.at("time_to_first_step_seconds"), 0);
  EXPECT_LT(report.at("time_to_first_step_seconds"), 30);
  EXPECT_GT(report.at("arena_bytes"), 101'770 * 4);
  EXPECT_GT(report.at("peak_rss_bytes_per_worker"), 1 << 20);
  EXPECT_GT(report.at("test_loss"), 0);
  EXPECT_EQ(report.at("host").at("gpus").size(), 0U);
}

TEST_F(Training, OneWorkerAndOneLoaderGiveTheSameNumbersEachTime) {
  const nlohmann::json first = trained(digits({"--epochs", "3", "--workers", "1"}));
  const nlohmann::json second = trained(digits({"--epochs", "3", "--workers", "1"}));
  EXPECT_EQ(first.at("test_accuracy"), second.at("test_accuracy"));
  EXPECT_EQ(first.at("test_loss"), second.at("test_loss"));
  const nlohmann::json other = trained(digits({"--epochs", "3", "--workers", "1", "--seed", "2"}));
  EXPECT_NE(first.at("test_loss"), other.at("test_loss"));
}

TEST_F(Training, AnEpochThatDoesNotDivideIntoBatchesIsStillOnePass) {
  const nlohmann::json report = trained(digits({"--epochs", "3", "--batch", "777", "--workers", "3"}));
  EXPECT_EQ(report.at("steps"), 3 * 13);
  EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(3, 10'000));
}

TEST_F(Training, TheWholeDataMayBeOneBatch) {
  const nlohmann::json report = trained(digits({"--epochs", "2", "--batch", "10000"}));
  EXPECT_EQ(report.at("steps"), 2);
  EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(2, 10'000));
}

TEST_F(Training, MoreWorkersThanBatchesFinishToo) {
  const nlohmann::json report = trained(digits({"--epochs", "1", "--batch", "5000", "--workers", "6"}));
  EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(1, 10'000));
}

TEST_F(Training, StopsAtTheTargetAccuracy) {
  const nlohmann::json report = trained(digits({"--epochs", support::endless, "--target-accuracy", "0.9"}));
  EXPECT_GE(report.at("test_accuracy"), 0.8) << "measured once more, after the last update";
  EXPECT_LT(report.at("samples_seen_per_epoch").size(), 1000U);
}

TEST_F(Training, EvaluatesAsOftenAsItIsTold) {
  Program off(support::feral_program, digits({"--epochs", "4", "--evaluate-every", "0"}));
  EXPECT_EQ(off.exit_code(), 0);
  EXPECT_EQ(off.output().find("\nepoch "), std::string::npos) << off.output();
  EXPECT_NE(off.output().find("test accuracy"), std::string::npos) << "the final figure: " << off.output();
  // Two workers and small batches: an epoch takes longer than an evaluation, so that none is passed over.
  Program every_other(support::feral_program, digits({"--epochs", "4", "--batch", "4", "--evaluate-every", "2"}));
  EXPECT_EQ(every_other.exit_code(), 0);
  EXPECT_EQ(every_other.output().find("\nepoch 1:"), std::string::npos) << every_other.output();
  EXPECT_NE(every_other.output().find("\nepoch 2:"), std::string::npos) << every_other.output();
  EXPECT_EQ(every_other.output().find("\nepoch 3:"), std::string::npos) << every_other.output();
}

TEST_F(Training, LearnsFashionMnist) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  }
  const nlohmann::json report = trained(train("mlp", "fashion-mnist", {"--epochs", "3"}));
  EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(3, 60'000));
  EXPECT_GT(report.at("test_accuracy"), 0.8);
}

TEST_F(Training, AProgramOfOnesOwnIsItsOwnLauncher) {
  Program program(support::custom_model, {"--epochs", "20", "--report", path("report.json")});
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_GT(report().at("test_accuracy"), 0.9);
  EXPECT_EQ(report().at("model"), "spirals");
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(20, 4000));
}

TEST_F(Training, WithoutTestDataTheAccuracyIsNull) {
  Program program(support::wayward_job, {"--report", path("report.json")}, mode("no test data"));
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_TRUE(report().at("test_accuracy").is_null());
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(3, 1000));
}

TEST_F(Training, ProcessesCarryTheirNamesAndOnlyTheirDescriptors) {
  Program program(support::custom_model, {"--epochs", support::endless, "--workers", "2", "--loaders", "2"});
  ASSERT_TRUE(trains(program));
  for (const char* name : {"feral-worker-0", "feral-worker-1", "feral-loader-0", "feral-loader-1", "feral-eval"}) {
    const pid_t pid = program.find(name);
    ASSERT_GT(pid, 0) << name;
    const std::vector<std::string> descriptors = support::descriptors_of(pid);
    ASSERT_EQ(descriptors.size(), 5U) << name << testing::PrintToString(descriptors);
    EXPECT_EQ(descriptors[0], "0 /dev/null");
    EXPECT_TRUE(descriptors[3].starts_with("3 socket:"));
    EXPECT_TRUE(has(descriptors[4], {"4 /memfd:feral-arena"}));
  }
  EXPECT_EQ(program.processes().size(), 6U);
  EXPECT_FALSE(uses_named_memory(program)) << "a name in /dev/shm outlives a job that is killed";
}

TEST_F(Training, WorksWithItsStandardDescriptorsClosed) {
  Program program(support::feral_program, digits({"--epochs", "1", "--report", path("report.json")}),
                  {.standard_descriptors_closed = true});
  EXPECT_EQ(program.exit_code(), 0);
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(1, 10'000));
}

}  // namespace
}  // namespace feral
