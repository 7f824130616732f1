// The end of the tape that tensors hold on to. The tensor layer knows how to count and let go of a node, no more.
#pragma once

#include <cstdint>

namespace feral {

struct TensorImpl;

struct TapeNode {
  std::uint32_t references = 1;
  // Frees the node; set by autograd/.
  void (*destroy)(TapeNode&) noexcept = nullptr;
  TapeNode* next_dead = nullptr;
  TensorImpl* retainer = nullptr;  // the tensor whose grad() is to keep the gradient; not counted, it clears this
};

inline void retain(TapeNode* node) noexcept { ++node->references; }

// Drops one reference. Chains of nodes go away one by one, not by recursion: a tape of a million nodes must not
// overflow the stack.
void release(TapeNode* node) noexcept;

}  // namespace feral
