// A job inside a real cgroup with a limit that is too low for it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

namespace fs = std::filesystem;
using support::Program;

// The folder of this process's group for memory and the name of the file with its limit; nothing where there is
// none.
struct MemoryGroup {
  fs::path folder;
  const char* limit_file;
};

std::optional<MemoryGroup> own_group() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  std::optional<MemoryGroup> found;
  while (std::getline(groups, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    const std::string group = line.substr(second + 2);
    if (controllers.find(",memory,") != std::string::npos) {
      return MemoryGroup{fs::path("/sys/fs/cgroup/memory") / group, "memory.limit_in_bytes"};
    }
    if (controllers == ",,") found = MemoryGroup{fs::path("/sys/fs/cgroup") / group, "memory.max"};
  }
  return found;
}

class MemoryLimit : public support::JobTest {
 protected:
  // Makes a child group with that limit; says why when it cannot.
  std::string make_group(std::uint64_t limit_bytes) {
    const std::optional<MemoryGroup> own = own_group();
    if (!own) return "this process is in no group for memory";
    group_ = own->folder / ("feral-test-" + std::to_string(::getpid()));
    std::error_code error;
    if (!fs::create_directory(group_, error)) return "cannot make a group in " + own->folder.string();
    std::ofstream limit(group_ / own->limit_file, std::ios::in);  // never creates the file
    if (!(limit << limit_bytes << std::flush)) return "the group has no " + std::string(own->limit_file);
    return "";
  }
  void TearDown() override {
    JobTest::TearDown();
    if (group_.empty()) return;
    std::error_code error;
    EXPECT_TRUE(support::eventually([&] { return fs::remove(group_, error) || !fs::exists(group_); }));
  }

  fs::path group_;
};

TEST_F(MemoryLimit, OfAGroupThatIsTooLowIsAnErrorWithTheNumbersBeforeTraining) {
  const std::string obstacle = make_group(180ULL << 20);
  if (!obstacle.empty()) GTEST_SKIP() << obstacle;
  // Eight batches of the whole data set: 239 MiB.
  Program program(
      support::feral_program,
      digits({"--batch", "10000", "--max-workers", "2", "--max-loaders", "1", "--report", path("report.json")}),
      {.cgroup = group_});
  expect_failed(program, 2, {"memory: the job needs", "arena 241", "MiB", group_.filename().string(), "--batch"});
}

// Too little for the processes themselves, whatever the data.
TEST_F(MemoryLimit, Of64MebibytesIsAnErrorBeforeTrainingAndNeverAHang) {
  const std::string obstacle = make_group(64ULL << 20);
  if (!obstacle.empty()) GTEST_SKIP() << obstacle;
  Program program(support::feral_program, digits({"--report", path("report.json")}), {.cgroup = group_});
  expect_failed(program, 2, {"memory: the job needs", group_.filename().string(), "MiB"});
  // Seventeen batches of the whole data set, 30 MiB each.
  Program program(support::feral_program, digits({"--batch", "10000", "--report", path("report.json")}),
                  {.cgroup = group_});
  expect_failed(program, 2, {"memory: the job needs", "arena 5", "MiB", group_.filename().string(), "--batch"});
}

TEST_F(MemoryLimit, OfAGroupThatSufficesIsNoObstacle) {
  const std::string obstacle = make_group(1ULL << 30);
  if (!obstacle.empty()) GTEST_SKIP() << obstacle;
  Program program(support::feral_program, digits({"--epochs", "1"}), {.cgroup = group_});
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
}

}  // namespace
}  // namespace feral
