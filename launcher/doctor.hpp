// `feral doctor`: what this machine offers to a job, and what is in the way.
#pragma once

namespace feral {

// Prints the findings to stdout, warnings with their remedy. Returns 0, or 1 when a job could not run at all.
int run_doctor();

}  // namespace feral
