// Batch and instance normalization: each channel made mean 0 and variance 1, with running statistics for
// evaluation.
//
// Several workers that train one model without locks (Hogwild) keep one set of statistics: the buffers lie in the
// arena behind the parameters, and every worker moves them a step towards its own batch's statistics, element by
// element, by a load and a store without a lock (tensor/racy.hpp). So
// - a value is always one that some worker has written, never torn;
// - an update may be lost when two workers move one element at the same time: the statistics then stand as if that
//   batch had not been seen, which a running mean forgets anyway;
// - mean and variance of a channel may stem from different batches;
// - num_batches_tracked may count short, and counts a batch twice that is done again after a worker's death.
// Evaluation reads a private copy of them, taken element by element.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nn/module.hpp"

namespace feral::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  // how far statistics move to a batch's; none: they are the average of all
  bool affine = true;
  bool track_running_stats = true;  // false: the batch's own statistics in evaluation, too
};

// What batch and instance normalization share. Parameters (when affine): weight [c], ones at first, and bias [c],
// zeros. Buffers (when tracked): running_mean [c], running_var [c], num_batches_tracked.
class ChannelNorm : public Module {
 public:
  std::string extra_repr() const override;

  Tensor weight;  // undefined unless affine, as is the bias
  Tensor bias;
  Tensor running_mean;  // undefined unless tracked, as are the others
  Tensor running_var;   // of the unbiased variance
  Tensor num_batches_tracked;

 protected:
  ChannelNorm(std::string_view kind, std::int64_t num_features, const BatchNormOptions& options);

  bool uses_batch() const noexcept { return is_training() || !options_.track_running_stats; }
  bool updates() const noexcept { return is_training() && options_.track_running_stats; }
  const BatchNormOptions& options() const noexcept { return options_; }
  std::int64_t num_features() const noexcept { return num_features_; }

 private:
  std::int64_t num_features_;
  BatchNormOptions options_;
};

// Over batch and space: Ioffe and Szegedy, "Batch normalization", 2015.
class BatchNormNd : public ChannelNorm {
 public:
  Tensor forward(const Tensor& x) override;

 protected:
  // Of inputs with `fewest` to `most` dimensions.
  BatchNormNd(std::string_view kind, std::int64_t num_features, const BatchNormOptions& options, int fewest,
              int most)
      : ChannelNorm(kind, num_features, options), fewest_(fewest), most_(most) {}

 private:
  int fewest_;
  int most_;
};

// x [n, c] or [n, c, l].
class BatchNorm1d : public BatchNormNd {
 public:
  explicit BatchNorm1d(std::int64_t num_features, const BatchNormOptions& options = {})
      : BatchNormNd("BatchNorm1d", num_features, options, 2, 3) {}
};

// x [n, c, h, w].
class BatchNorm2d : public BatchNormNd {
 public:
  explicit BatchNorm2d(std::int64_t num_features, const BatchNormOptions& options = {})
      : BatchNormNd("BatchNorm2d", num_features, options, 4, 4) {}
};

// x [n, c, d, h, w].
class BatchNorm3d : public BatchNormNd {
 public:
  explicit BatchNorm3d(std::int64_t num_features, const BatchNormOptions& options = {})
      : BatchNormNd("BatchNorm3d", num_features, options, 5, 5) {}
};

struct InstanceNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  // none: statistics stay as they are
  bool affine = false;
  bool track_running_stats = false;
};

// Each channel of each sample over space: Ulyanov et al., "Instance normalization", 2016. An input without the
// batch dimension gives a result without it. num_batches_tracked is there and stays 0, as PyTorch's does.
class InstanceNormNd : public ChannelNorm {
 public:
  Tensor forward(const Tensor& x) override;

 protected:
  InstanceNormNd(std::string_view kind, std::int64_t num_features, const InstanceNormOptions& options, int dims)
      : ChannelNorm(kind, num_features,
                    {.eps = options.eps,
                     .momentum = options.momentum,
                     .affine = options.affine,
                     .track_running_stats = options.track_running_stats}),
        dims_(dims) {}

 private:
  Tensor normalized(const Tensor& x);

  int dims_;
};

// x [n, c, l] or [c, l].
class InstanceNorm1d : public InstanceNormNd {
 public:
  explicit InstanceNorm1d(std::int64_t num_features, const InstanceNormOptions& options = {})
      : InstanceNormNd("InstanceNorm1d", num_features, options, 3) {}
};

// x [n, c, h, w] or [c, h, w].
class InstanceNorm2d : public InstanceNormNd {
 public:
  explicit InstanceNorm2d(std::int64_t num_features, const InstanceNormOptions& options = {})
      : InstanceNormNd("InstanceNorm2d", num_features, options, 4) {}
};

}  // namespace feral::nn
