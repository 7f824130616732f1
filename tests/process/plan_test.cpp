// What a job checks and says before it trains: the plan, and limits of the system that it cannot keep to.
#include <gtest/gtest.h>
#include <sched.h>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class Plan : public support::JobTest {
 protected:
  // `feral ARGUMENTS` from a shell that does something first.
  static std::vector<std::string> shell(const std::string& first, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-c", first + " && exec \"$0\" \"$@\"", support::feral_program.string()});
    return arguments;
  }
};

TEST_F(Plan, OfADryRunIsPrintedAndNothingIsTrained) {
  Program program(support::feral_program,
                  digits({"--dry-run", "--workers", "3", "--max-workers", "5", "--report", path("report.json")}));
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_EQ(program.errors(), "");
  for (const char* region : {"job", "control", "ring", "ledger", "workers", "loaders", "evaluations", "parameters",
                             "optimizers", "batches", "steering", "tensors"}) {
    EXPECT_TRUE(has(program.output(), {std::string("\n  ") + region + " "}));
  }
  EXPECT_TRUE(has(program.output(),
                  {"plan: 3 workers, 1 loader", "parameters          407,104 bytes", "private memory: about",
                   "allowed by", "up to 5 workers", "affinity mask: ", "cgroup quota: ", "RLIMIT_NOFILE",
                   "RLIMIT_AS", "environment: ", "dry run: nothing was trained"}));
  EXPECT_EQ(program.output().find("epoch"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path("report.json")));
  EXPECT_TRUE(program.processes().empty());
}

TEST_F(Plan, MoreWorkersThanCoresAreSaidToBeTooMany) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  ASSERT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
  const int cores = CPU_COUNT(&mask);
  Program program(support::feral_program, digits({"--dry-run", "--workers", std::to_string(cores + 1)}));
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_TRUE(has(program.output(), {"warning: " + std::to_string(cores + 1) + " workers on ", "no faster"}));
}

TEST_F(Plan, SixtyFourDescriptorsAreEnoughOrRefusedBeforeTraining) {
  Program small("/bin/sh",
                shell("ulimit -n 64", digits({"--epochs", "1", "--max-workers", "4", "--max-loaders", "4"})));
  EXPECT_EQ(small.exit_code(), 0) << small.errors();
  Program large("/bin/sh", shell("ulimit -n 64", digits({"--max-workers", "50", "--report", path("report.json")})));
  expect_failed(large, 2, {"file descriptors", "64", "ulimit -n", "--max-workers"});
}

TEST_F(Plan, ASoftLimitOfDescriptorsIsRaisedToWhatIsNeeded) {
  Program program("/bin/sh", shell("ulimit -S -n 32", digits({"--epochs", "1"})));
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
}

TEST_F(Plan, AnAddressSpaceThatIsTooSmallIsAnErrorBeforeTraining) {
  // kibibytes: less than any process takes, and than one with its batches
  Program small("/bin/sh", shell("ulimit -v 150000", digits({"--report", path("report.json")})));
  expect_failed(small, 2, {"address space", "146.5 MiB", "RLIMIT_AS", "ulimit -v"});
  Program batches("/bin/sh",
                  shell("ulimit -v 500000", digits({"--batch", "5000", "--report", path("report.json")})));
  expect_failed(batches, 2, {"address space", "RLIMIT_AS"});
}

TEST_F(Plan, ASmallFileSystemForSharedMemoryIsNoObstacle) {
  const std::string mount = "mount -t tmpfs -o size=64m none /dev/shm";
  if (std::system(("unshare -m sh -c '" + mount + "' 2>/dev/null").c_str()) != 0) GTEST_SKIP() << "cannot mount";
  // An arena of 133 MiB.
  Program program(
      "/usr/bin/unshare",
      {"-m", "sh", "-c", mount + " && exec \"$0\" \"$@\"", support::feral_program.string(), "train", "mlp",
       "--data", "digits", "--epochs", "1", "--batch", "2500", "--max-workers", "4", "--max-loaders", "4"});
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
}

}  // namespace
}  // namespace feral
