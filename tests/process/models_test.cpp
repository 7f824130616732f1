// Every model that the command line knows trains as a whole job.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class ModelByName : public support::JobTest {
 protected:
  nlohmann::json trained(const std::string& model, const std::string& data, std::vector<std::string> more) {
    more.insert(more.begin(), {"train", model, "--data", data, "--report", path("report.json")});
    Program program(support::feral_program, more);
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    return report();
  }
};

TEST_F(ModelByName, ResNetLearnsItsRunningStatisticsShared) {
  const nlohmann::json report = trained("resnet", "digits", {"--epochs", "1", "--optimizer", "adam"});
  EXPECT_GE(report.at("test_accuracy"), 0.9);  // judged with the statistics that both workers have gathered
  EXPECT_EQ(report.at("samples_seen_per_epoch"), std::vector<int>{10'000});
}

TEST_F(ModelByName, TransformerLearns) {
  EXPECT_GE(trained("transformer", "digits", {"--epochs", "4"}).at("test_accuracy"), 0.8);
}

TEST_F(ModelByName, LstmLearnsALanguage) {
  std::ofstream file(path("text.txt"));
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) file << (random() % 2 == 0 ? "the cat sat " : "a dog ran on ");
  file.close();
  const nlohmann::json report = trained("lstm", path("text.txt"), {"--epochs", "6", "--batch", "16"});
  // Only the first letter of a phrase cannot be known.
  EXPECT_GE(report.at("test_accuracy"), 0.85);
  EXPECT_LT(report.at("test_loss"), 0.5);
}

TEST_F(ModelByName, EmbeddingBagLearnsItsLabels) {
  std::ofstream file(path("lines.txt"));
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    const unsigned label = static_cast<unsigned>(random()) % 4;
    file << "__label__" << label;
    for (int word = 0; word < 8; ++word)
      file << " w" << (random() % 3 == 0 ? random() % 400 : 100 * label + random() % 100);
    file << "\n";
  }
  file.close();
  const nlohmann::json report = trained("embedding_bag", path("lines.txt"), {"--epochs", "30", "--batch", "16"});
  EXPECT_GE(report.at("test_accuracy"), 0.9);
}

TEST_F(ModelByName, AnOptimizerThatCannotTakeSparseGradientsIsNamed) {
  std::ofstream file(path("lines.txt"));
  for (int i = 0; i < 200; ++i) file << "__label__" << i % 2 << " w" << i % 7 << "\n";
  file.close();
  Program program(support::feral_program,
                  {"train", "embedding_bag", "--data", path("lines.txt"), "--optimizer", "adam", "--epochs", "1"});
  EXPECT_EQ(program.exit_code(), 2);
  EXPECT_TRUE(has(program.errors(), {"Adam: parameter 0 has a sparse gradient"}));
}

}  // namespace
}  // namespace feral
