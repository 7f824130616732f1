#include "workers/checkpoint_record.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/messages.hpp"

namespace feral {
namespace {

CheckpointRecord record() {
  CheckpointRecord r;
  r.model = "lenet \"x\"";
  r.data = "größe";
  r.plan = {.samples = 1000, .batch = 30, .seed = std::numeric_limits<std::uint64_t>::max()};
  r.epochs = 7;
  r.optimizer = "adam";
  r.shared_state = true;
  r.workers = 3;
  r.mode = CheckpointMode::quiesced;
  r.position.turns = {20, 19, 19};
  r.loss_sums = {0.1, std::numeric_limits<double>::quiet_NaN()};
  r.evaluations = {{.epoch = 0, .accuracy = 0.5, .loss = std::numeric_limits<double>::infinity()}};
  return r;
}

TEST(CheckpointRecord, ComesBackFromTheMetadata) {
  const CheckpointRecord r = record();
  const CheckpointRecord back = record_of(metadata_of(r), "f");
  EXPECT_EQ(back.model, r.model);
  EXPECT_EQ(back.data, r.data);
  EXPECT_EQ(back.plan.samples, r.plan.samples);
  EXPECT_EQ(back.plan.batch, r.plan.batch);
  EXPECT_EQ(back.plan.seed, r.plan.seed);
  EXPECT_EQ(back.epochs, r.epochs);
  EXPECT_EQ(back.optimizer, r.optimizer);
  EXPECT_EQ(back.shared_state, r.shared_state);
  EXPECT_EQ(back.workers, r.workers);
  EXPECT_EQ(back.mode, r.mode);
  EXPECT_EQ(back.position.turns, r.position.turns);
  ASSERT_EQ(back.loss_sums.size(), 2U);
  EXPECT_EQ(back.loss_sums[0], 0.1);
  EXPECT_TRUE(std::isnan(back.loss_sums[1]));
  ASSERT_EQ(back.evaluations.size(), 1U);
  EXPECT_EQ(back.evaluations[0].epoch, 0U);
  EXPECT_EQ(back.evaluations[0].accuracy, 0.5);
  EXPECT_FALSE(std::isfinite(back.evaluations[0].loss));
  EXPECT_EQ(metadata_of(r).at("format"), "pt");
  EXPECT_EQ(metadata_of(r).at("feral.version"), FERAL_VERSION);
}

TEST(CheckpointRecord, RefusesWhatContradictsItself) {
  const auto changed = [](const std::function<void(nlohmann::json&)>& change) {
    std::map<std::string, std::string> metadata = metadata_of(record());
    nlohmann::json json = nlohmann::json::parse(metadata.at("feral.checkpoint"));
    change(json);
    metadata["feral.checkpoint"] = json.dump();
    return support::error_of([&] { record_of(metadata, "f"); });
  };
  EXPECT_EQ(changed([](auto&) {}), "");
  for (const char* key : {"format", "mode", "model", "data", "samples", "batch", "seed", "epochs", "optimizer",
                          "shared_state", "workers", "turns", "loss_sums", "evaluations"}) {
    EXPECT_TRUE(
        support::has(changed([&](auto& json) { json.erase(key); }), {"f: its 'feral.checkpoint' cannot", key}));
    EXPECT_NE(changed([&](auto& json) { json[key] = nlohmann::json::object({{"a", 1}}); }), "") << key;
  }
  EXPECT_TRUE(
      support::has(changed([](auto& json) { json["format"] = 2; }), {"written in format 2, this version reads 1"}));
  EXPECT_TRUE(support::has(changed([](auto& json) { json["mode"] = "blurred"; }), {"unknown mode 'blurred'"}));
  EXPECT_NE(changed([](auto& json) { json["batch"] = 0; }), "");
  EXPECT_NE(changed([](auto& json) { json["batch"] = 1001; }), "");
  EXPECT_NE(changed([](auto& json) { json["samples"] = std::uint64_t{1} << 63; }), "");
  EXPECT_NE(changed([](auto& json) { json["epochs"] = std::uint64_t{1} << 63; }), "");
  EXPECT_NE(changed([](auto& json) { json["turns"] = nlohmann::json::array(); }), "");
  EXPECT_NE(changed([](auto& json) { json["turns"] = std::vector<int>(5000, 1); }), "");
  EXPECT_TRUE(support::has(changed([](auto& json) {
                             json["turns"] = {238, 1, 1};
                           }),
                           {"batches beyond the last epoch"}));
  EXPECT_NE(changed([](auto& json) { json["evaluations"][0][0] = 7; }), "");
  EXPECT_NE(changed([](auto& json) { json["evaluations"][0] = 7; }), "");
  EXPECT_TRUE(support::has(support::error_of([] { record_of({}, "f"); }), {"f: is no checkpoint of a job"}));
  EXPECT_NE(support::error_of([] { record_of({{"feral.checkpoint", "{"}}, "f"); }), "");
}

}  // namespace
}  // namespace feral
