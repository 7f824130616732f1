#include "tensor/tape_node.hpp"

namespace feral {

void release(TapeNode* node) noexcept {
  if (--node->references != 0) return;
  static thread_local TapeNode* dead = nullptr;
  static thread_local bool draining = false;
  node->next_dead = dead;
  dead = node;
  if (draining) return;  // the outermost call frees it
  draining = true;
  while (dead != nullptr) {
    TapeNode* next = dead;
    dead = next->next_dead;
    next->destroy(*next);
  }
  draining = false;
}

}  // namespace feral
