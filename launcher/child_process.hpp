// A running child as the launcher's event loop sees it: messages, lines of output, and its end.
#pragma once

#include <sys/resource.h>

#include <boost/asio/generic/seq_packet_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "launcher/spawn.hpp"
#include "workers/messages.hpp"

namespace feral {

// How a process ended.
struct ExitStatus {
  int code = 0;    // of a process that exited
  int signal = 0;  // that killed it; 0 when it exited
  rusage resources{};

  bool clean() const noexcept { return signal == 0 && code == 0; }
  std::string to_string() const;  // "killed by SIGKILL", "exited with code 1"
};

class ChildProcess : public std::enable_shared_from_this<ChildProcess> {
 public:
  static constexpr std::size_t lines_kept = 50;

  struct Handlers {
    std::function<void(ChildProcess&, ChildMessage)> message;
    std::function<void(ChildProcess&, const std::string& line)> line;
    // After all output and messages of the child have been seen.
    std::function<void(ChildProcess&, const ExitStatus&)> ended;
  };

  ChildProcess(boost::asio::io_context& context, const ChildIdentity& identity, SpawnedChild spawned,
               Handlers handlers);

  // Begins to listen; keeps itself alive until ended() was called.
  void start();

  void send(std::string_view message);
  // SIGKILL to the child and whatever it started within its process group.
  void kill();
  // Lets it go on if it is stopped.
  void wake();
  // Has its main thread tell where it stands, if it can.
  void ask_for_stack();

  const ChildIdentity& identity() const noexcept { return identity_; }
  std::string description() const { return describe(identity_.role, identity_.owner.index); }
  pid_t pid() const noexcept { return pid_; }
  // The last that it wrote, at most lines_kept.
  std::vector<std::string> last_lines() const { return {last_lines_.begin(), last_lines_.end()}; }
  std::chrono::steady_clock::time_point started() const noexcept { return started_; }

 private:
  void read_output();
  void read_messages();
  void wait_for_end();
  bool take_output();    // false at the end of the pipe
  bool take_messages();  // false when the child's end is closed
  void end_line();
  void drain();

  ChildIdentity identity_;
  pid_t pid_;
  boost::asio::posix::stream_descriptor pidfd_;
  boost::asio::posix::stream_descriptor output_;
  boost::asio::generic::seq_packet_protocol::socket control_;
  Handlers handlers_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::string partial_line_;
  std::deque<std::string> last_lines_;
};

}  // namespace feral
