#include "launcher/catalog.hpp"

#include <filesystem>

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"
#include "data/digits.hpp"
#include "data/fashion_mnist.hpp"
#include "data/image_dataset.hpp"
#include "data/labelled_text.hpp"
#include "data/text.hpp"
#include "models/embedding_bag.hpp"
#include "models/lenet.hpp"
#include "models/lstm_lm.hpp"
#include "models/mlp.hpp"
#include "models/resnet.hpp"
#include "models/transformer.hpp"

namespace feral {
namespace {

namespace fs = std::filesystem;

template <class Model>
std::unique_ptr<nn::Module> build() {
  return std::make_unique<Model>();
}

// Models that take images of 28×28.
struct ImageModel {
  const char* name;
  std::unique_ptr<nn::Module> (*build)();
};
constexpr ImageModel image_models[] = {
    {"lenet", build<models::LeNet>},
    {"mlp", build<models::MLP>},
    {"resnet", build<models::ResNet>},
    {"transformer", build<models::ImageTransformer>},
};

// Models that take a text file, and what its lines should be.
struct TextModel {
  const char* name;
  void (*fill)(Job& job, const fs::path& file);
};

// The language model: the loss of the next bytes, and how often the likeliest is the right one.
void fill_language_model(Job& job, const fs::path& file) {
  job.model = build<models::LSTMLanguageModel>;
  job.train_data = [file] { return std::make_unique<data::TextDataset>(file, data::Part::train); };
  job.test_data = [file] { return std::make_unique<data::TextDataset>(file, data::Part::test); };
  job.loss = [](nn::Module& model, const data::Batch& batch) {
    return nll_loss(model(batch.data()), batch.target().flatten(0));
  };
  job.metric = [](nn::Module& model, const data::Batch& batch) {
    const Tensor right = model(batch.data()).argmax(1).eq(batch.target().flatten(0));
    return right.to(DType::float32).mean().item() * static_cast<double>(batch.size());
  };
}

// The bag of words, with gradients of the rows that a batch has read.
void fill_classifier(Job& job, const fs::path& file) {
  constexpr data::LabelledTextOptions text = {};
  job.model = [file, text]() -> std::unique_ptr<nn::Module> {
    const auto classes = static_cast<std::int64_t>(data::labels_of(file).size());
    return std::make_unique<models::EmbeddingBagClassifier>(models::EmbeddingBagOptions{
        .vocabulary = text.vocabulary, .classes = classes, .padding_idx = 0, .sparse = true});
  };
  job.train_data = [file, text] { return std::make_unique<data::LabelledText>(file, data::Part::train, text); };
  job.test_data = [file, text] { return std::make_unique<data::LabelledText>(file, data::Part::test, text); };
}

constexpr TextModel text_models[] = {
    {"lstm", fill_language_model},
    {"embedding_bag", fill_classifier},
};

constexpr std::int64_t digits_to_train = 10'000;
constexpr std::int64_t digits_to_test = 2'000;

std::unique_ptr<data::Dataset> digits(bool train) {
  // Seeds of their own: test digits are none of the training digits.
  return std::make_unique<data::ImageDataset>(
      data::generate_digits(train ? digits_to_train : digits_to_test, train ? 1 : 2));
}

std::unique_ptr<data::Dataset> mnist_folder(const fs::path& folder, bool train) {
  data::LabelledImages images = data::read_mnist_folder(folder, train);
  if (images.rows != 28 || images.columns != 28) {
    fail("{}: images of {}×{}, the models here take 28×28", folder.string(), images.rows, images.columns);
  }
  return std::make_unique<data::ImageDataset>(std::move(images));
}

bool is_named(const std::string& data) { return data == "digits" || data == "fashion-mnist"; }

// A name with a slash, or of something that is there.
bool is_path(const std::string& data) {
  std::error_code ignored;
  return data.find('/') != std::string::npos || fs::exists(data, ignored);
}

void fill_images(Job& job, const std::string& data) {
  if (data == "digits") {
    job.train_data = [] { return digits(true); };
    job.test_data = [] { return digits(false); };
    return;
  }
  if (!is_named(data) && !is_path(data)) {
    fail("unknown data set '{}'; there are: {}, or name a folder", data, list_of_datasets());
  }
  const fs::path folder = is_named(data) ? data::fashion_mnist_folder() : fs::path(data);
  job.train_data = [folder] { return mnist_folder(folder, true); };
  job.test_data = [folder] { return mnist_folder(folder, false); };
}

void fill_text(Job& job, const TextModel& model, const std::string& data) {
  if (is_named(data))
    fail("{} takes a text, '{}' is a set of images; name a text file with --data", model.name, data);
  if (!is_path(data)) fail("{}: no such file, for --data of {}", data, model.name);
  model.fill(job, data);
}

}  // namespace

std::string list_of_models() {
  std::string list;
  for (const ImageModel& model : image_models) list += (list.empty() ? "" : ", ") + std::string(model.name);
  for (const TextModel& model : text_models) list += ", " + std::string(model.name);
  return list;
}

std::string list_of_datasets() { return "fashion-mnist, digits"; }

Job make_job(const std::string& model, const std::string& data) {
  Job job;
  job.name = model;
  job.data_name = data;
  for (const ImageModel& candidate : image_models) {
    if (candidate.name != model) continue;
    job.model = candidate.build;
    fill_images(job, data);
    return job;
  }
  for (const TextModel& candidate : text_models) {
    if (candidate.name != model) continue;
    fill_text(job, candidate, data);
    return job;
  }
  fail("unknown model '{}'; there are: {}", model, list_of_models());
}

TrainOptions defaults_of_model(const std::string& model) {
  TrainOptions options;
  if (model == "lstm" || model == "transformer") {
    options.optimizer = optim::Rule::adam;
    options.lr = 2e-3;
    options.momentum = 0;
  }
  if (model == "embedding_bag") {
    options.lr = 0.5;
    options.momentum = 0;  // it would move every row of the table
  }
  return options;
}

}  // namespace feral
