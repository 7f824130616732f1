#include "launcher/report.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/fail.hpp"

namespace feral {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const StalenessSummary& s) {
  return {{"mean", s.mean}, {"p50", s.p50}, {"p99", s.p99}, {"max", s.max}};
}

std::string temporary_name(const std::string& path) { return fmt::format("{}.{}.tmp", path, ::getpid()); }

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::unique_ptr<std::FILE, FileCloser> open_temporary(const std::string& path) {
  // The report is renamed into place: what stands there must be a file, or a device or link would be replaced.
  std::error_code ignored;
  const auto present = std::filesystem::symlink_status(path, ignored);
  if (std::filesystem::is_directory(present)) fail("--report {}: is a folder, name a file", path);
  if (std::filesystem::exists(present) && !std::filesystem::is_regular_file(present)) {
    fail("--report {}: is no regular file, name one", path);
  }
  std::unique_ptr<std::FILE, FileCloser> file(std::fopen(temporary_name(path).c_str(), "wx"));
  if (!file) fail("--report {}: cannot write there: {}", path, system_message(errno));
  return file;
}

}  // namespace

std::string to_json(const Report& report) {
  Json json;
  json["model"] = report.model;
  json["data"] = report.data;
  json["workers"] = report.options.workers;
  json["loaders"] = report.options.loaders;
  json["batch"] = report.options.batch;
  json["epochs"] = report.options.epochs;
  json["steps"] = report.steps;
  json["samples_total"] = report.samples_total;
  json["seconds_train"] = report.seconds_train;
  json["samples_per_second"] = report.samples_per_second();
  json["time_to_first_step_seconds"] = report.time_to_first_step_seconds;
  json["test_accuracy"] = report.test_accuracy ? Json(*report.test_accuracy) : Json();
  json["test_loss"] = report.test_loss ? Json(*report.test_loss) : Json();
  json["worker_restarts"] = report.worker_restarts;
  json["loader_restarts"] = report.loader_restarts;
  json["batches_redone"] = report.batches_redone;
  json["samples_seen_per_epoch"] = report.samples_seen_per_epoch;
  json["arena_bytes"] = report.arena_bytes;
  json["peak_rss_bytes_per_worker"] = report.peak_rss_bytes_per_worker;
  json["version"] = FERAL_VERSION;
  json["host"] = {{"cores", report.cores}, {"cpu", report.cpu}, {"gpus", Json::array()}};
  json["policy"] = name_of(report.options.policy);
  json["publish_every"] = report.options.publish_every;
  json["replicas"] = report.replicas;
  json["reconciliations"] = report.reconciliations;
  json["deterministic"] = report.options.deterministic;
  json["parameters_checksum"] = fmt::format("{:016x}", report.parameters_checksum);
  json["updates_dropped_nonfinite"] = report.meters.dropped_nonfinite;
  json["updates_dropped_nonfinite_per_worker"] = report.meters.dropped_nonfinite_per_worker;
  json["staleness"] = to_json(report.meters.staleness);
  json["staleness_per_worker"] = Json::array();
  for (const StalenessSummary& one : report.meters.staleness_per_worker) {
    json["staleness_per_worker"].push_back(to_json(one));
  }
  json["steps_before"] = report.steps_before;
  json["checkpoint"] = report.checkpoint.empty() ? Json() : Json(report.checkpoint);
  json["changes"] = Json::array();
  for (const Change& change : report.changes) {
    json["changes"].push_back({{"seconds", change.seconds}, {"what", change.what}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

void check_report_path(const std::string& path) {
  if (path.empty()) return;
  open_temporary(path);
  ::unlink(temporary_name(path).c_str());
}

void write_report(const Report& report, const std::string& path) {
  const std::string text = to_json(report) + "\n";
  auto file = open_temporary(path);
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                       std::fflush(file.get()) == 0 && ::fsync(::fileno(file.get())) == 0;
  const int reason = errno;
  file.reset();
  if (!written || std::rename(temporary_name(path).c_str(), path.c_str()) != 0) {
    const int code = written ? errno : reason;
    ::unlink(temporary_name(path).c_str());
    fail("--report {}: cannot write it: {}", path, system_message(code));
  }
}

}  // namespace feral
