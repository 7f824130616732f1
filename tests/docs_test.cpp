// What README.md and docs/ show is true: commands run, code is the code of the examples, links lead somewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;
using feral::support::content_of;

const fs::path source = FERAL_SOURCE_DIR;
const fs::path binary = FERAL_BINARY_DIR;

std::vector<fs::path> pages() {
  std::vector<fs::path> result = {source / "README.md"};
  for (const auto& entry : fs::directory_iterator(source / "docs")) {
    if (entry.path().extension() == ".md") result.push_back(entry.path());
  }
  return result;
}

// The contents of all ```LANGUAGE blocks of a page.
std::vector<std::string> blocks(const fs::path& page, const std::string& language) {
  std::vector<std::string> result;
  std::istringstream lines(content_of(page));
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      result.back() += line + "\n";
    } else if (line == "```" + language) {
      inside = true;
      result.emplace_back();
    }
  }
  return result;
}

TEST(Docs, EveryShellCommandRuns) {
  const feral::support::TemporaryFolder folder;
  // The pages speak of build/release and /tmp/feral-prefix; run them where nothing is overwritten.
  fs::create_directories(folder.path() / "build");
  fs::create_directory_symlink(binary, folder.path() / "build" / "release");
  fs::create_symlink(source / "README.md", folder.path() / "README.md");
  int commands = 0;
  for (const fs::path& page : pages()) {
    for (const std::string& block : blocks(page, "sh")) {
      std::istringstream lines(block);
      std::string command;
      while (std::getline(lines, command)) {
        if (command.empty()) continue;
        ++commands;
        const std::string moved =
            std::regex_replace(command, std::regex("/tmp/feral-prefix"), (folder.path() / "prefix").string());
        const std::string line = "cd '" + folder.path().string() + "' && " + moved + " >output 2>&1";
        EXPECT_EQ(std::system(line.c_str()), 0) << page.filename() << ": " << command << "\n"
                                                << content_of(folder.path() / "output");
      }
    }
  }
  EXPECT_GE(commands, 7);
}

TEST(Docs, EveryProgramShownIsAnExampleToTheLetter) {
  std::vector<std::string> examples;
  for (const auto& entry : fs::directory_iterator(source / "examples"))
    examples.push_back(content_of(entry.path()));
  int programs = 0;
  for (const fs::path& page : pages()) {
    for (const std::string& block : blocks(page, "cpp")) {
      ++programs;
      const bool found = std::ranges::any_of(
          examples, [&](const std::string& text) { return text.find(block) != std::string::npos; });
      EXPECT_TRUE(found) << page.filename() << " shows code that stands in no example:\n" << block;
    }
  }
  EXPECT_GE(programs, 1);
}

struct Guide {
  const char* page;
  const char* example;
};

TEST(Docs, GuidesShowWhatTheirExamplesPrint) {
  for (const auto& [page, example] : {Guide{"tensor.md", "tensors"}, Guide{"autograd.md", "autograd"},
                                      Guide{"nn.md", "modules"}, Guide{"optim.md", "optimizers"}}) {
    const feral::support::TemporaryFolder folder;
    const fs::path output = folder.path() / "output";
    const std::string program = (binary / "examples" / example).string();
    ASSERT_EQ(std::system(("'" + program + "' >'" + output.string() + "'").c_str()), 0) << example;
    std::string shown;
    for (const std::string& block : blocks(source / "docs" / page, "text")) shown += block;
    EXPECT_EQ(shown, content_of(output)) << page;
  }
}

TEST(Docs, EveryLinkLeadsSomewhere) {
  const std::regex link("\\]\\(([^)#]+)");
  int links = 0;
  for (const fs::path& page : pages()) {
    // Without what stands in code: an index and a call look like a link.
    const std::string text = std::regex_replace(content_of(page), std::regex("```[^`]*```"), "");
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
      const std::string target = (*it)[1];
      if (target.starts_with("http")) continue;
      ++links;
      EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page.filename() << ": " << target;
    }
  }
  EXPECT_GE(links, 5);
}

TEST(Docs, TheExampleProgramIsUnderSixtyLines) {
  const std::string text = content_of(source / "examples" / "custom_model.cpp");
  EXPECT_LT(std::ranges::count(text, '\n'), 60);
}

}  // namespace
