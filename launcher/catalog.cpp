#include "launcher/catalog.hpp"

#include <filesystem>

#include "core/fail.hpp"
#include "data/digits.hpp"
#include "data/fashion_mnist.hpp"
#include "data/image_dataset.hpp"
#include "models/lenet.hpp"
#include "models/mlp.hpp"
#include "models/resnet.hpp"

namespace feral {
namespace {

using ModelFactory = std::unique_ptr<nn::Module> (*)();

struct CatalogModel {
  const char* name;
  ModelFactory build;
};

constexpr CatalogModel models_by_name[] = {
    {"lenet", [] { return std::unique_ptr<nn::Module>(std::make_unique<models::LeNet>()); }},
    {"mlp", [] { return std::unique_ptr<nn::Module>(std::make_unique<models::MLP>()); }},
    {"resnet", [] { return std::unique_ptr<nn::Module>(std::make_unique<models::ResNet>()); }},
};

constexpr std::int64_t digits_to_train = 10'000;
constexpr std::int64_t digits_to_test = 2'000;

std::unique_ptr<data::Dataset> digits(bool train) {
  // Seeds of their own: test digits are none of the training digits.
  return std::make_unique<data::ImageDataset>(
      data::generate_digits(train ? digits_to_train : digits_to_test, train ? 1 : 2));
}

std::unique_ptr<data::Dataset> mnist_folder(const std::filesystem::path& folder, bool train) {
  data::LabelledImages images = data::read_mnist_folder(folder, train);
  if (images.rows != 28 || images.columns != 28) {
    fail("{}: images of {}×{}, the models here take 28×28", folder.string(), images.rows, images.columns);
  }
  return std::make_unique<data::ImageDataset>(std::move(images));
}

}  // namespace

std::string list_of_models() {
  std::string list;
  for (const CatalogModel& model : models_by_name) list += (list.empty() ? "" : ", ") + std::string(model.name);
  return list;
}

std::string list_of_datasets() { return "fashion-mnist, digits"; }

Job make_job(const std::string& model, const std::string& data) {
  Job job;
  job.name = model;
  job.data_name = data;
  for (const CatalogModel& candidate : models_by_name) {
    if (candidate.name == model) job.model = candidate.build;
  }
  if (!job.model) fail("unknown model '{}'; there are: {}", model, list_of_models());
  if (data == "digits") {
    job.train_data = [] { return digits(true); };
    job.test_data = [] { return digits(false); };
    return job;
  }
  const bool named = data == "fashion-mnist";
  std::error_code ignored;
  if (!named && data.find('/') == std::string::npos && !std::filesystem::exists(data, ignored)) {
    fail("unknown data set '{}'; there are: {}, or name a folder", data, list_of_datasets());
  }
  const std::filesystem::path folder = named ? data::fashion_mnist_folder() : std::filesystem::path(data);
  job.train_data = [folder] { return mnist_folder(folder, true); };
  job.test_data = [folder] { return mnist_folder(folder, false); };
  return job;
}

}  // namespace feral
