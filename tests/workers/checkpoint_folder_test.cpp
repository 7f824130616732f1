#include "workers/checkpoint_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tensor/safetensors.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral {
namespace {

using support::has;
using support::names_in;
namespace fs = std::filesystem;

class CheckpointFolder : public testing::Test {
 protected:
  fs::path folder() const { return folder_.path(); }

  // A checkpoint of that many steps of one slot.
  void write(std::uint32_t step, std::uint32_t says) const {
    CheckpointRecord record;
    record.plan = {.samples = 10, .batch = 1, .seed = 1};
    record.epochs = 100;
    record.position.turns = {says};
    save_safetensors(checkpoint_path(folder(), step), {{"w", Tensor::full({3}, step)}}, metadata_of(record));
  }
  void write(std::uint32_t step) const { write(step, step); }
  void spoil(std::uint32_t step) const {
    std::fstream file(checkpoint_path(folder(), step), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x55');
  }

 private:
  support::TemporaryFolder folder_;
};

TEST_F(CheckpointFolder, TakesTheNewestWholeOneAndSaysWhyNotOthers) {
  EXPECT_FALSE(newest_checkpoint(folder()).found);
  EXPECT_FALSE(newest_checkpoint(folder() / "none").found);
  for (const std::uint32_t step : {9U, 10U, 80U, 90U, 100U}) write(step);
  spoil(90);
  fs::resize_file(checkpoint_path(folder(), 80), 20);
  write(70, 71);
  std::ofstream(folder() / "step-1.safetensors") << "another's name";
  std::ofstream(folder() / "notes.txt") << "another's file";
  EXPECT_EQ(checkpoint_steps(folder()), (std::vector<std::uint64_t>{9, 10, 70, 80, 90, 100}));
  EXPECT_EQ(newest_checkpoint(folder()).found->step, 100U);
  save_safetensors(checkpoint_path(folder(), 100), {{"w", Tensor::ones({1})}});
  const CheckpointSearch search = newest_checkpoint(folder());
  ASSERT_TRUE(search.found);
  EXPECT_EQ(search.found->step, 10U);
  EXPECT_EQ(search.found->record.position.done_count(), 10U);
  ASSERT_EQ(search.skipped.size(), 4U);
  EXPECT_TRUE(has(search.skipped[0], {"step-000000000100.safetensors: is no checkpoint of a job"}));
  EXPECT_TRUE(has(search.skipped[1], {"step-000000000090.safetensors: is damaged: the checksum of tensor 'w'"}));
  EXPECT_TRUE(has(search.skipped[2], {"step-000000000080.safetensors: announces a header"}));
  EXPECT_TRUE(has(search.skipped[3], {"step-000000000070.safetensors: is the checkpoint of step 71"}));
}

TEST_F(CheckpointFolder, PrunesTheOldestAndNeverTheOneJustWritten) {
  for (const std::uint32_t step : {1U, 2U, 3U, 4U, 9U}) write(step);
  prune_checkpoints(folder(), 4, 2);
  EXPECT_EQ(checkpoint_steps(folder()), (std::vector<std::uint64_t>{3, 4, 9}));
  prune_checkpoints(folder(), 4, 1);
  EXPECT_EQ(checkpoint_steps(folder()), (std::vector<std::uint64_t>{4, 9}));
  prune_checkpoints(folder() / "none", 4, 1);
}

TEST_F(CheckpointFolder, TheBestOutlivesItsStep) {
  write(1);
  keep_as_best(folder(), 1);
  keep_as_best(folder(), 1);
  write(2);
  prune_checkpoints(folder(), 2, 1);
  EXPECT_EQ(load_safetensors(best_checkpoint_path(folder())).tensors.at("w").data<float>()[0], 1);
  keep_as_best(folder(), 2);
  EXPECT_EQ(load_safetensors(best_checkpoint_path(folder())).tensors.at("w").data<float>()[0], 2);
  EXPECT_EQ(names_in(folder()), (std::set<std::string>{"best.safetensors", "step-000000000002.safetensors"}));
  EXPECT_TRUE(
      has(support::error_of([&] { keep_as_best(folder(), 7); }), {"best.safetensors: cannot write the file"}));
  EXPECT_EQ(names_in(folder()).size(), 2U);
}

TEST_F(CheckpointFolder, RemovesWhatWasHalfWritten) {
  write(1);
  std::ofstream(folder() / ".feral-123-0.tmp") << "half";
  std::ofstream(folder() / ".feral-best-7.tmp") << "half";
  std::ofstream(folder() / "mine.tmp") << "not ours";
  remove_temporaries(folder());
  EXPECT_EQ(names_in(folder()), (std::set<std::string>{"mine.tmp", "step-000000000001.safetensors"}));
}

}  // namespace
}  // namespace feral
