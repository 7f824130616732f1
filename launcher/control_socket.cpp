#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include "launcher/control_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>

#include "core/fail.hpp"
#include "launcher/limits.hpp"

namespace feral {
namespace {

namespace asio = boost::asio;

constexpr int waiting_clients = 16;  // that the kernel keeps for us
constexpr std::chrono::seconds longest_request{1};
constexpr std::chrono::milliseconds pause_without_descriptors{100};
constexpr int first_free_descriptor = 10;  // above stdout and its like, which may be closed

// One packet, with a descriptor beside it; a client that does not read loses it.
void send_answer(int socket, const ControlAnswer& answer) {
  std::string text = encode(answer);
  iovec bytes{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> beside{};
  if (answer.arena) {
    message.msg_control = beside.data();
    message.msg_controllen = beside.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int descriptor = answer.arena.get();
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ControlAnswer refusal(std::string reason) {
  ControlAnswer answer;
  answer.error = std::move(reason);
  return answer;
}

// One client, from its connection to its answer; kept alive by what it waits for.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(asio::io_context& context, shm::Fd socket, pid_t pid,
         std::shared_ptr<const ControlSocket::Handler> handler, std::shared_ptr<int> clients)
      : socket_(context, socket.release()),
        deadline_(context, longest_request),
        pid_(pid),
        handler_(std::move(handler)),
        clients_(std::move(clients)) {
    ++*clients_;
  }
  ~Client() { --*clients_; }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void start() {
    deadline_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      boost::system::error_code ignored;
      if (!error) self->socket_.close(ignored);
    });
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                         self->deadline_.cancel();
                         if (!error) self->serve();
                       });
  }

 private:
  void serve() {
    std::array<char, max_request_bytes> buffer;
    // The true length also of a packet that was cut.
    const ssize_t bytes = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (bytes <= 0) return;
    ControlAnswer answer;
    try {
      const auto length = static_cast<std::size_t>(bytes);
      if (length > buffer.size()) fail("control: a request of {} bytes, allowed are {}", length, buffer.size());
      answer = (*handler_)(decode_request({buffer.data(), length}), pid_);
    } catch (const std::exception& error) {
      answer = refusal(error.what());
    }
    send_answer(socket_.native_handle(), answer);
  }

  asio::posix::stream_descriptor socket_;
  asio::steady_timer deadline_;
  pid_t pid_;
  std::shared_ptr<const ControlSocket::Handler> handler_;
  std::shared_ptr<int> clients_;
};

shm::Fd listening_socket(const std::string& name) {
  const shm::Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) fail_errno("control: cannot make a socket");
  const JobAddress at = job_address(::geteuid(), name);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at.address), at.bytes) != 0) {
    if (errno == EADDRINUSE) fail("--name {}: another job has that name ('feral jobs' lists them)", name);
    fail_errno("control: cannot bind the socket of job " + name);
  }
  if (::listen(socket.get(), waiting_clients) != 0) fail_errno("control: cannot listen");
  shm::Fd above(::fcntl(socket.get(), F_DUPFD_CLOEXEC, first_free_descriptor));
  if (!above) fail_errno("control: no file descriptor left (raise ulimit -n)");
  return above;
}

}  // namespace

ControlSocket::ControlSocket(asio::io_context& context, const std::string& name, Handler handler)
    : context_(context),
      listening_(context, listening_socket(name).release()),
      pause_(context),
      handler_(std::make_shared<const Handler>(std::move(handler))) {
  wait_for_client();
}

void ControlSocket::wait_for_client() {
  listening_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (!error) take_clients();
  });
}

void ControlSocket::take_clients() {
  // A bounded number a turn of the event loop: the children are to be heard as well.
  for (int i = 0; i < waiting_clients; ++i) {
    shm::Fd socket(::accept4(listening_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) break;
      // No descriptor left, say: the client stays where it is, so waiting for it would return at once.
      pause_.expires_after(pause_without_descriptors);
      pause_.async_wait([this](boost::system::error_code error) {
        if (!error) wait_for_client();
      });
      return;
    }
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) continue;
    if (!may_speak(peer.uid, ::geteuid())) {
      send_answer(socket.get(), refusal("control: this job belongs to another user"));
    } else if (*clients_ >= most_clients) {
      send_answer(socket.get(), refusal("control: too many ask at once; ask again"));
    } else {
      try {
        std::make_shared<Client>(context_, std::move(socket), peer.pid, handler_, clients_)->start();
      } catch (const std::exception&) {  // the kernel has no room to watch it
      }
    }
  }
  wait_for_client();
}

}  // namespace feral
