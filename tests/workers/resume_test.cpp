#include "workers/resume.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "models/mlp.hpp"
#include "nn/flat_parameters.hpp"
#include "optim/adam.hpp"
#include "optim/sgd.hpp"
#include "shm/memfd.hpp"
#include "tensor/safetensors.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "workers/checkpoint_folder.hpp"
#include "workers/checkpoint_writer.hpp"

namespace feral {
namespace {

using support::has;

CheckpointRecord record_at(std::vector<std::uint32_t> turns) {
  CheckpointRecord record;
  record.model = "mlp";
  record.data = "digits";
  record.plan = {.samples = 1000, .batch = 30, .seed = 1};  // 34 batches an epoch
  record.epochs = 3;
  record.optimizer = "sgd";
  record.workers = 2;
  record.position.turns = std::move(turns);
  record.loss_sums = {500, 250};
  record.evaluations = {{.epoch = 0, .accuracy = 0.5, .loss = 2}};
  return record;
}

// A job as record_at() has it.
JobBlock block_of(const std::function<void(TrainOptions&)>& change = {}, std::uint64_t parameter_bytes = 64,
                  std::uint64_t optimizer_bytes = 64) {
  TrainOptions options;
  options.epochs = 3;
  options.batch = 30;
  options.max_workers = 2;
  options.max_loaders = 1;
  if (change) change(options);
  return plan_job(options,
                  {.samples = 1000,
                   .test_samples = 10,
                   .fields = {{"data", DType::float32, {1}}},
                   .parameter_bytes = parameter_bytes,
                   .parameter_elements = 1,
                   .optimizer_bytes = optimizer_bytes,
                   .needs_closure = false,
                   .resident_bytes = 0,
                   .kernels = ""},
                  2);
}

struct Arena {
  explicit Arena(const JobBlock& block) : memfd(shm::create_memfd("feral-test")) {
    const data::BatchLayout layout({{"data", DType::float32, {1}}}, 30);
    shm::set_size_and_seal(memfd.get(), plan_arena(block, slot_bytes(layout)).total_bytes());
    arena.emplace(JobArena::create(memfd.get(), block));
  }
  shm::Fd memfd;
  std::optional<JobArena> arena;
};

TEST(CheckResumable, NamesBothValues) {
  const auto refused = [](const std::function<void(TrainOptions&)>& change, const char* model = "mlp") {
    const JobBlock block = block_of(change);
    return support::error_of([&] { check_resumable(record_at({5, 4}), block, model, "ck/f"); });
  };
  EXPECT_EQ(refused([](TrainOptions&) {}), "");
  EXPECT_EQ(refused([](TrainOptions& o) { o.workers = 1, o.max_loaders = 9, o.epochs = 1, o.lr = 1; }), "");
  EXPECT_TRUE(
      has(refused([](TrainOptions& o) { o.batch = 40; }), {"ck/f was written with --batch 30, now it is 40"}));
  EXPECT_TRUE(has(refused([](TrainOptions& o) { o.seed = 7; }), {"with --seed 1, now it is 7"}));
  EXPECT_TRUE(has(refused([](TrainOptions& o) { o.shared_state = true; }), {"--shared-state off, now it is on"}));
  EXPECT_TRUE(has(refused([](TrainOptions& o) { o.optimizer = optim::Rule::adam; }),
                  {"with --optimizer sgd, now it is adam"}));
  EXPECT_TRUE(has(refused([](TrainOptions&) {}, "lenet"), {"with the model mlp, now it is lenet"}));
  CheckpointRecord other = record_at({5, 4});
  other.plan.samples = 999;
  EXPECT_TRUE(has(support::error_of([&] { check_resumable(other, block_of(), "mlp", "ck/f"); }),
                  {"with training samples: 999, now it is 1000"}));
  EXPECT_TRUE(
      has(support::error_of([&] {
            check_resumable(record_at({20, 17}), block_of([](TrainOptions& o) { o.epochs = 1; }), "mlp", "f");
          }),
          {"f is in epoch 2, --epochs is 1"}));
  EXPECT_TRUE(has(support::error_of([&] {
                    check_resumable(record_at({51, 51}), block_of(), "mlp", "f");
                  }),
                  {"that of a finished run: all of its 3 epochs are done"}));
}

TEST(RestorePosition, PutsRingLedgerAndEvaluationsWhereTheyWere) {
  Arena job(block_of());
  JobArena& arena = *job.arena;
  // Two slots, the second of which was stuck: of the batches above 35 every second one is done.
  const CheckpointRecord record = record_at({25, 17});
  const std::uint64_t redone = restore_position(record, arena);
  EXPECT_EQ(arena.ring().low_water(), 35U);
  EXPECT_EQ(arena.ring().done_count() + redone, 42U);
  EXPECT_EQ(arena.ledger().totals(arena.ring(), 0).samples, 1000U);
  EXPECT_DOUBLE_EQ(arena.ledger().totals(arena.ring(), 0).loss_sum, 500);
  const std::uint64_t begun = (arena.ring().done_count() - 34) * 30;
  EXPECT_EQ(arena.ledger().totals(arena.ring(), 1).samples, begun);
  EXPECT_NEAR(arena.ledger().totals(arena.ring(), 1).loss_sum, 250.0 * static_cast<double>(begun) / 240, 1e-9);
  EXPECT_EQ(arena.ledger().totals(arena.ring(), 2).samples, 0U);
  EXPECT_EQ(arena.evaluations()[0].done.load(), 1U);
  EXPECT_EQ(arena.evaluations()[0].accuracy, 0.5);
  EXPECT_EQ(arena.evaluations()[1].done.load(), 0U);
  EXPECT_EQ(arena.checkpoint().resumed, 43U);
}

class RestoreValues : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "f.safetensors"; }
  std::filesystem::path folder() const { return folder_.path(); }

 private:
  support::TemporaryFolder folder_;
};

TEST_F(RestoreValues, BringsBackWhatTheWriterTook) {
  models::MLP model;
  optim::Adam optimizer(model.parameters());
  const nn::FlatLayout layout = nn::flat_layout(model);
  const JobBlock block = block_of({}, layout.size_bytes, optimizer.state_bytes());
  Arena first(block);
  nn::copy_parameters(layout, first.arena->parameters());
  nn::bind_parameters(layout, first.arena->parameters());
  for (std::byte& byte : first.arena->optimizer_state(1)) byte = std::byte{0x11};
  first.arena->workers()[1].state_made.store(1);
  Job job;
  TrainOptions options;
  options.checkpoint = folder();
  CheckpointWriter(job, options, *first.arena, model, optimizer).write(CheckpointWriter::Occasion::request);
  EXPECT_EQ(first.arena->checkpoint().written.load(), 1U);

  models::MLP other;
  optim::Adam others_optimizer(other.parameters());
  Arena second(block);
  nn::bind_parameters(nn::flat_layout(other), second.arena->parameters());
  restore_values(checkpoint_path(folder(), 0), other, others_optimizer, *second.arena);
  for (const auto& [name, tensor] : model.state_dict())
    EXPECT_TRUE(other.state_dict().at(name).equal(tensor)) << name;
  EXPECT_EQ(second.arena->workers()[0].state_made.load(), 0U);
  EXPECT_EQ(second.arena->workers()[1].state_made.load(), 1U);
  others_optimizer.bind_state(second.arena->optimizer_state(1));
  EXPECT_EQ(others_optimizer.step_count(0), 0x1111'1111'1111'1111U);
}

TEST_F(RestoreValues, RefusesWhatDoesNotFit) {
  models::MLP model;
  optim::Adam optimizer(model.parameters());
  const nn::FlatLayout layout = nn::flat_layout(model);
  Arena job(block_of({}, layout.size_bytes, optimizer.state_bytes()));
  nn::bind_parameters(layout, job.arena->parameters());
  const auto refused = [&](const nn::StateDict& state) {
    save_safetensors(file(), state);
    return support::error_of([&] { restore_values(file(), model, optimizer, *job.arena); });
  };
  nn::StateDict state = model.state_dict();
  EXPECT_EQ(refused(state), "");
  state["optimizer.0.0.momentum_buffer"] = Tensor::zeros({3});
  EXPECT_TRUE(has(refused(state), {"--resume: ", "f.safetensors does not fit the job: "}));
  state = model.state_dict();
  state.erase("fc1.bias");
  EXPECT_TRUE(has(refused(state), {"f.safetensors does not fit the job: load_state_dict: 'fc1.bias' is missing"}));
}

}  // namespace
}  // namespace feral
