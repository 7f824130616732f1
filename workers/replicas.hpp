// --replicas per-node: one replica of the parameters a NUMA node, so that updates stay within the node's caches and
// memory; the workers themselves bring the replicas together (after HogWild++: Zhang, Hsieh, Akella, "HogWild++: A
// New Mechanism for Decentralized Asynchronous Stochastic Gradient Descent", ICDM 2016).
//
// The workers of a node read and write its replica alone, as they would the shared parameters. There is one token.
// Whoever ends a batch when its node has not been reconciled for some batches tries to take the token, and goes on
// without if somebody else has it, so that the nodes take turns and nobody waits. The holder walks over its
// replica, cache line by cache line: what has changed there since the last time is added to the common parameters,
// and what other nodes have brought there since is added to the replica. In the end the common parameters hold the
// sum of what all nodes have learnt; it is these that are evaluated and kept.
//
// A holder killed on the way leaves the lines before as reconciled and those behind as not yet, and both states are
// good; of the one line that it was at, what its node had changed may be added twice. The launcher gives the token
// back.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "shm/owner_lock.hpp"
#include "workers/parameter_stretches.hpp"

namespace feral {

class Replicas {
 public:
  // Bytes of shared memory; all-zero bytes are replicas before fill().
  static std::size_t size_bytes(std::uint32_t nodes, std::uint64_t parameter_bytes);

  // Where the memory of that node lies, from where the region's own offset (in the same mapping) counts.
  struct Range {
    std::size_t offset_bytes;
    std::size_t size_bytes;
  };
  static Range range_of(std::uint32_t node, std::size_t region_offset, std::uint32_t nodes,
                        std::uint64_t parameter_bytes);

  // Throws feral::Error when `memory` has another size.
  Replicas(std::span<std::byte> memory, std::uint32_t nodes, std::uint64_t parameter_bytes);

  std::uint32_t nodes() const noexcept { return static_cast<std::uint32_t>(states_.size()); }
  // The node of a worker.
  std::uint32_t node_of(std::uint32_t worker) const noexcept { return worker % nodes(); }
  // What the models of that node are bound to, on a boundary of pages.
  std::span<std::byte> replica(std::uint32_t node) const noexcept { return memory_of(node, 0); }

  // All replicas become the common parameters. Evaluator, before it publishes those.
  void fill(std::span<const std::byte> common) noexcept;

  // Worker, after its batch: reconciles its node if it is time and nobody else is at it.
  void batch_done(shm::Owner worker, const ParameterStretches& stretches, std::span<std::byte> common) noexcept;
  // Worker, when it leaves: reconciles its node, after whoever is at it.
  void leave(shm::Owner worker, const ParameterStretches& stretches, std::span<std::byte> common) noexcept;
  // Launcher: gives the token back if that worker, who is gone for good, had it.
  void release_dead(shm::Owner worker) noexcept { header_->token.release_dead(worker); }

  // How often a node has been reconciled, all together.
  std::uint64_t reconciliations() const noexcept;

  // Batches of a node from one reconciliation to the next. HogWild++ found 64 a good balance of news against
  // traffic.
  static constexpr std::uint64_t batches_between = 64;

 private:
  struct Header {
    shm::OwnerLock token;
  };
  // Of one node.
  struct alignas(control_line_bytes) State {
    std::atomic<std::uint64_t> batches;     // added to by the node's workers, relaxed
    std::atomic<std::uint64_t> reconciled;  // what `batches` was then: written by the holder of the token, relaxed
    std::atomic<std::uint64_t> times;       // likewise
  };

  // The node's replica (0), or what was common when it was last reconciled (1), the holder of the token's.
  std::span<std::byte> memory_of(std::uint32_t node, std::size_t which) const noexcept;
  void reconcile(std::uint32_t node, const ParameterStretches& stretches, std::span<std::byte> common) noexcept;

  Header* header_;
  std::span<State> states_;
  std::span<std::byte> memory_;
  std::size_t bytes_;
};

}  // namespace feral
