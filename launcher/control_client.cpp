#include "launcher/control_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "core/fail.hpp"
#include "launcher/attach.hpp"
#include "launcher/progress.hpp"

namespace feral {
namespace {

constexpr timeval patience_for_one{.tv_sec = 5, .tv_usec = 0};
constexpr timeval patience_for_each{.tv_sec = 1, .tv_usec = 0};  // of many

struct Connection {
  shm::Fd socket;
  pid_t pid = 0;  // of whoever listens
};

// Nothing where nobody listens at that name.
std::optional<Connection> connected(const std::string& name, const timeval& patience) {
  Connection connection{.socket = shm::Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)), .pid = 0};
  if (!connection.socket) fail_errno("control: cannot make a socket");
  const int socket = connection.socket.get();
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const JobAddress at = job_address(::geteuid(), name);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&at.address), at.bytes) != 0) {
    if (errno == ECONNREFUSED) return std::nullopt;
    fail_errno("job " + name + ": cannot reach it");
  }
  // Anybody can listen at any abstract name.
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || !may_speak(peer.uid, ::geteuid())) {
    fail("job {}: what listens at its name belongs to another user", name);
  }
  connection.pid = peer.pid;
  return connection;
}

// The descriptor that came with a message.
shm::Fd descriptor_of(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    if (header->cmsg_len != CMSG_LEN(sizeof(int))) continue;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return shm::Fd(descriptor);
  }
  return {};
}

ControlAnswer asked(const Connection& connection, const std::string& name, const ControlRequest& request) {
  const std::string text = encode(request);
  // One that refuses us has answered and hung up already.
  if (::send(connection.socket.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE) {
    fail_errno("job " + name + ": cannot ask it");
  }
  std::vector<char> buffer(max_answer_bytes);
  iovec bytes{.iov_base = buffer.data(), .iov_len = buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> beside{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = beside.data();
  message.msg_controllen = beside.size();
  ssize_t received = 0;
  do {
    received = ::recvmsg(connection.socket.get(), &message, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    fail("job {}: pid {} does not answer; is it stopped?", name, connection.pid);
  }
  if (received <= 0) fail("job {}: it hung up without an answer: too many ask at once, or it is ending", name);
  shm::Fd arena = descriptor_of(message);
  if ((message.msg_flags & MSG_TRUNC) != 0) fail("job {}: its answer is too long", name);
  ControlAnswer answer = decode_answer({buffer.data(), static_cast<std::size_t>(received)});
  answer.arena = std::move(arena);
  answer.status.pid = connection.pid;  // as this process sees it
  return answer;
}

std::set<std::string> listening_names() {
  const std::string prefix = job_address_prefix(::geteuid());
  std::set<std::string> names;
  std::ifstream sockets("/proc/net/unix");
  std::string line;
  while (std::getline(sockets, line)) {
    const std::size_t at = line.find(prefix);
    if (at == std::string::npos) continue;
    const std::string name = line.substr(at + prefix.size());
    try {
      check_job_name(name);
      names.insert(name);
    } catch (const Error&) {  // not one of ours
    }
  }
  return names;
}

std::optional<pid_t> as_pid(const std::string& job) {
  pid_t pid = 0;
  const auto [end, code] = std::from_chars(job.data(), job.data() + job.size(), pid);
  if (code != std::errc() || end != job.data() + job.size() || pid <= 0) return std::nullopt;
  return pid;
}

std::string name_of_pid(pid_t pid) {
  for (const std::string& name : listening_names()) {
    try {
      const auto connection = connected(name, patience_for_each);
      if (connection && connection->pid == pid) return name;
    } catch (const Error&) {  // somebody else's
    }
  }
  fail("job {}: no launcher of a running job has that pid ('feral jobs' lists them)", pid);
}

}  // namespace

ControlAnswer ask_job(const std::string& job, const ControlRequest& request) {
  const auto pid = as_pid(job);
  const std::string name = pid ? name_of_pid(*pid) : job;
  check_job_name(name);
  const auto connection = connected(name, patience_for_one);
  if (!connection) fail("job {}: none of that name runs here ('feral jobs' lists them)", name);
  ControlAnswer answer = asked(*connection, name, request);
  if (!answer.error.empty()) throw Error(answer.error);
  return answer;
}

std::vector<JobStatus> running_jobs() {
  std::vector<JobStatus> jobs;
  for (const std::string& name : listening_names()) {
    try {
      const auto connection = connected(name, patience_for_each);
      if (connection) jobs.push_back(asked(*connection, name, {}).status);
    } catch (const Error&) {  // ended meanwhile, or no job
    }
  }
  return jobs;
}

int list_jobs() {
  const std::vector<JobStatus> jobs = running_jobs();
  if (jobs.empty()) {
    fmt::print("no job of this user runs here\n");
    return 0;
  }
  fmt::print("{:<24} {:>8}  {:>7} {:>7}  {:>11}  {:>10}  {}\n", "job", "pid", "workers", "loaders", "epoch",
             "samples/s", "model on data");
  for (const JobStatus& job : jobs) {
    const std::string epoch = job.epochs == 0 ? "starting" : fmt::format("{}/{}", job.epoch, job.epochs);
    const std::string rate =
        job.paused ? "paused" : with_thousands(static_cast<std::uint64_t>(std::max(job.samples_per_second, 0.0)));
    fmt::print("{:<24} {:>8}  {:>7} {:>7}  {:>11}  {:>10}  {} on {}\n", job.name, job.pid, job.workers, job.loaders,
               epoch, rate, job.model, job.data);
  }
  return 0;
}

int steer_job(const std::string& job, const ControlRequest& request) {
  const ControlAnswer answer = ask_job(job, request);
  fmt::print("job {}: {}\n", answer.status.name, answer.said);
  return 0;
}

int list_tensors(const std::string& job) {
  const AttachedJob attached = attach(job);
  fmt::print("job {}: {} steps, {} whole epochs, {} tensors\n", attached.name(), with_thousands(attached.steps()),
             attached.epochs(), attached.tensors().size());
  fmt::print("{:<36} {:<9} {:<18} {:>12} {:>12} {:>12} {:>12}\n", "tensor", "type", "shape", "offset", "norm",
             "min", "max");
  for (const AttachedTensor& one : attached.tensors()) {
    std::string statistics;
    if (one.tensor.numel() > 0) {
      const Tensor values = one.tensor.to(DType::float64).clone();  // all of them of about one moment
      statistics = fmt::format(" {:>12.5g} {:>12.5g} {:>12.5g}", (values * values).sum().sqrt().item(),
                               values.min().item(), values.max().item());
    }
    fmt::print("{:<36} {:<9} {:<18} {:>12}{}\n", one.name, name_of(one.tensor.dtype()),
               one.tensor.shape().to_string(), one.offset_bytes, statistics);
  }
  return 0;
}

}  // namespace feral
