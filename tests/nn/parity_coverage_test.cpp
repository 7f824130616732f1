// That no module is left out: every class of nn/ has cases in the fixtures that PyTorch wrote.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "tests/nn/parity.hpp"

namespace feral::nn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t cases_a_module = 2;

// What PyTorch has nothing to compare with.
const std::map<std::string, std::string> excepted = {
    {"ConvNd", "base of the convolutions"},
    {"ConvTransposeNd", "base of the transposed convolutions"},
    {"MaxPoolNd", "base of the maximum pools"},
    {"AvgPoolNd", "base of the average pools"},
    {"AdaptivePoolNd", "base of the adaptive pools"},
    {"ChannelNorm", "base of batch and instance normalization"},
    {"BatchNormNd", "base of batch normalization"},
    {"InstanceNormNd", "base of instance normalization"},
    {"RecurrentBase", "base of the recurrent layers"},
    {"RecurrentCellBase", "base of their cells"},
    {"Loss", "base of the losses"},
    {"PlainLoss", "base of losses"},
    {"WeightedLoss", "base of losses with weights"},
    {"DropoutOf", "base of the dropouts"},
    {"PositionalEncoding", "no module of PyTorch's: tests/nn/transformer_test.cpp knows its formula"},
    // These draw numbers: tests/nn looks at their distribution.
    {"Dropout", "random"},
    {"Dropout1d", "random"},
    {"Dropout2d", "random"},
    {"Dropout3d", "random"},
    {"AlphaDropout", "random"},
    {"FeatureAlphaDropout", "random"},
};

// The classes in nn/'s headers that are derived from another, or made by a macro: FERAL_DROPOUT(Dropout, …).
std::set<std::string> derived_classes(const fs::path& folder) {
  static const std::regex pattern("(?:^|\n) *(?:class +(\\w+)(?: +final)?\\s*:\\s*public|FERAL_\\w+\\((\\w+),)");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream in(entry.path());
    const std::string whole((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    static const std::regex macro_body("#define[^\n\\\\]*(?:\\\\\n[^\n\\\\]*)*");
    const std::string text = std::regex_replace(whole, macro_body, "");
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
      names.insert((*match)[1].matched ? (*match)[1] : (*match)[2]);
    }
  }
  return names;
}

// How many cases each module has in all families.
std::map<std::string, std::size_t> counted_cases() {
  std::map<std::string, std::size_t> counts;
  for (const auto& entry : fs::directory_iterator(FERAL_SOURCE_DIR "/tests/fixtures/nn")) {
    if (entry.path().extension() != ".npz") continue;
    for (const std::string& name : parity_cases(entry.path().stem())) ++counts[name.substr(0, name.find('/'))];
  }
  return counts;
}

TEST(ParityCoverage, EveryModuleHasTwoCases) {
  const std::set<std::string> modules = derived_classes(FERAL_SOURCE_DIR "/nn");
  EXPECT_GT(modules.size(), 40U) << "the test no longer finds the modules";
  const auto counts = counted_cases();
  for (const std::string& module : modules) {
    if (excepted.contains(module)) continue;
    const auto count = counts.find(module);
    EXPECT_GE(count == counts.end() ? 0 : count->second, cases_a_module) << module;
  }
}

TEST(ParityCoverage, FixturesStaySmall) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(FERAL_SOURCE_DIR "/tests/fixtures/nn"))
    bytes += entry.file_size();
  EXPECT_LT(bytes, 1U << 20);
}

}  // namespace
}  // namespace feral::nn
