// A program of one's own: a model, a data set, one call. It is its own launcher, worker, loader and evaluator:
//
//   ./custom_model --workers 2 --epochs 5
//
// Two interleaved spirals are to be told apart by a small perceptron.
#include <cmath>
#include <feral/feral.hpp>
#include <memory>

namespace {

struct Net : feral::nn::Module {
  feral::nn::Linear hidden{2, 64}, middle{64, 64}, output{64, 2};
  Net() {
    register_module("hidden", hidden);
    register_module("middle", middle);
    register_module("output", output);
  }
  feral::Tensor forward(const feral::Tensor& x) override {
    return feral::log_softmax(output(middle(hidden(x).relu()).relu()));
  }
};

// Sample i lies on arm i % 2; `offset` sets test points between the training points.
struct Spirals : feral::data::Dataset {
  explicit Spirals(double shift) : offset(shift) {}
  std::int64_t size() const override { return 4000; }
  std::vector<feral::data::Field> fields() const override {
    return {{"data", feral::DType::float32, {2}}, {"target", feral::DType::int64, {}}};
  }
  void get(std::int64_t index, feral::data::Sample& into) const override {
    const std::int64_t arm = index % 2;
    const double t = (static_cast<double>(index) + offset) / 4000.0;
    const double angle = 6.0 * t + 3.14159265 * static_cast<double>(arm);
    into.field<float>(0)[0] = static_cast<float>(2 * t * std::cos(angle));
    into.field<float>(0)[1] = static_cast<float>(2 * t * std::sin(angle));
    into.field<std::int64_t>(1)[0] = arm;
  }
  double offset;
};

}  // namespace

int main(int argc, char** argv) {
  feral::Job job;
  job.name = "spirals";
  job.model = [] { return std::make_unique<Net>(); };
  job.train_data = [] { return std::make_unique<Spirals>(0.0); };
  job.test_data = [] { return std::make_unique<Spirals>(0.5); };
  job.defaults.epochs = 60;
  job.defaults.batch = 32;
  return feral::run(argc, argv, job);
}
