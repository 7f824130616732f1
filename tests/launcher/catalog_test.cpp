#include "launcher/catalog.hpp"

#include <gtest/gtest.h>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

TEST(Catalog, EveryModelThatIsListedCanBeBuilt) {
  const std::string list = list_of_models();
  EXPECT_EQ(list, "lenet, mlp, resnet");
  for (const char* name : {"lenet", "mlp", "resnet"}) {
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
  EXPECT_TRUE(has(error_of([] { make_job("alexnet", "digits"); }), {"unknown model 'alexnet'", "lenet, mlp"}));
  EXPECT_TRUE(has(error_of([] { make_job("", "digits"); }), {"unknown model ''"}));
  EXPECT_TRUE(has(error_of([] { make_job("mlp", "imagenet"); }),
                  {"unknown data set 'imagenet'", "fashion-mnist, digits", "folder"}));
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
