// Speaking with running jobs: what `feral jobs`, `scale`, `set` and `attach` do.
#pragma once

#include <string>
#include <vector>

#include "launcher/control_protocol.hpp"

namespace feral {

// The answer of a job of this user, named or by the pid of its launcher. Throws feral::Error when there is none,
// when it does not answer, when what listens there belongs to somebody else, and when it answers with an error.
ControlAnswer ask_job(const std::string& job, const ControlRequest& request);

// The jobs of this user that answer, by name. In a network namespace of its own a process sees only those there.
std::vector<JobStatus> running_jobs();

// The commands; they print what they found or did and return the exit code. Throw feral::Error.
int list_jobs();
int steer_job(const std::string& job, const ControlRequest& request);
int list_tensors(const std::string& job);

}  // namespace feral
