#include "workers/messages.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/fail.hpp"

namespace feral {
namespace {

using Json = nlohmann::json;

Json to_json(const JobDescription& d) {
  Json fields = Json::array();
  for (const data::Field& field : d.fields) {
    fields.push_back({{"name", field.name},
                      {"dtype", static_cast<int>(field.dtype)},
                      {"shape", std::vector<std::int64_t>(field.shape.begin(), field.shape.end())}});
  }
  return {{"kind", "described"},
          {"samples", d.samples},
          {"test_samples", d.test_samples},
          {"fields", fields},
          {"parameter_bytes", d.parameter_bytes},
          {"parameter_elements", d.parameter_elements},
          {"optimizer_bytes", d.optimizer_bytes},
          {"needs_closure", d.needs_closure},
          {"resident_bytes", d.resident_bytes},
          {"kernels", d.kernels},
          {"tensor_count", d.tensor_count},
          {"tensor_name_bytes", d.tensor_name_bytes},
          {"tensor_records", d.tensor_records}};
}

JobDescription description_of(const Json& json) {
  JobDescription d;
  d.samples = json.at("samples").get<std::int64_t>();
  d.test_samples = json.at("test_samples").get<std::int64_t>();
  d.parameter_bytes = json.at("parameter_bytes").get<std::uint64_t>();
  d.parameter_elements = json.at("parameter_elements").get<std::int64_t>();
  d.optimizer_bytes = json.at("optimizer_bytes").get<std::uint64_t>();
  d.needs_closure = json.at("needs_closure").get<bool>();
  d.resident_bytes = json.at("resident_bytes").get<std::uint64_t>();
  d.kernels = json.at("kernels").get<std::string>();
  d.tensor_count = json.at("tensor_count").get<std::uint64_t>();
  d.tensor_name_bytes = json.at("tensor_name_bytes").get<std::uint64_t>();
  d.tensor_records = json.at("tensor_records").get<std::uint32_t>();
  for (const Json& field : json.at("fields")) {
    const int dtype = field.at("dtype").get<int>();
    if (dtype < 0 || dtype >= dtype_count) fail("message: element type {}", dtype);
    d.fields.push_back({field.at("name").get<std::string>(), static_cast<DType>(dtype),
                        Shape(std::span<const std::int64_t>(field.at("shape").get<std::vector<std::int64_t>>()))});
  }
  return d;
}

}  // namespace

std::string encode(const ChildMessage& message) {
  if (const auto* described = std::get_if<Described>(&message)) {
    std::string text = to_json(described->description).dump();
    if (text.size() > max_message_bytes) {
      fail("the data set has {} fields: describing them takes {} bytes, allowed are {}",
           described->description.fields.size(), text.size(), max_message_bytes);
    }
    return text;
  }
  std::string words = std::get<Failed>(message).message;
  for (std::size_t limit = max_message_bytes / 2;; limit /= 2) {  // escapes can make text six times as long
    words.resize(std::min(words.size(), limit));
    // Messages quote file names and the like: bytes that are no UTF-8 must not break the report of an error.
    std::string text =
        Json{{"kind", "failed"}, {"message", words}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() <= max_message_bytes) return text;
  }
}

ChildMessage decode_message(const std::string& text) {
  if (std::optional<StackReport> stack = decode_stack_report(text)) return *std::move(stack);
  try {
    const Json json = Json::parse(text);
    const auto kind = json.at("kind").get<std::string>();
    if (kind == "described") return Described{description_of(json)};
    if (kind == "failed") return Failed{json.at("message").get<std::string>()};
    fail("message: unknown kind '{}'", kind);
  } catch (const Json::exception& error) {
    fail("message: {}", error.what());
  }
}

}  // namespace feral
