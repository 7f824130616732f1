#include "workers/job_functions.hpp"

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"

namespace feral {
namespace {

template <class T>
std::unique_ptr<T> built(const std::function<std::unique_ptr<T>()>& factory, const char* what) {
  if (!factory) fail("job: it has no {}; set Job::{}", what, what);
  std::unique_ptr<T> result = factory();
  if (result == nullptr) fail("job: its {} function returned nothing", what);
  return result;
}

double count_correct(nn::Module& model, const data::Batch& batch) {
  const std::vector<std::int64_t> predicted = model(batch.data()).argmax(1).to_vector<std::int64_t>();
  const std::vector<std::int64_t> expected = batch.target().to_vector<std::int64_t>();
  double correct = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) correct += predicted[i] == expected[i] ? 1 : 0;
  return correct;
}

}  // namespace

std::unique_ptr<nn::Module> build_model(const Job& job) { return built(job.model, "model"); }

std::unique_ptr<data::Dataset> build_train_data(const Job& job) { return built(job.train_data, "train_data"); }

std::unique_ptr<data::Dataset> build_test_data(const Job& job) {
  return job.test_data ? built(job.test_data, "test_data") : nullptr;
}

Tensor batch_loss(const Job& job, nn::Module& model, const data::Batch& batch) {
  if (job.loss) return job.loss(model, batch);
  return nll_loss(model(batch.data()), batch.target());
}

double run_step(const Job& job, StepContext& context) {
  if (job.step) return job.step(context);
  const Tensor loss = batch_loss(job, context.model, context.batch);
  loss.backward();
  context.optimizer.step();
  context.optimizer.zero_grad();
  return loss.item();
}

BatchScore score_batch(const Job& job, nn::Module& model, const data::Batch& batch) {
  BatchScore score;
  score.loss_sum = batch_loss(job, model, batch).item() * static_cast<double>(batch.size());
  score.metric_sum = job.metric ? job.metric(model, batch) : count_correct(model, batch);
  return score;
}

}  // namespace feral
