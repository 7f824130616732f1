// The models and data sets that the feral command knows by name.
#pragma once

#include <string>

#include "workers/job.hpp"

namespace feral {

std::string list_of_models();    // "lenet, lstm, …"
std::string list_of_datasets();  // "fashion-mnist, digits"

// The job of `feral train MODEL --data DATA`. DATA is a data set's name or a folder,
// for language models a text file. Throws feral::Error naming
// what there is when the model or the data set is unknown. The data is read when a child builds it.
Job make_job(const std::string& model, const std::string& data);

}  // namespace feral
