// The part of the tape that autograd::grad has to go through.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "autograd/node.hpp"

namespace feral::autograd {

// Marks on every edge behind the roots whether it leads to an input, for the length of a pass: what does not is not
// computed. Keeps the nodes alive meanwhile. One inside of another's pass has the tape for itself.
class Route {
 public:
  Route(std::span<const Tensor> roots, std::span<const Tensor> inputs);
  Route(const Route&) = delete;
  Route& operator=(const Route&) = delete;
  ~Route();

  static Route* current() noexcept { return current_; }
  void set_aside();
  void take_up() noexcept;

 private:
  static inline thread_local Route* current_ = nullptr;
  Route* outer_;
  std::vector<std::pair<std::uint8_t, std::uint64_t>> aside_;
  std::vector<Node*> nodes_;
};

// No route for the length of a scope, when `on`: a whole backward inside of a grad().
class RouteAside {
 public:
  explicit RouteAside(bool on) : route_(on ? Route::current() : nullptr) {
    if (route_ != nullptr) route_->set_aside();
  }
  RouteAside(const RouteAside&) = delete;
  RouteAside& operator=(const RouteAside&) = delete;
  ~RouteAside() {
    if (route_ != nullptr) route_->take_up();
  }

 private:
  Route* route_;
};

}  // namespace feral::autograd
