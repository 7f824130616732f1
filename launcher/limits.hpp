// Limits of the system on this process (ulimit) that a job must keep to.
#pragma once

#include <cstdint>

namespace feral {

// Descriptors that the launcher holds: for each child (its end, its output, its messages), for clients of the
// control socket, and for all else, what it takes to start a child included.
inline constexpr std::uint64_t descriptors_per_child = 3;
inline constexpr int most_clients = 8;
inline constexpr std::uint64_t descriptors_of_launcher = 24 + most_clients;

// What a process takes beside its data: code, OpenBLAS's buffers, stacks. Measured: 20 to 35 MiB.
inline constexpr std::uint64_t process_bytes = 40ULL << 20;

// What a process maps beside its data: code, stacks, reserves of malloc and of OpenBLAS, which waits for ever where
// it cannot have its own. Measured: 120 MiB in workers, up to 250 in the evaluator, its data included.
inline constexpr std::uint64_t mapped_bytes = 208ULL << 20;

// Descriptors for a job that grows to so many workers and loaders, with an evaluator and a reserver.
std::uint64_t descriptors_needed(std::uint64_t workers, std::uint64_t loaders) noexcept;

// Raises this process's limit of descriptors to what is needed. Throws feral::Error, with the numbers and the
// remedy, where the hard limit is below. The limit is inherited by the children.
void allow_descriptors(std::uint64_t needed);

// Throws feral::Error when RLIMIT_AS leaves a process no room for `bytes` beside what it has mapped from the start.
void check_address_space(std::uint64_t bytes);

}  // namespace feral
