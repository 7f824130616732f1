// Activations as modules, and as functions those that are no methods of Tensor. Elementwise unless a dimension is
// named; without parameters but for PReLU.
#pragma once

#include "nn/module.hpp"

namespace feral::nn {

// x above 0, weight * x below; weight [1], or [channels] for x [n, channels, ...].
Tensor prelu(const Tensor& x, const Tensor& weight);
// scale * elu(x, alpha) with the constants of Klambauer et al., "Self-normalizing neural networks", 2017.
Tensor selu(const Tensor& x);
Tensor celu(const Tensor& x, double alpha = 1);  // x above 0, alpha (e^(x / alpha) - 1) below
// log(1 + e^(beta x)) / beta; x itself where beta x is above the threshold.
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);
Tensor softsign(const Tensor& x);                                   // x / (1 + |x|)
Tensor softshrink(const Tensor& x, double l = 0.5);                 // x moved by l towards 0, 0 within [-l, l]
Tensor hardshrink(const Tensor& x, double l = 0.5);                 // 0 within [-l, l]
Tensor tanhshrink(const Tensor& x);                                 // x - tanh x
Tensor relu6(const Tensor& x);                                      // x cut to [0, 6]
Tensor hardsigmoid(const Tensor& x);                                // relu6(x + 3) / 6
Tensor hardswish(const Tensor& x);                                  // x hardsigmoid(x)
Tensor threshold(const Tensor& x, double threshold, double value);  // value where x is not above the threshold
Tensor softmin(const Tensor& x, std::int64_t dim);                  // softmax of -x
Tensor glu(const Tensor& x, std::int64_t dim = -1);                 // first half * sigmoid(second half)

class ReLU : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x.relu(); }
};

class ReLU6 : public Module {
 public:
  Tensor forward(const Tensor& x) override { return relu6(x); }
};

class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(double negative_slope = 0.01) : slope_(negative_slope) {}
  Tensor forward(const Tensor& x) override { return x.leaky_relu(slope_); }
  std::string extra_repr() const override;

 private:
  double slope_;
};

struct PReLUOptions {
  std::int64_t num_parameters = 1;  // 1, or one for each channel
  double init = 0.25;
};

// Parameter: weight [num_parameters].
class PReLU : public Module {
 public:
  explicit PReLU(const PReLUOptions& options = {});
  Tensor forward(const Tensor& x) override { return prelu(x, weight); }
  std::string extra_repr() const override;

  Tensor weight;
};

class ELU : public Module {
 public:
  explicit ELU(double alpha = 1) : alpha_(alpha) {}
  Tensor forward(const Tensor& x) override { return x.elu(alpha_); }
  std::string extra_repr() const override;

 private:
  double alpha_;
};

class SELU : public Module {
 public:
  Tensor forward(const Tensor& x) override { return selu(x); }
};

class CELU : public Module {
 public:
  explicit CELU(double alpha = 1);
  Tensor forward(const Tensor& x) override { return celu(x, alpha_); }
  std::string extra_repr() const override;

 private:
  double alpha_;
};

struct GELUOptions {
  bool tanh_approximation = false;  // PyTorch's approximate="tanh"
};

class GELU : public Module {
 public:
  explicit GELU(GELUOptions options = {}) : options_(options) {}
  Tensor forward(const Tensor& x) override { return x.gelu(options_.tanh_approximation); }
  std::string extra_repr() const override;

 private:
  GELUOptions options_;
};

class SiLU : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x.silu(); }
};

class Mish : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x.mish(); }
};

struct SoftplusOptions {
  double beta = 1;
  double threshold = 20;
};

class Softplus : public Module {
 public:
  explicit Softplus(SoftplusOptions options = {}) : options_(options) {}
  Tensor forward(const Tensor& x) override { return softplus(x, options_.beta, options_.threshold); }
  std::string extra_repr() const override;

 private:
  SoftplusOptions options_;
};

class Softsign : public Module {
 public:
  Tensor forward(const Tensor& x) override { return softsign(x); }
};

class Softshrink : public Module {
 public:
  explicit Softshrink(double lambda = 0.5);
  Tensor forward(const Tensor& x) override { return softshrink(x, lambda_); }
  std::string extra_repr() const override;

 private:
  double lambda_;
};

class Hardshrink : public Module {
 public:
  explicit Hardshrink(double lambda = 0.5) : lambda_(lambda) {}
  Tensor forward(const Tensor& x) override { return hardshrink(x, lambda_); }
  std::string extra_repr() const override;

 private:
  double lambda_;
};

class Tanhshrink : public Module {
 public:
  Tensor forward(const Tensor& x) override { return tanhshrink(x); }
};

struct HardtanhOptions {
  double min_val = -1;
  double max_val = 1;
};

class Hardtanh : public Module {
 public:
  explicit Hardtanh(HardtanhOptions options = {});
  Tensor forward(const Tensor& x) override { return x.hardtanh(options_.min_val, options_.max_val); }
  std::string extra_repr() const override;

 private:
  HardtanhOptions options_;
};

class Hardswish : public Module {
 public:
  Tensor forward(const Tensor& x) override { return hardswish(x); }
};

class Hardsigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override { return hardsigmoid(x); }
};

class LogSigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x.logsigmoid(); }
};

class Sigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x.sigmoid(); }
};

class Tanh : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x.tanh(); }
};

class Threshold : public Module {
 public:
  Threshold(double threshold, double value) : threshold_(threshold), value_(value) {}
  Tensor forward(const Tensor& x) override { return nn::threshold(x, threshold_, value_); }
  std::string extra_repr() const override;

 private:
  double threshold_;
  double value_;
};

class Softmax : public Module {
 public:
  explicit Softmax(std::int64_t dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) override { return x.softmax(dim_); }
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

class LogSoftmax : public Module {
 public:
  explicit LogSoftmax(std::int64_t dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) override { return x.log_softmax(dim_); }
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

class Softmin : public Module {
 public:
  explicit Softmin(std::int64_t dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) override { return softmin(x, dim_); }
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

class GLU : public Module {
 public:
  explicit GLU(std::int64_t dim = -1) : dim_(dim) {}
  Tensor forward(const Tensor& x) override { return glu(x, dim_); }
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

}  // namespace feral::nn
