#include "launcher/control_protocol.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "core/fail.hpp"

namespace feral {
namespace {

using Json = nlohmann::json;

constexpr int protocol_version = 1;
constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_text = 2000;  // of what is said; escapes can make it six times as long

constexpr std::string_view kinds[] = {"status", "scale", "set", "attach"};

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

Json parsed(std::string_view text, std::size_t limit) {
  if (text.size() > limit) fail("control: a message of {} bytes, allowed are {}", text.size(), limit);
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_object()) fail("control: a message that is no JSON object");
  const auto version = json.find("version");
  if (version == json.end() || *version != protocol_version) {
    fail("control: another version of the protocol than {}; use the feral that started the job", protocol_version);
  }
  return json;
}

std::int64_t process_count(const Json& value, const std::string& what) {
  if (!value.is_number_integer()) fail("control: {} is no whole number", what);
  return value.get<std::int64_t>();
}

// Above 0, or `word` for unset.
double positive(const Json& value, const std::string& what, const char* word) {
  if (value == word) return unset;
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0) {
    fail("control: {} must be a number above 0, or {}", what, word);
  }
  return value.get<double>();
}

Json number_or(double value, const char* word) { return value == unset ? Json(word) : Json(value); }

double number_of(std::string_view text, const std::string& change) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || value <= 0) {
    fail("{}: must be a number above 0", change);
  }
  return value;
}

std::string shortened(const std::string& text) { return text.substr(0, longest_text); }

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string encode(const ControlRequest& request) {
  Json json = {{"version", protocol_version}, {"do", kinds[static_cast<std::size_t>(request.kind)]}};
  if (request.workers) json["workers"] = *request.workers;
  if (request.loaders) json["loaders"] = *request.loaders;
  if (request.lr) json["lr"] = number_or(*request.lr, "auto");
  if (request.clip) json["clip"] = number_or(*request.clip, "off");
  if (request.paused) json["paused"] = *request.paused;
  if (request.checkpoint) json["checkpoint"] = true;
  return dumped(json);
}

ControlRequest decode_request(std::string_view text) {
  const Json json = parsed(text, max_request_bytes);
  ControlRequest request;
  bool known = false;
  for (const auto& [key, value] : json.items()) {
    if (key == "version") continue;
    if (key == "do") {
      const auto* kind =
          value.is_string() ? std::ranges::find(kinds, value.get_ref<const std::string&>()) : nullptr;
      if (kind == nullptr || kind == std::end(kinds)) fail("control: an unknown thing to do");
      request.kind = static_cast<ControlRequest::Kind>(kind - kinds);
      known = true;
    } else if (key == "workers") {
      request.workers = process_count(value, key);
    } else if (key == "loaders") {
      request.loaders = process_count(value, key);
    } else if (key == "lr") {
      request.lr = positive(value, key, "auto");
    } else if (key == "clip") {
      request.clip = positive(value, key, "off");
    } else if (key == "paused") {
      if (!value.is_boolean()) fail("control: paused must be true or false");
      request.paused = value.get<bool>();
    } else if (key == "checkpoint") {
      if (value != true) fail("control: checkpoint must be true");
      request.checkpoint = true;
    } else {
      fail("control: an unknown word in a request");
    }
  }
  if (!known) fail("control: a request without anything to do");
  return request;
}

std::string encode(const ControlAnswer& answer) {
  const JobStatus& s = answer.status;
  return dumped({{"version", protocol_version},
                 {"error", shortened(answer.error)},
                 {"said", shortened(answer.said)},
                 {"name", s.name},
                 {"pid", s.pid},
                 {"model", s.model.substr(0, longest_name)},
                 {"data", s.data.substr(0, longest_name)},
                 {"workers", s.workers},
                 {"loaders", s.loaders},
                 {"epoch", s.epoch},
                 {"epochs", s.epochs},
                 {"steps", s.steps},
                 {"total_steps", s.total_steps},
                 {"samples_per_second", s.samples_per_second},
                 {"paused", s.paused}});
}

ControlAnswer decode_answer(std::string_view text) {
  const Json json = parsed(text, max_answer_bytes);
  try {
    ControlAnswer answer;
    answer.error = json.at("error").get<std::string>();
    answer.said = json.at("said").get<std::string>();
    JobStatus& s = answer.status;
    s.name = json.at("name").get<std::string>();
    s.pid = json.at("pid").get<std::int64_t>();
    s.model = json.at("model").get<std::string>();
    s.data = json.at("data").get<std::string>();
    s.workers = json.at("workers").get<std::int64_t>();
    s.loaders = json.at("loaders").get<std::int64_t>();
    s.epoch = json.at("epoch").get<std::uint64_t>();
    s.epochs = json.at("epochs").get<std::uint64_t>();
    s.steps = json.at("steps").get<std::uint64_t>();
    s.total_steps = json.at("total_steps").get<std::uint64_t>();
    s.samples_per_second = json.at("samples_per_second").get<double>();
    s.paused = json.at("paused").get<bool>();
    return answer;
  } catch (const Json::exception&) {
    fail("control: an answer that lacks a part");
  }
}

ControlRequest parse_changes(const std::vector<std::string>& changes) {
  ControlRequest request;
  request.kind = ControlRequest::Kind::set;
  const auto once = [](bool already, const std::string& change) {
    if (already) fail("{}: it is set twice", change);
  };
  for (const std::string& change : changes) {
    const std::size_t equals = change.find('=');
    const std::string name = change.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : change.substr(equals + 1);
    if (name == "lr" && equals != std::string::npos) {
      once(request.lr.has_value(), change);
      request.lr = value == "auto" ? unset : number_of(value, change);
    } else if (name == "clip" && equals != std::string::npos) {
      once(request.clip.has_value(), change);
      request.clip = value == "off" ? unset : number_of(value, change);
    } else if (change == "pause" || change == "resume") {
      once(request.paused.has_value(), change);
      request.paused = change == "pause";
    } else if (change == "checkpoint-now") {
      request.checkpoint = true;
    } else {
      fail("{}: is none of lr=X, lr=auto, clip=X, clip=off, pause, resume, checkpoint-now", change);
    }
  }
  if (changes.empty())
    fail("set: name what to change: lr=X, lr=auto, clip=X, clip=off, pause, resume, checkpoint-now");
  return request;
}

void check_job_name(const std::string& name) {
  const bool only_digits = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  if (name.empty() || name.size() > longest_name || only_digits || !std::ranges::all_of(name, is_name_letter)) {
    std::string shown = name.substr(0, 2 * longest_name);
    std::ranges::replace_if(
        shown, [](char c) { return c >= 0 && c < ' '; }, '?');
    fail("--name '{}': a job's name has 1 to {} letters, digits and '._-', and not only digits", shown,
         longest_name);
  }
}

std::string standard_job_name(std::string_view model, pid_t pid) {
  const std::string number = fmt::format("-{}", pid);
  std::string name(model.substr(0, longest_name - number.size()));
  std::ranges::replace_if(
      name, [](char c) { return !is_name_letter(c); }, '-');
  return name + number;
}

std::string job_address_prefix(uid_t user) { return fmt::format("@feral/{}/", user); }

JobAddress job_address(uid_t user, std::string_view name) {
  const std::string whole = fmt::format("{}{}", job_address_prefix(user), name);
  JobAddress result{};
  result.address.sun_family = AF_UNIX;
  if (whole.size() > sizeof result.address.sun_path) fail("job '{}': the name is too long", name);
  std::ranges::copy(whole, result.address.sun_path);
  result.address.sun_path[0] = '\0';  // abstract: no file
  result.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + whole.size());
  return result;
}

}  // namespace feral
