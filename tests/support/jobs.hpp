// Whole jobs with the real programs.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/messages.hpp"
#include "tests/support/program.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::support {

inline const std::filesystem::path binaries = FERAL_BINARY_DIR;
inline const std::filesystem::path feral_program = binaries / "feral";
inline const std::filesystem::path custom_model = binaries / "examples" / "custom_model";
inline const std::filesystem::path wayward_job = binaries / "tests" / "wayward_job";

// After Ctrl-C, SIGTERM or the launcher's death everything is gone within two seconds.
inline constexpr std::chrono::milliseconds gone_within{2000};

// More epochs than any test waits for.
inline const std::string endless = "100000";

// A test that starts jobs: each has a folder for its files, and nothing is left when it is over.
class JobTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  static std::vector<std::string> train(const std::string& model, const std::string& data,
                                        const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train", model, "--data", data};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  // `feral train mlp --data digits …`
  static std::vector<std::string> digits(const std::vector<std::string>& more) {
    return train("mlp", "digits", more);
  }

  // The wayward job in that mode.
  ProgramSettings mode(const std::string& name) const {
    return {.environment = {{"FERAL_TEST_JOB", name}, {"FERAL_TEST_FILE", path("shared")}}};
  }

  nlohmann::json report() const { return nlohmann::json::parse(content_of(path("report.json"))); }

  // The job has ended with an error of the user's or of its functions: that exit code, one line on stderr with all
  // `parts`, no report, no process. A job that was given up because of deaths says before that line what is known
  // of them.
  void expect_failed(Program& program, int code, const std::vector<std::string>& parts) const {
    EXPECT_EQ(program.exit_code(), code) << program.output() << program.errors();
    const std::vector<std::string> lines = lines_of(program.errors());
    ASSERT_FALSE(lines.empty());
    EXPECT_TRUE(lines.size() == 1 || (code == 1 && lines[0].starts_with("post-mortem: "))) << program.errors();
    EXPECT_TRUE(lines.back().starts_with("feral: error: ")) << program.errors();
    EXPECT_TRUE(has(lines.back(), parts));
    EXPECT_TRUE(program.processes().empty());
    for (const std::string& name : names_in(folder_.path()))
      EXPECT_EQ(name.find("report"), std::string::npos) << name;
  }

  // Other programs come and go in /dev/shm: what is looked at is whether a job ever uses it (uses_named_memory),
  // and whether something with our name is left.
  void TearDown() override {
    for (const std::string& name : names_in("/dev/shm")) EXPECT_EQ(name.find("feral"), std::string::npos) << name;
  }

  // Whether one of the program's processes has a file of /dev/shm open or mapped.
  static bool uses_named_memory(const Program& program) {
    bool found = false;
    for (const ProcessInfo& process : program.processes()) {
      found = found ||
              content_of("/proc/" + std::to_string(process.pid) + "/maps").find("/dev/shm/") != std::string::npos;
      for (const std::string& descriptor : descriptors_of(process.pid)) {
        found = found || descriptor.find("/dev/shm/") != std::string::npos;
      }
    }
    return found;
  }

  // Whether the job trains: its first epoch was evaluated.
  static testing::AssertionResult trains(const Program& program) {
    if (eventually([&] { return program.output().find("\nepoch 1") != std::string::npos; })) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "it does not train: " << program.output() << program.errors();
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace feral::support
