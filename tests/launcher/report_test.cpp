#include "launcher/report.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/messages.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral {
namespace {

namespace fs = std::filesystem;
using support::error_of;
using support::has;

Report report() {
  Report r;
  r.model = "lenet";
  r.data = "fashion-mnist";
  r.options.workers = 3;
  r.options.loaders = 2;
  r.options.epochs = 4;
  r.options.batch = 50;
  r.steps = 4800;
  r.samples_total = 240'000;
  r.seconds_train = 12;
  r.time_to_first_step_seconds = 0.25;
  r.test_accuracy = 0.875;
  r.test_loss = 0.5;
  r.worker_restarts = 1;
  r.loader_restarts = 2;
  r.batches_redone = 1;
  r.samples_seen_per_epoch = {60'000, 60'000, 60'000, 60'000};
  r.arena_bytes = 1 << 20;
  r.peak_rss_bytes_per_worker = 1 << 21;
  r.cores = 8;
  r.cpu = "A \"CPU\"";
  r.options.policy = Policy::atomic_add;
  r.options.publish_every = 4;
  r.parameters_checksum = 0x1234'5678'9abc;
  r.meters.staleness = {.updates = 10, .mean = 0.5, .p50 = 1, .p99 = 3, .max = 4};
  r.meters.staleness_per_worker = {r.meters.staleness, {}};
  r.meters.dropped_nonfinite = 3;
  r.meters.dropped_nonfinite_per_worker = {1, 2};
  r.changes = {{.seconds = 1.5, .what = "lr 0.25"}};
  return r;
}

TEST(Report, HasTheKeysThatStayStable) {
  const nlohmann::json json = nlohmann::json::parse(to_json(report()));
  const nlohmann::json expected = {
      {"model", "lenet"},
      {"data", "fashion-mnist"},
      {"workers", 3},
      {"loaders", 2},
      {"batch", 50},
      {"epochs", 4},
      {"steps", 4800},
      {"samples_total", 240'000},
      {"seconds_train", 12.0},
      {"samples_per_second", 20'000.0},
      {"time_to_first_step_seconds", 0.25},
      {"test_accuracy", 0.875},
      {"test_loss", 0.5},
      {"worker_restarts", 1},
      {"loader_restarts", 2},
      {"batches_redone", 1},
      {"samples_seen_per_epoch", {60'000, 60'000, 60'000, 60'000}},
      {"arena_bytes", 1 << 20},
      {"peak_rss_bytes_per_worker", 1 << 21},
      {"version", FERAL_VERSION},
      {"host", {{"cores", 8}, {"cpu", "A \"CPU\""}, {"gpus", nlohmann::json::array()}}},
      {"policy", "atomic-add"},
      {"publish_every", 4},
      {"deterministic", false},
      {"parameters_checksum", "0000123456789abc"},
      {"updates_dropped_nonfinite", 3},
      {"updates_dropped_nonfinite_per_worker", {1, 2}},
      {"staleness", {{"mean", 0.5}, {"p50", 1}, {"p99", 3}, {"max", 4}}},
      {"staleness_per_worker",
       {{{"mean", 0.5}, {"p50", 1}, {"p99", 3}, {"max", 4}}, {{"mean", 0.0}, {"p50", 0}, {"p99", 0}, {"max", 0}}}},
      {"steps_before", 0},
      {"checkpoint", nullptr},
      {"changes", {{{"seconds", 1.5}, {"what", "lr 0.25"}}}}};
  for (const auto& [key, value] : expected.items()) {
    ASSERT_TRUE(json.contains(key)) << key;
    EXPECT_EQ(json.at(key), value) << key;
  }
}

TEST(Report, WithoutTestDataTheAccuracyIsNull) {
  Report r = report();
  r.test_accuracy.reset();
  r.test_loss.reset();
  const nlohmann::json json = nlohmann::json::parse(to_json(r));
  EXPECT_TRUE(json.at("test_accuracy").is_null());
  EXPECT_TRUE(json.at("test_loss").is_null());
}

TEST(Report, TheSpeedOfAResumedRunIsThatOfItsOwnSamples) {
  Report r = report();
  r.steps_before = 2400;
  r.samples_before = 120'000;
  r.checkpoint = "ck/step-000000004800.safetensors";
  const nlohmann::json json = nlohmann::json::parse(to_json(r));
  EXPECT_EQ(json.at("samples_total"), 240'000);
  EXPECT_EQ(json.at("samples_per_second"), 10'000.0);
  EXPECT_EQ(json.at("steps_before"), 2400);
  EXPECT_EQ(json.at("checkpoint"), "ck/step-000000004800.safetensors");
}

TEST(Report, WithoutTrainingTheSpeedIsZeroAndNotInfinite) {
  Report r = report();
  r.seconds_train = 0;
  EXPECT_EQ(nlohmann::json::parse(to_json(r)).at("samples_per_second"), 0.0);
}

TEST(Report, NamesThatAreNoTextAreReplaced) {
  Report r = report();
  r.data = "folder\xff";
  EXPECT_TRUE(nlohmann::json::parse(to_json(r)).at("data").get<std::string>().starts_with("folder"));
}

TEST(ReportFile, IsWrittenWholeAndAlone) {
  const support::TemporaryFolder folder;
  const fs::path path = folder.path() / "report.json";
  std::ofstream(path) << "an old report that is longer\n" << std::string(10'000, 'x');
  check_report_path(path);
  EXPECT_TRUE(support::content_of(path).starts_with("an old report")) << "checking changes nothing";
  write_report(report(), path);
  EXPECT_EQ(support::content_of(path), to_json(report()) + "\n");
  EXPECT_EQ(support::names_in(folder.path()), std::set<std::string>{"report.json"});
}

TEST(ReportFile, APathThatCannotBeWrittenIsAnErrorThatNamesIt) {
  const support::TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  const fs::path absent = folder.path() / "absent" / "r.json";
  const fs::path below_a_file = folder.path() / "file" / "r.json";
  const fs::path too_long = folder.path() / std::string(300, 'x');
  for (const fs::path& path : {absent, below_a_file, too_long}) {
    EXPECT_TRUE(
        has(error_of([&] { check_report_path(path); }), {"--report " + path.string(), "cannot write there"}));
    EXPECT_TRUE(has(error_of([&] { write_report(report(), path); }), {"--report " + path.string()}));
  }
  EXPECT_TRUE(has(error_of([&] { check_report_path(folder.path()); }), {"is a folder"}));
  EXPECT_EQ(support::names_in(folder.path()), std::set<std::string>{"file"});
}

TEST(ReportFile, WhatIsNoRegularFileIsNeverReplaced) {
  const support::TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  fs::create_symlink(folder.path() / "file", folder.path() / "link");
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  for (const fs::path& path : {folder.path() / "link", folder.path() / "pipe", fs::path("/dev/null")}) {
    EXPECT_TRUE(has(error_of([&] { write_report(report(), path); }), {path.string(), "no regular file"}));
  }
  EXPECT_TRUE(fs::is_symlink(folder.path() / "link"));
  EXPECT_TRUE(fs::is_fifo(folder.path() / "pipe"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(ReportFile, NoPathIsNoReport) {
  EXPECT_EQ(error_of([] { check_report_path(""); }), "");
}

}  // namespace
}  // namespace feral
