// Checkpoints of whole jobs: what is in them, going on from them, and what happens to them when processes are
// killed, disks are full and files are damaged. FERAL_LONG=1 kills 200 times instead of 10.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <random>

#include "nn/module.hpp"
#include "shm/fd.hpp"
#include "tensor/safetensors.hpp"
#include "tests/support/jobs.hpp"
#include "workers/checkpoint_folder.hpp"
#include "workers/job_arena.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;
namespace fs = std::filesystem;

constexpr int batches = 157;  // of an epoch of digits

class Checkpoint : public support::JobTest {
 protected:
  std::string folder() const { return path("checkpoints"); }

  std::vector<std::string> with_checkpoints(std::vector<std::string> more) const {
    more.insert(more.end(), {"--checkpoint", folder(), "--report", path("report.json")});
    return digits(more);
  }

  // Runs to the end; the output.
  std::string run(const std::vector<std::string>& arguments) const {
    Program program(support::feral_program, arguments);
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    EXPECT_TRUE(program.processes().empty());
    return program.output();
  }
  // Ends with that one line.
  void expect_refused(const std::vector<std::string>& arguments, const std::vector<std::string>& parts) const {
    fs::remove(path("report.json"));  // of an earlier run
    Program program(support::feral_program, arguments);
    expect_failed(program, 2, parts);
  }

  std::vector<std::uint64_t> steps() const { return checkpoint_steps(folder()); }
  fs::path newest() const { return checkpoint_path(folder(), steps().back()); }

  void expect_nothing_half_written() const {
    for (const std::string& name : support::names_in(folder())) {
      EXPECT_TRUE(name.ends_with(".safetensors")) << name;
    }
  }
  void expect_every_sample_once(int epochs) const {
    EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(static_cast<std::size_t>(epochs), 10'000));
    EXPECT_EQ(report().at("steps"), epochs * batches);
  }

  // Waits until the job has written a checkpoint beyond that step.
  bool wait_for_newer_than(std::uint64_t step) const {
    return support::eventually([&] {
      const std::vector<std::uint64_t> there = steps();
      return !there.empty() && there.back() > step;
    });
  }
};

void expect_same_tensors(const fs::path& a, const fs::path& b) {
  const SafetensorsFile first = load_safetensors(a);
  const SafetensorsFile second = load_safetensors(b);
  ASSERT_EQ(first.tensors.size(), second.tensors.size());
  for (const auto& [name, tensor] : first.tensors) {
    ASSERT_TRUE(second.tensors.contains(name)) << name;
    const Tensor& other = second.tensors.at(name);
    ASSERT_EQ(tensor.shape(), other.shape()) << name;
    EXPECT_EQ(std::memcmp(tensor.raw_data(), other.raw_data(),
                          static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype())),
              0)
        << name;
  }
}

TEST_F(Checkpoint, HoldsWeightsUnderPyTorchsNamesAndTheOptimizersState) {
  run(with_checkpoints({"--epochs", "2", "--workers", "2", "--optimizer", "adam"}));
  expect_nothing_half_written();
  EXPECT_EQ(steps().back(), 2U * batches);
  const SafetensorsFile file = load_safetensors(newest());
  EXPECT_TRUE(file.checked);
  EXPECT_EQ(file.tensors.at("fc1.weight").shape(), (Shape{128, 784}));
  EXPECT_EQ(file.tensors.at("fc2.bias").shape(), (Shape{10}));
  std::int64_t counted = 0;
  for (const char* worker : {"optimizer.0.", "optimizer.1."}) {
    EXPECT_EQ(file.tensors.at(std::string(worker) + "0.exp_avg_sq").shape(), (Shape{128, 784}));
    counted += file.tensors.at(std::string(worker) + "0.step").item<std::int64_t>();
  }
  EXPECT_EQ(counted, 2 * batches);
  EXPECT_EQ(file.metadata.at("format"), "pt");
  EXPECT_EQ(report().at("checkpoint"), newest().string());
  EXPECT_EQ(report().at("steps_before"), 0);
}

class ResumedFromAQuiescedOne : public Checkpoint, public testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(ResumedFromAQuiescedOne, ARunIsBitForBitTheUninterruptedOne) {
  std::vector<std::string> options = {
      "train",    GetParam().front(),  "--data", "digits", "--workers", "1", "--loaders", "1", "--checkpoint-mode",
      "quiesced", "--checkpoint-keep", "100"};
  options.insert(options.end(), GetParam().begin() + 1, GetParam().end());
  const auto into = [&](const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> all = options;
    all.insert(all.end(), {"--checkpoint", path(name)});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  run(into("whole", {}));
  const std::vector<std::uint64_t> written = checkpoint_steps(path("whole"));
  ASSERT_GE(written.size(), 2U);
  fs::create_directory(path("again"));
  fs::copy(checkpoint_path(path("whole"), written.front()), path("again"));
  EXPECT_EQ(record_of(load_safetensors(checkpoint_path(path("whole"), written.front())).metadata, "").mode,
            CheckpointMode::quiesced);
  const std::string output = run(into("again", {"--resume", "--report", path("report.json")}));
  EXPECT_TRUE(has(output, {"goes on from " + path("again") + "/step-", " (quiesced): "}));
  EXPECT_EQ(report().at("steps_before"), written.front());
  EXPECT_EQ(report().at("batches_redone"), 0);
  for (const auto& samples : report().at("samples_seen_per_epoch")) EXPECT_EQ(samples, 10'000);
  expect_same_tensors(checkpoint_path(path("whole"), written.back()),
                      checkpoint_path(path("again"), written.back()));
}

INSTANTIATE_TEST_SUITE_P(Jobs, ResumedFromAQuiescedOne,
                         testing::Values(std::vector<std::string>{"mlp", "--epochs", "4", "--momentum", "0.9"},
                                         std::vector<std::string>{"mlp", "--epochs", "4", "--optimizer", "adam",
                                                                  "--schedule", "one-cycle"},
                                         // Its dropout draws by the number of the batch.
                                         std::vector<std::string>{"lenet", "--epochs", "2", "--shared-state"}),
                         [](const auto& instance) { return "Case" + std::to_string(instance.index); });

TEST_F(Checkpoint, KeepsTheNewestAndTheBest) {
  run(with_checkpoints({"--epochs", "12", "--checkpoint-keep", "2"}));
  EXPECT_LE(steps().size(), 2U);
  EXPECT_EQ(steps().back(), 12U * batches);
  EXPECT_TRUE(check_safetensors(best_checkpoint_path(folder())).checked);
  expect_nothing_half_written();
}

TEST_F(Checkpoint, OtherWorkersAndLoadersGoOnFromIt) {
  {
    Program program(support::feral_program, with_checkpoints({"--epochs", support::endless, "--workers", "2"}));
    ASSERT_TRUE(trains(program));
    program.signal(SIGTERM);
    EXPECT_EQ(program.exit_code(support::gone_within), 143);
    EXPECT_TRUE(has(support::lines_of(program.output()).back(),
                    {"stopped in epoch ", "checkpoint written to " + newest().string()}));
    expect_nothing_half_written();
  }
  const int epochs = static_cast<int>(steps().back() / batches) + 3;
  run(with_checkpoints({"--resume", "--epochs", std::to_string(epochs), "--workers", "4", "--loaders", "2",
                        "--max-workers", "9", "--max-loaders", "5"}));
  expect_every_sample_once(epochs);
  EXPECT_GE(report().at("test_accuracy"), 0.95);
}

TEST_F(Checkpoint, IsWrittenWhenTheLauncherIsKilled) {
  Program program(support::feral_program,
                  with_checkpoints({"--epochs", support::endless, "--checkpoint-every", "50000"}));
  ASSERT_TRUE(trains(program));
  EXPECT_TRUE(steps().empty());
  program.signal(SIGKILL);
  ASSERT_TRUE(program.gone(support::gone_within));
  ASSERT_EQ(steps().size(), 1U);
  EXPECT_TRUE(newest_checkpoint(folder()).found);
}

TEST_F(Checkpoint, IsWrittenWhenItIsAskedForInTheArena) {
  Program program(support::feral_program, with_checkpoints({"--epochs", support::endless, "--checkpoint-every",
                                                            "50000", "--checkpoint-mode", "quiesced"}));
  ASSERT_TRUE(trains(program));
  const shm::Fd memfd(
      ::open(("/proc/" + std::to_string(program.find("feral-eval")) + "/fd/4").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(memfd);
  JobArena arena = JobArena::attach(memfd.get());
  for (std::uint64_t number = 1; number <= 3; ++number) {
    EXPECT_EQ(arena.checkpoint().requests.fetch_add(1), number - 1);
    arena.control().changed.notify();
    ASSERT_TRUE(support::eventually([&] { return arena.checkpoint().answered.load() >= number; }));
    EXPECT_EQ(arena.checkpoint().written.load(), number);
    EXPECT_EQ(arena.checkpoint().newest.load(), steps().back() + 1);
  }
  EXPECT_EQ(newest_checkpoint(folder()).found->record.mode, CheckpointMode::quiesced);
}

TEST_F(Checkpoint, DamagedOnesArePassedOver) {
  run(with_checkpoints({"--epochs", "8"}));
  const std::vector<std::uint64_t> before = steps();
  ASSERT_GE(before.size(), 2U);
  {
    std::fstream file(newest(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(5000);
    const char byte = static_cast<char>(file.get() ^ 4);
    file.seekp(5000);
    file.put(byte);
  }
  const std::string output = run(with_checkpoints({"--epochs", "8", "--resume"}));
  EXPECT_TRUE(has(output, {"passed over ", "is damaged: the checksum of",
                           "goes on from " + checkpoint_path(folder(), before[before.size() - 2]).string()}));
  expect_every_sample_once(8);
  EXPECT_EQ(newest_checkpoint(folder()).found->step, 8U * batches);
  for (const std::uint64_t step : steps()) fs::resize_file(checkpoint_path(folder(), step), 100);
  expect_refused(with_checkpoints({"--epochs", "8", "--resume"}), {"none of the ", " is whole; of the newest: "});
}

TEST_F(Checkpoint, ADiskThatFillsUpCostsTheTrainingNothing) {
  Program program(support::feral_program, with_checkpoints({"--epochs", "100"}));
  ASSERT_TRUE(wait_for_newer_than(0));
  const rlimit limit{.rlim_cur = 200'000, .rlim_max = 200'000};
  ASSERT_EQ(::prlimit(program.find("feral-eval"), RLIMIT_FSIZE, &limit, nullptr), 0);
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_TRUE(has(program.output(), {"no checkpoint was written, training goes on: ", "File too large"}));
  EXPECT_TRUE(has(program.output(), {"done: 1,000,000 samples"}));
  expect_every_sample_once(100);
  expect_nothing_half_written();
  EXPECT_TRUE(newest_checkpoint(folder()).skipped.empty());
}

TEST_F(Checkpoint, AFolderThatCannotBeUsedIsAnErrorBeforeTraining) {
  std::ofstream(path("file")) << "in the way";
  expect_refused(digits({"--checkpoint", path("file")}), {"--checkpoint ", "is a file, name a folder"});
  expect_refused(digits({"--checkpoint", path("file") + "/below"}), {"--checkpoint ", "cannot make that folder"});
  expect_refused(digits({"--checkpoint", "/proc/1"}), {"--checkpoint /proc/1: cannot write there"});
  expect_refused(digits({"--resume"}), {"--resume: --checkpoint DIR must say from where"});
  expect_refused(with_checkpoints({"--resume"}), {"--resume: there is no folder"});
  expect_refused(digits({"--checkpoint-every", "0"}), {"--checkpoint-every 0: must be 1 to"});
  expect_refused(digits({"--checkpoint-keep", "0"}), {"--checkpoint-keep 0: must be 1 to"});
  fs::create_directory(folder());
  expect_refused(with_checkpoints({"--resume"}), {"--resume: there is no checkpoint in"});
}

TEST_F(Checkpoint, AReadOnlyFolderIsAnErrorBeforeTraining) {
  fs::create_directory(folder());
  const std::string mount =
      "mount --bind '" + folder() + "' '" + folder() + "' && mount -o remount,bind,ro '" + folder() + "'";
  const fs::path unshare = "/usr/bin/unshare";
  if (std::system(("unshare -m sh -c \"" + mount + "\" >/dev/null 2>&1").c_str()) != 0) {
    GTEST_SKIP() << "no file systems may be mounted here";
  }
  Program program(unshare, {"-m", "sh", "-c",
                            mount + " && exec '" + support::feral_program.string() +
                                "' train mlp --data digits --checkpoint '" + folder() + "'"});
  expect_failed(program, 2, {"--checkpoint ", "cannot write there: Read-only file system"});
}

TEST_F(Checkpoint, OfAnotherRunIsNeitherMixedNorOverwritten) {
  run(with_checkpoints({"--epochs", "2"}));
  expect_refused(with_checkpoints({"--epochs", "2"}), {"holds the checkpoints of another run; --resume goes on"});
  expect_refused(digits({"--resume", "--epochs", "3", "--checkpoint", folder(), "--batch", "32"}),
                 {"was written with --batch 64, now it is 32"});
  expect_refused(train("lenet", "digits", {"--resume", "--checkpoint", folder()}),
                 {"was written with the model mlp, now it is lenet"});
  expect_refused(digits({"--resume", "--epochs", "2", "--checkpoint", folder()}), {"is that of a finished run"});
}

TEST_F(Checkpoint, TwoJobsDoNotShareAFolder) {
  Program program(support::feral_program, with_checkpoints({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  expect_refused(digits({"--resume", "--checkpoint", folder()}), {"another job writes its checkpoints there"});
}

TEST_F(Checkpoint, KillsWhileItIsWrittenLeaveAWholeOneEachTime) {
  const int kills = std::getenv("FERAL_LONG") == nullptr ? 10 : 200;
  std::mt19937 random(std::random_device{}());
  std::uint64_t last = 0;
  for (int kill = 0; kill < kills;) {
    std::vector<std::string> arguments =
        with_checkpoints({"--epochs", support::endless, "--max-restarts", "100000"});
    if (last != 0) arguments.emplace_back("--resume");
    Program program(support::feral_program, arguments);
    // Some of the evaluator alone, then the whole job.
    for (int i = 0; i < 3 && kill < kills; ++i, ++kill) {
      ASSERT_TRUE(wait_for_newer_than(last)) << program.output() << program.errors();
      // Checkpoints follow one another within milliseconds: most instants lie within one.
      ::poll(nullptr, 0, static_cast<int>(random() % 20));
      if (i < 2) {
        ::kill(program.wait_for("feral-eval"), SIGKILL);
      } else {
        for (const support::ProcessInfo& process : program.processes()) ::kill(process.pid, SIGKILL);
        ASSERT_TRUE(program.gone(support::patience));
      }
      const CheckpointSearch search = newest_checkpoint(folder());
      ASSERT_TRUE(search.found) << "kill " << kill;
      EXPECT_TRUE(search.skipped.empty()) << search.skipped.front();
      EXPECT_GE(search.found->step, last);
      last = search.found->step;
    }
  }
  const int epochs = static_cast<int>(last / batches) + 2;
  run(with_checkpoints({"--epochs", std::to_string(epochs), "--resume"}));
  expect_every_sample_once(epochs);
  expect_nothing_half_written();
}

}  // namespace
}  // namespace feral
