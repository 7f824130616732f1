#include "launcher/catalog.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

TEST(Catalog, EveryModelThatIsListedCanBeBuilt) {
  const std::string list = list_of_models();
  EXPECT_EQ(list, "lenet, lstm, mlp, resnet, transformer");
  for (const char* name : {"lenet", "mlp", "resnet", "transformer"}) {
    const Job job = make_job(name, "digits");
    EXPECT_EQ(job.name, name);
    EXPECT_FALSE(job.model()->parameters().empty());
  }
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
  EXPECT_TRUE(
      has(error_of([] { make_job("alexnet", "digits"); }), {"unknown model 'alexnet'", "lenet, lstm, mlp"}));
  EXPECT_TRUE(has(error_of([] { make_job("", "digits"); }), {"unknown model ''"}));
  EXPECT_TRUE(has(error_of([] { make_job("mlp", "imagenet"); }),
                  {"unknown data set 'imagenet'", "fashion-mnist, digits", "folder"}));
}

TEST(Catalog, LanguageModelsReadATextFile) {
  const support::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "text";
  std::ofstream(path) << std::string(2000, 'x');
  const Job job = make_job("lstm", path);
  EXPECT_EQ(job.train_data()->size(), 28);
  EXPECT_EQ(job.test_data()->size(), 3);
  const auto model = job.model();
  const auto dataset = job.test_data();
  const data::BatchLayout layout(dataset->fields(), 2);
  const Tensor memory = Tensor::zeros({static_cast<std::int64_t>(layout.size_bytes())}, DType::uint8);
  const std::vector<std::int64_t> indices = {0, 1};
  dataset->fill(indices, layout, memory.raw_data());
  const data::Batch batch(layout, memory.raw_data(), 2);
  EXPECT_NEAR(job.loss(*model, batch).item(), std::log(256.0), 0.5);
  const double foretold = job.metric(*model, batch);
  EXPECT_GE(foretold, 0);
  EXPECT_LE(foretold, 2);
  for (const char* none : {"digits", "fashion-mnist", "/absent", "/"}) {
    EXPECT_TRUE(has(error_of([&] { make_job("lstm", none); }), {"model 'lstm' reads text", none}));
  }
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
