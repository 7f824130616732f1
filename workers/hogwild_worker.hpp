// The Hogwild loop: take a batch, compute gradients in private memory, update the shared parameters without a lock.
#pragma once

#include "shm/slot_ring.hpp"
#include "workers/job.hpp"
#include "workers/job_arena.hpp"

namespace feral {

// Trains until every batch of the job is done or a stop is requested. `owner` is the worker's index and generation.
// The model is built here and its parameters bound to the arena's. Runs in a worker process; tests run several as
// threads of one. Throws what the job's functions throw.
void run_hogwild_worker(const Job& job, JobArena& arena, shm::Owner owner);

}  // namespace feral
