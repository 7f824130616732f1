// The models and data sets that the feral command knows by name.
#pragma once

#include <string>

#include "workers/job.hpp"

namespace feral {

std::string list_of_models();    // "lenet, mlp, …"
std::string list_of_datasets();  // "fashion-mnist, digits"

// The job of `feral train MODEL --data DATA`. DATA is a data set's name or a folder, for models of texts a file.
// Throws feral::Error naming what there is when the model or the data set is unknown. The data is read when a child
// builds it.
Job make_job(const std::string& model, const std::string& data);

// How a model is trained when the command line says nothing else; of an unknown model, the general defaults.
TrainOptions defaults_of_model(const std::string& model);

}  // namespace feral
