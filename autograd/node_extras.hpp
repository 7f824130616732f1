// What few nodes of the tape have.
#pragma once

#include <vector>

#include "autograd/node.hpp"
#include "tensor/gradient_extras.hpp"

namespace feral {

struct NodeExtras {
  GradientExtras gradient;    // hooks on the output's gradient
  std::vector<void*> origin;  // return addresses of where it was recorded, in anomaly mode
};

inline NodeExtras& extras_of(Node& node) {
  if (node.extras == nullptr) node.extras = new NodeExtras;
  return *node.extras;
}

}  // namespace feral
