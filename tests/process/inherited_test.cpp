// What a job takes over from whoever starts it.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::Program;

class Inherited : public support::JobTest {
 protected:
  // The feral command, started by a shell that ignores a signal.
  Program ignoring(const std::string& signal, const std::vector<std::string>& arguments) const {
    std::vector<std::string> shell = {"-c", "trap '' " + signal + "; exec \"$@\"", "sh",
                                      support::feral_program.string()};
    shell.insert(shell.end(), arguments.begin(), arguments.end());
    return Program("/bin/sh", shell);
  }
};

TEST_F(Inherited, AJobUnderNohupOutlivesAHangUp) {
  Program program = ignoring("HUP", digits({"--epochs", "300", "--report", path("report.json")}));
  ASSERT_TRUE(trains(program));
  program.signal(SIGHUP);
  ASSERT_EQ(program.exit_code(), 0) << program.output() << program.errors();
  EXPECT_EQ(report().at("samples_total"), 300 * 10'000);
}

TEST_F(Inherited, AnIgnoredChildSignalDoesNotHideHowChildrenEnd) {
  Program program = ignoring("CHLD", digits({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  ::kill(program.find("feral-worker-1"), SIGKILL);
  EXPECT_TRUE(support::eventually([&] { return program.output().find("worker 1 (pid ") != std::string::npos; }));
  EXPECT_TRUE(support::has(program.output(), {"killed by SIGKILL; replacing it"}));
  program.signal(SIGTERM);
  EXPECT_EQ(program.exit_code(), 143);
}

TEST_F(Inherited, AFullOutputPipeIsNoReasonToStop) {
  // The reader is gone at once; the job trains to its end.
  Program program("/bin/bash",
                  {"-c", "set -o pipefail; \"$@\" | true", "bash", support::feral_program.string(), "train", "mlp",
                   "--data", "digits", "--epochs", "3", "--report", path("report.json")});
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_EQ(report().at("samples_total"), 3 * 10'000);
}

}  // namespace
}  // namespace feral
