#include "launcher/catalog.hpp"

#include <filesystem>

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"
#include "data/digits.hpp"
#include "data/fashion_mnist.hpp"
#include "data/image_dataset.hpp"
#include "data/text.hpp"
#include "models/lenet.hpp"
#include "models/lstm_lm.hpp"
#include "models/mlp.hpp"
#include "models/resnet.hpp"
#include "models/transformer.hpp"

namespace feral {
namespace {

using ModelFactory = std::unique_ptr<nn::Module> (*)();

struct CatalogModel {
  const char* name;
  ModelFactory build;
  bool reads_text = false;  // images otherwise
};

constexpr CatalogModel models_by_name[] = {
    {"lenet", [] { return std::unique_ptr<nn::Module>(std::make_unique<models::LeNet>()); }},
    {"lstm", [] { return std::unique_ptr<nn::Module>(std::make_unique<models::LstmLm>()); }, true},
    {"mlp", [] { return std::unique_ptr<nn::Module>(std::make_unique<models::MLP>()); }},
    {"resnet", [] { return std::unique_ptr<nn::Module>(std::make_unique<models::ResNet>()); }},
    {"transformer", [] { return std::unique_ptr<nn::Module>(std::make_unique<models::PatchTransformer>()); }},
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

// The file's bytes, each to be told from those before it.
void read_text(Job& job, const std::string& data) {
  std::error_code ignored;
  if (!std::filesystem::exists(data, ignored) || std::filesystem::is_directory(data, ignored)) {
    fail("model '{}' reads text: name a text file, '{}' is none", job.name, data);
  }
  const std::filesystem::path path = data;
  job.train_data = [path] { return std::make_unique<data::TextDataset>(path, data::Part::train); };
  job.test_data = [path] { return std::make_unique<data::TextDataset>(path, data::Part::test); };
  job.loss = [](nn::Module& model, const data::Batch& batch) {
    return nll_loss(model(batch.data()), batch.target().reshape({-1}));
  };
  // The part of a sample's bytes that were foretold.
  job.metric = [](nn::Module& model, const data::Batch& batch) {
    const Tensor hits = model(batch.data()).argmax(1).eq(batch.target().reshape({-1}));
    return hits.count_nonzero().item() / static_cast<double>(batch.target().shape()[1]);
  };
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
  bool reads_text = false;
  for (const CatalogModel& candidate : models_by_name) {
    if (candidate.name != model) continue;
    job.model = candidate.build;
    reads_text = candidate.reads_text;
  }
  if (!job.model) fail("unknown model '{}'; there are: {}", model, list_of_models());
  if (reads_text) {
    read_text(job, data);
    return job;
  }
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
