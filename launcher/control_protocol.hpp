// What is said on the socket of a running job: one request and one answer a connection, each one packet of JSON.
#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shm/fd.hpp"

namespace feral {

inline constexpr std::size_t max_request_bytes = 4 * 1024;
inline constexpr std::size_t max_answer_bytes = 16 * 1024;

// A learning rate or a limit of gradients that is taken back.
inline constexpr double unset = 0;

struct ControlRequest {
  enum class Kind { status, scale, set, attach };
  Kind kind = Kind::status;
  std::optional<std::int64_t> workers;  // of scale
  std::optional<std::int64_t> loaders;  // of scale
  std::optional<double> lr;             // of set: above 0, or unset: as scheduled
  std::optional<double> clip;           // of set: above 0, or unset: no clipping
  std::optional<bool> paused;           // of set
  bool checkpoint = false;              // of set: one is to be written now
};

struct JobStatus {
  std::string name;
  std::int64_t pid = 0;  // the launcher's, as it sees itself
  std::string model;
  std::string data;
  std::int64_t workers = 0;
  std::int64_t loaders = 0;
  std::uint64_t epoch = 0;  // from 1; 0 before training
  std::uint64_t epochs = 0;
  std::uint64_t steps = 0;
  std::uint64_t total_steps = 0;
  double samples_per_second = 0;
  bool paused = false;
};

struct ControlAnswer {
  std::string error;  // empty: it was done
  std::string said;   // what was done, in one line
  JobStatus status;
  shm::Fd arena;  // of attach: the arena's memory, opened to read; travels beside the text
};

std::string encode(const ControlRequest& request);
std::string encode(const ControlAnswer& answer);

// Throw feral::Error for anything that is no such message, with values out of range or words unknown.
ControlRequest decode_request(std::string_view text);
ControlAnswer decode_answer(std::string_view text);

// "lr=0.01", "lr=auto", "clip=1.0", "clip=off", "pause", "resume", "checkpoint-now": a request to set. Throws
// feral::Error.
ControlRequest parse_changes(const std::vector<std::string>& changes);

// Names of jobs have 1 to 64 of letters, digits and "._-", one of them no digit. Throws feral::Error.
void check_job_name(const std::string& name);

// The name of a job that was given none: "lenet-12345".
std::string standard_job_name(std::string_view model, pid_t pid);

// The abstract address (no file) of a user's job.
struct JobAddress {
  sockaddr_un address;
  socklen_t bytes;
};
JobAddress job_address(uid_t user, std::string_view name);
// What all abstract names of that user's jobs begin with, as /proc/net/unix shows them: "@feral/0/".
std::string job_address_prefix(uid_t user);

// Whether a process of `peer` may speak with one of `own`: the same user, and root.
constexpr bool may_speak(uid_t peer, uid_t own) noexcept { return peer == own || peer == 0; }

}  // namespace feral
