#include "workers/checkpoint_record.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/fail.hpp"

namespace feral {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* key = "feral.checkpoint";
constexpr int format = 1;
constexpr std::uint64_t most = std::uint64_t{1} << 48;  // of samples and batches: products stay within 64 bits

// JSON has no NaN and no infinity.
Json of_number(double value) { return std::isfinite(value) ? Json(value) : Json(); }
double number_of(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

CheckpointMode mode_of(const std::string& name) {
  for (int i = 0; i < checkpoint_mode_count; ++i) {
    if (name_of(static_cast<CheckpointMode>(i)) == name) return static_cast<CheckpointMode>(i);
  }
  fail("unknown mode '{}'", name);
}

void check(const CheckpointRecord& record) {
  const EpochPlan& plan = record.plan;
  if (plan.samples == 0 || plan.samples > most || plan.batch == 0 || plan.batch > plan.samples) {
    fail("{} samples in batches of {}", plan.samples, plan.batch);
  }
  if (record.epochs == 0 || record.epochs > most / plan.batches_per_epoch()) fail("{} epochs", record.epochs);
  if (record.position.turns.empty() || record.position.turns.size() > shm::SlotRing::max_slots) {
    fail("{} slots", record.position.turns.size());
  }
  if (record.position.end() > record.epochs * plan.batches_per_epoch()) fail("batches beyond the last epoch");
  if (record.loss_sums.size() > record.epochs) fail("{} losses", record.loss_sums.size());
  for (const CheckpointRecord::Measured& measured : record.evaluations) {
    if (measured.epoch >= record.epochs) fail("an evaluation of epoch {}", measured.epoch);
  }
}

}  // namespace

std::string_view name_of(CheckpointMode mode) noexcept {
  constexpr std::string_view names[checkpoint_mode_count] = {"fuzzy", "quiesced"};
  return names[static_cast<int>(mode)];
}

std::map<std::string, std::string> metadata_of(const CheckpointRecord& record) {
  Json losses = Json::array();
  for (const double loss : record.loss_sums) losses.push_back(of_number(loss));
  Json evaluations = Json::array();
  for (const CheckpointRecord::Measured& measured : record.evaluations) {
    evaluations.push_back(Json::array({measured.epoch, of_number(measured.accuracy), of_number(measured.loss)}));
  }
  const Json json = {{"format", format},
                     {"mode", name_of(record.mode)},
                     {"model", record.model},
                     {"data", record.data},
                     {"samples", record.plan.samples},
                     {"batch", record.plan.batch},
                     {"seed", record.plan.seed},
                     {"epochs", record.epochs},
                     {"optimizer", record.optimizer},
                     {"shared_state", record.shared_state},
                     {"workers", record.workers},
                     {"steps", record.position.done_count()},
                     {"turns", record.position.turns},
                     {"loss_sums", losses},
                     {"evaluations", evaluations}};
  // What loads weights for PyTorch wants to know whose layouts they have.
  return {{"format", "pt"},
          {"feral.version", FERAL_VERSION},
          {key, json.dump(-1, ' ', false, Json::error_handler_t::replace)}};
}

CheckpointRecord record_of(const std::map<std::string, std::string>& metadata, const std::string& file) {
  const auto text = metadata.find(key);
  if (text == metadata.end()) fail("{}: is no checkpoint of a job: its metadata have no '{}'", file, key);
  try {
    const Json json = Json::parse(text->second);
    if (json.at("format").get<int>() != format) {
      fail("written in format {}, this version reads {}", json.at("format").get<int>(), format);
    }
    CheckpointRecord record;
    record.mode = mode_of(json.at("mode").get<std::string>());
    record.model = json.at("model").get<std::string>();
    record.data = json.at("data").get<std::string>();
    record.plan = {.samples = json.at("samples").get<std::uint64_t>(),
                   .batch = json.at("batch").get<std::uint64_t>(),
                   .seed = json.at("seed").get<std::uint64_t>()};
    record.epochs = json.at("epochs").get<std::uint64_t>();
    record.optimizer = json.at("optimizer").get<std::string>();
    record.shared_state = json.at("shared_state").get<bool>();
    record.workers = json.at("workers").get<std::uint32_t>();
    record.position.turns = json.at("turns").get<std::vector<std::uint32_t>>();
    for (const Json& loss : json.at("loss_sums").get<std::vector<Json>>())
      record.loss_sums.push_back(number_of(loss));
    for (const Json& one : json.at("evaluations").get<std::vector<Json>>()) {
      record.evaluations.push_back({.epoch = one.at(0).get<std::uint64_t>(),
                                    .accuracy = number_of(one.at(1)),
                                    .loss = number_of(one.at(2))});
    }
    check(record);
    return record;
  } catch (const std::exception& error) {
    fail("{}: its '{}' cannot be used: {}", file, key, error.what());
  }
}

}  // namespace feral
