#include "launcher/catalog.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "workers/job_functions.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

TEST(Catalog, EveryModelThatIsListedCanBeBuilt) {
  const std::string list = list_of_models();
  EXPECT_EQ(list, "lenet, mlp, resnet, transformer, lstm, embedding_bag");
  for (const char* name : {"lenet", "mlp", "resnet", "transformer"}) {
    const Job job = make_job(name, "digits");
    EXPECT_EQ(job.name, name);
    EXPECT_FALSE(job.model()->parameters().empty());
  }
}

// Fifty lines that both text models can read.
std::filesystem::path text_file(const support::TemporaryFolder& folder) {
  const std::filesystem::path path = folder.path() / "lines.txt";
  std::ofstream file(path);
  for (int i = 0; i < 50; ++i) file << "__label__" << (i % 3) << " some words about number " << i % 3 << "\n";
  return path;
}

TEST(Catalog, ModelsOfTextsReadAFileAndMakeTheirDataTheirLossAndTheirMetric) {
  const support::TemporaryFolder folder;
  const std::string file = text_file(folder);
  for (const char* name : {"lstm", "embedding_bag"}) {
    const Job job = make_job(name, file);
    const auto model = job.model();
    const auto train = job.train_data();
    const auto test = job.test_data();
    ASSERT_GT(train->size(), 0);
    ASSERT_GT(test->size(), 0);
    const data::BatchLayout layout(train->fields(), 2);
    std::vector<std::byte> memory(layout.size_bytes());
    train->fill(std::vector<std::int64_t>{0, 1}, layout, memory.data());
    const data::Batch batch(layout, memory.data(), 2);
    const Tensor loss = batch_loss(job, *model, batch);
    EXPECT_GT(loss.item(), 0) << name;
    loss.backward();
    const BatchScore score = score_batch(job, *model, batch);
    EXPECT_NEAR(score.loss_sum, 2 * loss.item(), 1e-4) << name;
    EXPECT_TRUE(score.metric_sum >= 0 && score.metric_sum <= 2) << name;
  }
}

TEST(Catalog, ModelsBringTheirOwnDefaults) {
  EXPECT_EQ(defaults_of_model("lenet").optimizer, optim::Rule::sgd);
  EXPECT_EQ(defaults_of_model("lstm").optimizer, optim::Rule::adam);
  EXPECT_EQ(defaults_of_model("embedding_bag").momentum, 0);
}

TEST(Catalog, DigitsToTestOnAreNoneOfThoseToTrainOn) {
  const Job job = make_job("mlp", "digits");
  EXPECT_EQ(job.data_name, "digits");
  const auto train = job.train_data();
  const auto test = job.test_data();
  EXPECT_EQ(train->size(), 10'000);
  EXPECT_EQ(test->size(), 2'000);
  const data::BatchLayout layout(train->fields(), 1);
  std::vector<std::byte> a(layout.size_bytes());
  std::vector<std::byte> b(layout.size_bytes());
  const std::vector<std::int64_t> first = {0};
  train->fill(first, layout, a.data());
  test->fill(first, layout, b.data());
  EXPECT_NE(a, b);
}

TEST(Catalog, UnknownNamesAreErrorsThatNameWhatThereIs) {
  EXPECT_TRUE(has(error_of([] { make_job("alexnet", "digits"); }), {"unknown model 'alexnet'", "lenet, mlp"}));
  EXPECT_TRUE(has(error_of([] { make_job("", "digits"); }), {"unknown model ''"}));
  EXPECT_TRUE(has(error_of([] { make_job("mlp", "imagenet"); }),
                  {"unknown data set 'imagenet'", "fashion-mnist, digits", "folder"}));
  EXPECT_TRUE(has(error_of([] { make_job("lstm", "digits"); }), {"lstm takes a text", "digits", "--data"}));
  EXPECT_TRUE(has(error_of([] { make_job("embedding_bag", "lines"); }), {"lines: no such file"}));
}

TEST(Catalog, AFolderIsReadOnlyWhenTheDataIsBuilt) {
  const support::TemporaryFolder folder;
  const Job empty = make_job("mlp", folder.path());
  EXPECT_TRUE(has(error_of([&] { empty.train_data(); }), {folder.path().string(), "no such file", "--data PATH"}));
  const Job missing = make_job("mlp", folder.path() / "absent");
  EXPECT_TRUE(has(error_of([&] { missing.test_data(); }), {"absent", "missing", "--data PATH"}));
}

}  // namespace
}  // namespace feral
