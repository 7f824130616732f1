// The house rules that a reader of the tree relies on: includes point only upwards, every test is run.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path source = FERAL_SOURCE_DIR;

// A folder may include from itself and from those before it.
const std::vector<std::string> layers = {"core",  "shm",  "tensor", "autograd", "nn",
                                         "optim", "data", "models", "workers",  "launcher"};

std::vector<fs::path> code_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension();
    if (extension == ".hpp" || extension == ".cpp" || extension == ".h" || extension == ".cu") {
      files.push_back(entry.path());
    }
  }
  return files;
}

// The folders that a file includes from, of those in `layers`.
std::vector<std::string> included_folders(const fs::path& file) {
  static const std::regex pattern("^\\s*#\\s*include\\s+\"([a-z]+)/");
  std::vector<std::string> folders;
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    std::smatch match;
    if (std::regex_search(line, match, pattern)) folders.push_back(match[1]);
  }
  return folders;
}

std::size_t rank_of(const std::string& folder) {
  return static_cast<std::size_t>(std::ranges::find(layers, folder) - layers.begin());
}

TEST(Layers, IncludesPointOnlyToFoldersAbove) {
  std::size_t looked_at = 0;
  for (const std::string& layer : layers) {
    for (const fs::path& file : code_files(source / layer)) {
      for (const std::string& folder : included_folders(file)) {
        ++looked_at;
        EXPECT_LE(rank_of(folder), rank_of(layer)) << file << " includes from " << folder << "/";
      }
    }
  }
  EXPECT_GT(looked_at, 200U) << "the test no longer finds the includes";
}

TEST(Layers, TheTestSeesAnArrowThatRunsTheOtherWay) {
  const fs::path file = fs::temp_directory_path() / "feral_layers_probe.hpp";
  std::ofstream(file) << "#pragma once\n#include \"launcher/run.hpp\"\n";
  const std::vector<std::string> found = included_folders(file);
  fs::remove(file);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GT(rank_of(found[0]), rank_of("tensor"));
}

TEST(Layers, EveryTestSourceBelongsToAFolderThatIsBuilt) {
  std::vector<std::string> built = layers;
  built.insert(built.end(), {"process", "conformance"});
  for (const fs::path& file : code_files(source / "tests")) {
    if (!file.filename().string().ends_with("_test.cpp") || file.parent_path() == source / "tests") continue;
    EXPECT_NE(std::ranges::find(built, file.parent_path().filename().string()), built.end())
        << file << " is in no folder that tests/CMakeLists.txt builds";
  }
}

TEST(Layers, FilesStaySmall) {
  constexpr int limit = 500;
  std::vector<std::string> folders = layers;
  folders.insert(folders.end(), {"tests", "examples"});
  for (const std::string& folder : folders) {
    for (const fs::path& file : code_files(source / folder)) {
      std::ifstream in(file);
      const auto lines = std::count(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), '\n');
      // The class Tensor declares every method that it has, in one place.
      const int allowed = file.filename() == "tensor.hpp" ? 700 : limit;
      EXPECT_LE(lines, allowed) << file;
    }
  }
}

TEST(Layers, PublicHeadersBringNoLibraryButFmt) {
  // What feral.hpp pulls in must compile for users who have fmt alone.
  static const std::regex foreign("#\\s*include\\s+<(boost|nlohmann|CLI|hwy|cblas|zlib)");
  for (const std::string folder : {"core", "shm", "tensor", "autograd", "nn", "optim", "data", "models"}) {
    for (const fs::path& file : code_files(source / folder)) {
      if (file.extension() != ".hpp" || file.filename() == "blas.hpp" || file.string().ends_with("-inl.hpp"))
        continue;
      std::ifstream in(file);
      const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      EXPECT_FALSE(std::regex_search(text, foreign)) << file;
    }
  }
}

}  // namespace
