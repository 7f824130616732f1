#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include "launcher/child_process.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/fail.hpp"
#include "core/log.hpp"

namespace feral {
namespace {

namespace asio = boost::asio;

constexpr std::size_t longest_line = 4000;  // a child without newlines is cut into lines of this length
// What a pipe holds. No more is read at a time: a child that never stops talking must not keep the launcher from
// hearing anything else, and one that is gone can have left no more.
constexpr std::size_t pipe_bytes = 64 * 1024;

}  // namespace

std::string ExitStatus::to_string() const {
  if (signal == 0) return fmt::format("exited with code {}", code);
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("killed by SIG{}", name) : fmt::format("killed by signal {}", signal);
}

ChildProcess::ChildProcess(asio::io_context& context, const ChildIdentity& identity, SpawnedChild spawned,
                           Handlers handlers)
    : identity_(identity),
      pid_(spawned.pid),
      pidfd_(context, spawned.pidfd.release()),
      output_(context, spawned.output.release()),
      control_(context, asio::generic::seq_packet_protocol(AF_UNIX, 0), spawned.control.release()),
      handlers_(std::move(handlers)) {
  output_.non_blocking(true);
  control_.non_blocking(true);
}

void ChildProcess::start() {
  read_output();
  read_messages();
  wait_for_end();
}

void ChildProcess::send(std::string_view message) {
  boost::system::error_code ignored;  // a child that is gone is reported by its pidfd
  control_.send(asio::buffer(message.data(), message.size()), MSG_NOSIGNAL, ignored);
}

void ChildProcess::kill() {
  // Not reaped yet, so the number is still this child's and its group's.
  if (pidfd_.is_open()) ::kill(-pid_, SIGKILL);
}

void ChildProcess::wake() {
  if (pidfd_.is_open()) ::kill(-pid_, SIGCONT);
}

void ChildProcess::ask_for_stack() {
  if (pidfd_.is_open()) ::syscall(SYS_tgkill, pid_, pid_, stack_signal());
}

// Both readers wait for readiness and read only then: nothing is ever read that no handler has seen, so the end of
// the child, whose handler drains both, cannot overtake its last words.

void ChildProcess::read_output() {
  output_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](boost::system::error_code error) {
                       if (!error && self->take_output()) self->read_output();
                     });
}

bool ChildProcess::take_output() {
  std::array<char, 4096> buffer;
  boost::system::error_code error;
  for (std::size_t taken = 0; taken < pipe_bytes;) {
    const std::size_t bytes = output_.read_some(asio::buffer(buffer), error);
    if (bytes == 0) return error == asio::error::would_block;
    taken += bytes;
    for (std::size_t i = 0; i < bytes; ++i) {
      if (buffer[i] != '\n') partial_line_.push_back(buffer[i]);
      if (buffer[i] == '\n' || partial_line_.size() >= longest_line) {
        end_line();
      }
    }
  }
  return true;
}

void ChildProcess::end_line() {
  if (last_lines_.size() == lines_kept) last_lines_.pop_front();
  last_lines_.push_back(std::exchange(partial_line_, {}));
  handlers_.line(*this, last_lines_.back());
}

void ChildProcess::read_messages() {
  control_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->take_messages()) self->read_messages();
  });
}

bool ChildProcess::take_messages() {
  std::vector<char> buffer(max_message_bytes);
  for (;;) {
    const ssize_t bytes = ::recv(control_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (bytes <= 0) return bytes < 0 && (errno == EAGAIN || errno == EINTR);
    try {
      handlers_.message(*this, decode_message(std::string(buffer.data(), static_cast<std::size_t>(bytes))));
    } catch (const Error& error) {
      log::warning("{} sent what is no message: {}", description(), error.what());
    }
  }
}

void ChildProcess::wait_for_end() {
  pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [self = shared_from_this()](boost::system::error_code error) {
                      if (error) return;
                      ExitStatus status;
                      int word = 0;
                      status.signal = SIGKILL;  // should the kernel not say, then not "clean"
                      if (::wait4(self->pid_, &word, 0, &status.resources) == self->pid_) {
                        status.signal = WIFSIGNALED(word) ? WTERMSIG(word) : 0;
                        status.code = WIFEXITED(word) ? WEXITSTATUS(word) : 0;
                      }
                      self->drain();
                      self->handlers_.ended(*self, status);
                    });
}

void ChildProcess::drain() {
  take_messages();
  take_output();
  if (!partial_line_.empty()) end_line();
  boost::system::error_code ignored;
  control_.close(ignored);
  output_.close(ignored);
  pidfd_.close(ignored);
}

}  // namespace feral
