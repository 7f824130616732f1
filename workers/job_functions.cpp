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

// How often the largest of a row of `output` stands at the target.
double count_correct(const Tensor& output, const data::Batch& batch) {
  const std::vector<std::int64_t> predicted = output.argmax(1).to_vector<std::int64_t>();
  const std::vector<std::int64_t> expected = batch.target().to_vector<std::int64_t>();
  if (predicted.size() != expected.size()) {
    fail("accuracy: targets {} for outputs of {} rows; set Job::metric", batch.target().shape().to_string(),
         predicted.size());
  }
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

std::unique_ptr<optim::Optimizer> build_optimizer(const Job& job, nn::Module& model, optim::Rule rule,
                                                  const optim::RuleOptions& options) {
  if (!job.optimizer) return optim::make_optimizer(rule, model.parameters(), options);
  std::unique_ptr<optim::Optimizer> result = job.optimizer(model);
  if (result == nullptr) fail("job: its optimizer function returned nothing");
  return result;
}

optim::LRSchedule build_schedule(const Job& job, const optim::ScheduleOptions& options,
                                 const optim::JobLength& length) {
  return job.schedule ? job.schedule(length) : optim::make_schedule(options, length);
}

optim::RuleOptions rule_options(const TrainOptions& options) noexcept {
  return {.lr = options.lr,
          .momentum = options.momentum,
          .weight_decay = options.weight_decay,
          .beta1 = options.beta1,
          .beta2 = options.beta2};
}

optim::ScheduleOptions schedule_options(const TrainOptions& options) noexcept {
  return {.schedule = options.schedule,
          .gamma = options.lr_gamma,
          .power = options.lr_power,
          .period = static_cast<std::uint64_t>(options.lr_period),
          .warmup = static_cast<std::uint64_t>(options.warmup)};
}

std::string_view name_of(Policy policy) noexcept {
  constexpr std::string_view names[policy_count] = {"racy", "atomic-add", "locked", "snapshot"};
  return names[static_cast<int>(policy)];
}

std::string_view name_of(OnNonfinite reaction) noexcept {
  constexpr std::string_view names[on_nonfinite_count] = {"drop", "stop"};
  return names[static_cast<int>(reaction)];
}

Tensor batch_loss(const Job& job, nn::Module& model, const data::Batch& batch) {
  if (job.loss) return job.loss(model, batch);
  return nll_loss(model(batch.data()), batch.target());
}

double run_step(const Job& job, StepContext& context) {
  if (job.step) return job.step(context);
  if (context.optimizer.needs_closure()) {
    const Tensor first = context.optimizer.step([&] {
      context.optimizer.zero_grad();
      const Tensor loss = batch_loss(job, context.model, context.batch);
      loss.backward();
      return loss.detach();
    });
    context.optimizer.zero_grad();
    return first.item();
  }
  const Tensor loss = batch_loss(job, context.model, context.batch);
  loss.backward();
  context.optimizer.step();
  context.optimizer.zero_grad();
  return loss.item();
}

BatchScore score_batch(const Job& job, nn::Module& model, const data::Batch& batch) {
  const auto samples = static_cast<double>(batch.size());
  // One pass through the model serves both defaults.
  const Tensor output = job.loss && job.metric ? Tensor() : model(batch.data());
  const Tensor loss = job.loss ? job.loss(model, batch) : nll_loss(output, batch.target());
  return {.loss_sum = loss.item() * samples,
          .metric_sum = job.metric ? job.metric(model, batch) : count_correct(output, batch)};
}

}  // namespace feral
