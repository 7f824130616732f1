// A launcher that is killed: its children leave by themselves.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::gone_within;
using support::Program;

class Orphans : public support::JobTest {
 protected:
  static void kill_launcher(Program& program) {
    program.signal(SIGKILL);
    EXPECT_TRUE(program.gone(gone_within)) << left(program);
    EXPECT_EQ(program.wait()->signal, SIGKILL);
  }
  static void stop(pid_t pid) {
    ASSERT_GT(pid, 0);
    ::kill(pid, SIGSTOP);
    ASSERT_TRUE(support::eventually([&] { return support::process_info(pid).state == 'T'; }));
  }

 private:
  static std::string left(const Program& program) {
    std::string names;
    for (const support::ProcessInfo& process : program.processes())
      names += process.name + " " + process.state + "; ";
    return names;
  }
};

TEST_F(Orphans, LeaveARunningJob) {
  Program program(support::feral_program,
                  digits({"--epochs", support::endless, "--workers", "3", "--loaders", "2"}));
  ASSERT_TRUE(trains(program));
  ASSERT_EQ(program.processes().size(), 7U);
  kill_launcher(program);
}

TEST_F(Orphans, LeaveBeforeThereIsAPlan) {
  Program program(support::wayward_job, {}, mode("model never comes"));
  ASSERT_GT(program.wait_for("feral-eval"), 0);
  kill_launcher(program);
}

TEST_F(Orphans, LeaveWhenTheGraceIsOverThoughTheirFunctionsHang) {
  Program program(support::wayward_job, {"--grace", "0.5"}, mode("step hangs"));
  ASSERT_GT(program.wait_for("feral-worker-1"), 0);
  kill_launcher(program);
}

TEST_F(Orphans, LeaveAlsoWhenTheyAreStopped) {
  Program program(support::feral_program, digits({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  for (const char* name : {"feral-worker-0", "feral-loader-0", "feral-eval"}) stop(program.find(name));
  kill_launcher(program);
}

TEST_F(Orphans, LeaveAlsoWhenTheEvaluatorIsStoppedBeforeThereIsAPlan) {
  Program program(support::wayward_job, {}, mode("model never comes"));
  stop(program.wait_for("feral-eval"));
  kill_launcher(program);
}

// The launcher is killed at moments all over its start.
TEST_F(Orphans, LeaveWheneverTheLauncherIsKilledDuringItsStart) {
  for (int moment = 0; moment < 12; ++moment) {
    Program program(support::wayward_job, {"--epochs", support::endless}, mode(""));
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5 * moment);
    support::eventually([&] { return std::chrono::steady_clock::now() >= until; });
    kill_launcher(program);
  }
}

}  // namespace
}  // namespace feral
