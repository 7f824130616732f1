// Whole jobs with a replica of the parameters for each NUMA node, here of two declared ones.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class ReplicasPerNode : public support::JobTest {};

TEST_F(ReplicasPerNode, LearnAsOneDoesAndAreBroughtTogether) {
  Program program(support::feral_program, digits({"--epochs", "12", "--replicas", "per-node", "--nodes", "2",
                                                  "--report", path("report.json")}));
  ASSERT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_GT(report().at("test_accuracy"), 0.95) << "with one set of parameters 0.977 to 0.982 after 15 epochs";
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(12, 10'000));
  EXPECT_EQ(report().at("replicas"), 2);
  EXPECT_GT(report().at("reconciliations"), 10);
}

TEST_F(ReplicasPerNode, LoseNothingOfTheirAccountsWhenAWorkerIsKilled) {
  Program program(support::feral_program, digits({"--epochs", "40", "--workers", "3", "--replicas", "per-node",
                                                  "--nodes", "2", "--report", path("report.json")}));
  ASSERT_TRUE(trains(program));
  for (const support::ProcessInfo& process : program.processes()) {
    if (process.name == "feral-worker-1") ::kill(process.pid, SIGKILL);
  }
  ASSERT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_EQ(report().at("worker_restarts"), 1);
  EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(40, 10'000));
  EXPECT_GT(report().at("test_accuracy"), 0.95);
}

TEST_F(ReplicasPerNode, OfOneNodeAreNone) {
  Program program(support::feral_program, digits({"--epochs", "1", "--replicas", "per-node", "--nodes", "1",
                                                  "--report", path("report.json")}));
  ASSERT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_EQ(report().at("replicas"), 0);
}

TEST_F(ReplicasPerNode, AreRefusedWhereTheyMakeNoSense) {
  const auto refused = [&](const std::vector<std::string>& more, const std::vector<std::string>& parts) {
    Program program(support::feral_program, digits(more));
    expect_failed(program, 2, parts);
  };
  refused({"--replicas", "many"}, {"--replicas", "'many'", "none, per-node"});
  refused({"--nodes", "2"}, {"--nodes 2", "--replicas per-node"});
  refused({"--replicas", "per-node", "--nodes", "65"}, {"--nodes 65", "0 to 64"});
  refused({"--replicas", "per-node", "--nodes", "2", "--deterministic"},
          {"--deterministic", "--replicas per-node"});
}

}  // namespace
}  // namespace feral
