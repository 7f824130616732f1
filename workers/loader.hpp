// The loader loop: claim the next batch number, fill its slot, hand it over.
#pragma once

#include "data/dataset.hpp"
#include "shm/slot_ring.hpp"
#include "workers/job_arena.hpp"

namespace feral {

// Fills slots until every batch of the job is done or a stop is requested. Runs in a loader process; tests run it
// as a thread. Throws what the data set throws, and feral::Error when it does not fit the job's plan.
void run_loader(const data::Dataset& dataset, JobArena& arena, shm::Owner owner);

}  // namespace feral
