// Looks at a running job of lenet from another process: what its model says of test images, while it trains.
//
//   ./watch lenet-12345
#include <cstdio>
#include <feral/feral.hpp>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: watch JOB\n");
    return 2;
  }
  try {
    const feral::AttachedJob job = feral::attach(argv[1]);
    for (const feral::AttachedTensor& one : job.tensors()) {
      std::printf("%-14s %-16s norm %.4f\n", one.name.c_str(), one.tensor.shape().to_string().c_str(),
                  one.tensor.norm().item());
    }
    // A model of one's own takes on the values of this moment.
    feral::models::LeNet model;
    model.load_state_dict(job.state_dict());
    model.eval();
    const feral::Tensor output = model(feral::Tensor::zeros({1, 1, 28, 28}));
    std::printf("after %llu steps an empty image is a %lld\n", static_cast<unsigned long long>(job.steps()),
                static_cast<long long>(output.argmax(1).item()));
  } catch (const feral::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
