// Running a job: what a program of the user's calls at the end of main().
#pragma once

#include <string>
#include <vector>

#include "workers/job.hpp"

namespace feral {

// Makes this program a trainer of `job`: it reads the command line (--workers 4 --epochs 3 …; --help lists all) and
// becomes its own launcher, which starts this executable again as worker, loader and evaluator. In those children
// the call does not return. In the launcher it returns what main() should return. Throws nothing: errors are
// printed.
int run(int argc, char** argv, const Job& job);

// The same with options that have been read already; `arguments` are the command line to start children with.
int run_job(const Job& job, const TrainOptions& options, const std::vector<std::string>& arguments);

}  // namespace feral
