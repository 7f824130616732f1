// Children that are killed while the job runs (law 1).
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class Kill : public support::JobTest {
 protected:
  static constexpr int epochs = 40;

  // Trains on digits, kills the process of that name as often as asked, each time a new one, and returns the
  // report.
  nlohmann::json killed(const std::string& name, int times = 1) {
    Program program(support::feral_program, digits({"--epochs", std::to_string(epochs), "--workers", "2",
                                                    "--loaders", "2", "--report", path("report.json")}));
    EXPECT_TRUE(trains(program));
    pid_t last = -1;
    for (int i = 0; i < times; ++i) {
      pid_t pid = -1;
      EXPECT_TRUE(support::eventually([&] { return (pid = program.find(name)) > 0 && pid != last; }));
      ::kill(pid, SIGKILL);
      last = pid;
    }
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    EXPECT_TRUE(has(program.output(), {"killed by SIGKILL; replacing it"})) << "the kill came too late";
    EXPECT_TRUE(program.processes().empty());
    return report();
  }

  static void expect_trained(const nlohmann::json& report) {
    EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(epochs, 10'000));
    EXPECT_EQ(report.at("steps"), epochs * 157);
    EXPECT_GE(report.at("test_accuracy"), 0.97);
  }

  // How often each sample of the wayward job was trained on.
  std::vector<int> times_seen() const {
    const std::string bytes = support::content_of(path("shared"));
    std::vector<int> seen(1000, 0);
    for (std::size_t at = 0; at + sizeof(std::int64_t) <= bytes.size(); at += sizeof(std::int64_t)) {
      std::int64_t index = 0;
      std::memcpy(&index, bytes.data() + at, sizeof index);
      ++seen.at(static_cast<std::size_t>(index));
    }
    return seen;
  }
};

TEST_F(Kill, OfAWorkerCostsAtMostItsBatch) {
  const nlohmann::json report = killed("feral-worker-1");
  expect_trained(report);
  EXPECT_EQ(report.at("worker_restarts"), 1);
  EXPECT_EQ(report.at("loader_restarts"), 0);
  EXPECT_LE(report.at("batches_redone"), 1);
}

TEST_F(Kill, OfOneWorkerAfterAnotherCostsAtMostABatchEach) {
  const nlohmann::json report = killed("feral-worker-0", 3);
  expect_trained(report);
  EXPECT_EQ(report.at("worker_restarts"), 3);
  EXPECT_LE(report.at("batches_redone"), 3);
}

TEST_F(Kill, OfALoaderCostsNothing) {
  const nlohmann::json report = killed("feral-loader-0");
  expect_trained(report);
  EXPECT_EQ(report.at("worker_restarts"), 0);
  EXPECT_EQ(report.at("loader_restarts"), 1);
  EXPECT_EQ(report.at("batches_redone"), 0);
}

TEST_F(Kill, OfTheEvaluatorCostsNoTraining) {
  const nlohmann::json report = killed("feral-eval");
  expect_trained(report);
  EXPECT_EQ(report.at("worker_restarts"), 0);
  EXPECT_EQ(report.at("loader_restarts"), 0);
  EXPECT_EQ(report.at("batches_redone"), 0);
}

TEST_F(Kill, OfTheOnlyWorkerAndTheOnlyLoaderIsSurvived) {
  Program program(support::feral_program, digits({"--epochs", std::to_string(epochs), "--workers", "1", "--loaders",
                                                  "1", "--report", path("report.json")}));
  ASSERT_TRUE(trains(program));
  for (const char* name : {"feral-worker-0", "feral-loader-0"}) {
    const pid_t pid = program.find(name);
    ASSERT_GT(pid, 0) << name;
    ::kill(pid, SIGKILL);
  }
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
  expect_trained(report());
  EXPECT_EQ(report().at("worker_restarts"), 1);
  EXPECT_EQ(report().at("loader_restarts"), 1);
}

TEST_F(Kill, OfLoadersLeavesEverySampleSeenExactlyOnceAnEpoch) {
  constexpr int passes = 3000;
  Program program(support::wayward_job,
                  {"--epochs", std::to_string(passes), "--loaders", "2", "--report", path("report.json")},
                  mode("step records"));
  ASSERT_TRUE(trains(program));
  pid_t last = -1;
  for (int i = 0; i < 3; ++i) {
    pid_t pid = -1;
    ASSERT_TRUE(support::eventually([&] { return (pid = program.find("feral-loader-1")) > 0 && pid != last; }));
    ::kill(pid, SIGKILL);
    last = pid;
  }
  ASSERT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_EQ(report().at("loader_restarts"), 3);
  EXPECT_EQ(report().at("batches_redone"), 0);
  EXPECT_EQ(times_seen(), std::vector<int>(1000, passes));
}

TEST_F(Kill, OfAWorkerHasNoSampleMissedAndItsBatchSeenTwiceAtMost) {
  constexpr int passes = 400;
  Program program(support::wayward_job, {"--epochs", std::to_string(passes), "--report", path("report.json")},
                  mode("step records"));
  ASSERT_TRUE(trains(program));
  ::kill(program.find("feral-worker-0"), SIGKILL);
  ASSERT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_EQ(report().at("worker_restarts"), 1);
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(passes, 1000));
  int more = 0;
  for (const int seen : times_seen()) {
    EXPECT_GE(seen, passes);
    EXPECT_LE(seen, passes + 1);
    more += seen - passes;
  }
  EXPECT_LE(more, 10 * report().at("batches_redone").get<int>());
}

}  // namespace
}  // namespace feral
