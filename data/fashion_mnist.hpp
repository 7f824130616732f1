// Fashion-MNIST, and every other data set that is published as MNIST's four files.
#pragma once

#include <filesystem>

#include "data/labelled_images.hpp"

namespace feral::data {

// Where Debian's package dataset-fashion-mnist puts the data set; it may or may not be installed.
std::filesystem::path fashion_mnist_folder();

// Reads the training set (`train`) or the test set from the four classic files in `folder`:
// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte. Each may
// also be spelled with a dot before "idx", as some archives have it, and may carry ".gz"; a plain file is preferred
// to a compressed one.
//
// Throws feral::Error, in one line, when `folder` is missing or no folder, when one of the two files is missing,
// and for everything that read_labelled_images refuses.
LabelledImages read_mnist_folder(const std::filesystem::path& folder, bool train);

}  // namespace feral::data
