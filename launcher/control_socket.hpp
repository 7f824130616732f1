// The launcher's end of a job's socket: other programs of the same user ask and steer through it.
//
// An abstract Unix socket: no file, no port, gone with the launcher. A client has one request, a short time to send
// it, and gets one answer; nothing that it does or leaves undone keeps the launcher from its children.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "launcher/control_protocol.hpp"

namespace feral {

class ControlSocket {
 public:
  // Called in the event loop. A feral::Error that it throws becomes the answer.
  using Handler = std::function<ControlAnswer(const ControlRequest& request, pid_t asker)>;

  // Claims the name and begins to listen; throws feral::Error when another job of this user has it.
  ControlSocket(boost::asio::io_context& context, const std::string& name, Handler handler);

 private:
  void wait_for_client();
  void take_clients();

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor listening_;
  boost::asio::steady_timer pause_;  // after the kernel had no descriptor for a client
  std::shared_ptr<const Handler> handler_;
  std::shared_ptr<int> clients_ = std::make_shared<int>(0);
};

}  // namespace feral
