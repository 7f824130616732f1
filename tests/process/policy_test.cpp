// Whole jobs under each policy: what it reaches, and what a kill costs.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class PolicyOfJob : public support::JobTest {
 protected:
  nlohmann::json trained(std::vector<std::string> more) {
    more.insert(more.end(), {"--lr", "0.1", "--report", path("report.json")});
    Program program(support::feral_program, digits(more));
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    return report();
  }

  // The same, and kills both workers in turns while it trains.
  nlohmann::json trained_with_kills(std::vector<std::string> more, int kills) {
    more.insert(more.end(), {"--lr", "0.1", "--report", path("report.json")});
    Program program(support::feral_program, digits(more));
    EXPECT_TRUE(trains(program));
    pid_t last[2] = {-1, -1};
    for (int i = 0; i < kills; ++i) {
      const std::string name = "feral-worker-" + std::to_string(i % 2);
      pid_t pid = -1;
      EXPECT_TRUE(support::eventually([&] { return (pid = program.find(name)) > 0 && pid != last[i % 2]; }));
      ::kill(pid, SIGKILL);
      last[i % 2] = pid;
    }
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    EXPECT_TRUE(program.processes().empty());
    EXPECT_EQ(report().at("worker_restarts"), kills) << "the kills came too late";
    return report();
  }
};

const std::vector<std::vector<std::string>> ways = {
    {"--policy", "racy"},     {"--policy", "atomic-add"}, {"--policy", "locked"},
    {"--policy", "snapshot"}, {"--publish-every", "4"},   {"--policy", "atomic-add", "--publish-every", "4"},
    {"--deterministic"},
};

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST_F(PolicyOfJob, EachReachesTheUsualAccuracy) {
  for (const std::vector<std::string>& way : ways) {
    const nlohmann::json report = trained(joined({"--epochs", "4"}, way));
    EXPECT_GE(report.at("test_accuracy"), 0.93) << testing::PrintToString(way);
    EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(4, 10'000)) << testing::PrintToString(way);
    EXPECT_EQ(report.at("batches_redone"), 0);
  }
}

TEST_F(PolicyOfJob, OneWorkerHasTheSameParametersUnderAll) {
  std::vector<std::string> checksums;
  for (const std::vector<std::string>& way : ways) {
    checksums.push_back(trained(joined({"--workers", "1", "--epochs", "1"}, way)).at("parameters_checksum"));
  }
  EXPECT_EQ(checksums, std::vector<std::string>(ways.size(), checksums.front()));
}

TEST_F(PolicyOfJob, WorkersKilledBeforeTheyPublishLoseNothing) {
  constexpr int epochs = 30;
  const nlohmann::json report = trained_with_kills({"--epochs", std::to_string(epochs), "--publish-every", "4"}, 3);
  EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(epochs, 10'000));
  EXPECT_EQ(report.at("steps"), epochs * 157);
  EXPECT_LE(report.at("batches_redone"), 3 * 4) << "what a worker holds is at most what it publishes at once";
  EXPECT_GE(report.at("test_accuracy"), 0.95);
}

TEST_F(PolicyOfJob, DeterministicRunsEndInTheSameParameters) {
  for (const char* workers : {"1", "2", "4"}) {
    std::vector<std::string> checksums;
    for (const char* loaders : {"1", "2"}) {  // how many load makes no difference
      checksums.push_back(trained({"--deterministic", "--epochs", "1", "--workers", workers, "--loaders", loaders})
                              .at("parameters_checksum"));
    }
    EXPECT_EQ(checksums[0], checksums[1]) << workers;
  }
}

TEST_F(PolicyOfJob, ADeterministicRunEndsInTheSameParametersWhoeverIsKilled) {
  const std::vector<std::string> settings = {"--deterministic", "--epochs", "16", "--optimizer", "adam"};
  const nlohmann::json undisturbed = trained(settings);
  const nlohmann::json report = trained_with_kills(settings, 2);
  EXPECT_EQ(report.at("parameters_checksum"), undisturbed.at("parameters_checksum"));
  EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>(16, 10'000));
}

TEST_F(PolicyOfJob, ContradictionsAreRefusedInOneLine) {
  Program seldom(support::feral_program, digits({"--publish-every", "4", "--policy", "locked"}));
  expect_failed(seldom, 2, {"--publish-every 4", "--policy locked", "atomic-add"});
  Program growing(support::feral_program, digits({"--deterministic", "--max-workers", "9"}));
  expect_failed(growing, 2, {"--deterministic", "--max-workers 9"});
}

}  // namespace
}  // namespace feral
