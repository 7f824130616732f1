// An installed feral: find_package works, and a user's own headers are never taken for ours.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;
using feral::support::content_of;

const fs::path source = FERAL_SOURCE_DIR;
const fs::path binary = FERAL_BINARY_DIR;

void run(const fs::path& folder, const std::string& command) {
  const fs::path log = folder / "log";
  ASSERT_EQ(std::system((command + " >'" + log.string() + "' 2>&1").c_str()), 0) << command << "\n"
                                                                                 << content_of(log);
}

// The program's CMakeLists.txt is the one that README.md shows.
std::string project_of_readme() {
  const std::string text = content_of(source / "README.md");
  const std::size_t start = text.find("```cmake\n");
  const std::size_t end = text.find("```", start + 9);
  return start == std::string::npos ? "" : text.substr(start + 9, end - start - 9);
}

TEST(Install, AProgramBuildsAgainstTheInstalledLibraryBesideHeadersOfItsOwnAndTrains) {
  const feral::support::TemporaryFolder folder;
  const fs::path prefix = folder.path() / "prefix";
  const fs::path program = folder.path() / "program";
  run(folder.path(), "cmake --install '" + binary.string() + "' --prefix '" + prefix.string() + "'");
  ASSERT_TRUE(fs::exists(prefix / "bin" / "feral"));

  // Headers with the names of ours, which must not be taken inside ours.
  for (const char* name : {"data/dataset.hpp", "core/error.hpp", "tensor/tensor.hpp", "nn/module.hpp"}) {
    fs::create_directories((program / name).parent_path());
    std::ofstream(program / name) << "#error this header is the user's\n";
  }
  std::ofstream(program / "CMakeLists.txt")
      << project_of_readme() << "target_include_directories(mine PRIVATE .)\n";
  fs::copy_file(source / "examples" / "custom_model.cpp", program / "mine.cpp");
  run(folder.path(), "cmake -G Ninja -S '" + program.string() + "' -B '" + (program / "build").string() +
                         "' -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH='" + prefix.string() + "'");
  run(folder.path(), "cmake --build '" + (program / "build").string() + "'");
  const fs::path report = folder.path() / "report.json";
  run(folder.path(),
      "'" + (program / "build" / "mine").string() + "' --epochs 2 --report '" + report.string() + "'");
  EXPECT_NE(content_of(report).find("\"samples_total\": 8000"), std::string::npos) << content_of(report);
}

}  // namespace
