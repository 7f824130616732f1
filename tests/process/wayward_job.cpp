// A user's program whose functions misbehave as FERAL_TEST_JOB says; the process tests run it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <feral/feral.hpp>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

constexpr std::int64_t samples = 1000;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

const std::string mode = variable("FERAL_TEST_JOB");

// The file that processes of the job share; the test names it.
const std::string shared_file = variable("FERAL_TEST_FILE");

[[noreturn]] void segfault() {
  ::raise(SIGSEGV);
  std::abort();
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

// Its name shows in the stack, the op before it as the last one.
[[gnu::noinline]] void hang_in_an_op(const feral::Tensor& data) {
  data.exp();
  hang();
}

// True for the first caller of all processes.
bool first_of_all() {
  const int file = ::open(shared_file.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
  return file >= 0;
}

struct Net : feral::nn::Module {
  feral::nn::Linear only{2, 2};
  Net() { register_module("only", only); }
  feral::Tensor forward(const feral::Tensor& x) override { return feral::log_softmax(only(x)); }
};

struct Empty : feral::nn::Module {
  feral::Tensor forward(const feral::Tensor& x) override { return x; }
};

std::unique_ptr<feral::nn::Module> make_model() {
  if (mode == "model throws") throw feral::Error("weights.bin: no such file; download it");
  if (mode == "model throws lines") throw feral::Error("weights.bin:\nno such file;\n\ndownload it\n");
  if (mode == "model throws another exception") throw std::runtime_error("surprise");
  if (mode == "model throws without a word") throw feral::Error("");
  if (mode == "model throws a number") throw 42;
  if (mode == "model is nothing") return nullptr;
  if (mode == "model is empty") return std::make_unique<Empty>();
  if (mode == "model segfaults") segfault();
  if (mode == "model exits") std::exit(0);
  if (mode == "model never comes") hang();
  return std::make_unique<Net>();
}

struct Points : feral::data::Dataset {
  explicit Points(bool to_test) : empty(mode == (to_test ? "test data is empty" : "data is empty")) {}
  std::int64_t size() const override { return empty ? 0 : samples; }
  bool empty;

  std::vector<feral::data::Field> fields() const override {
    std::vector<feral::data::Field> fields = {{"data", feral::DType::float32, {2}},
                                              {"target", feral::DType::int64, {}},
                                              {"index", feral::DType::int64, {}}};
    if (mode == "samples are huge") fields[0].shape = {std::int64_t{1} << 40};
    if (mode == "samples overflow") fields[0].shape = {std::int64_t{1} << 31, std::int64_t{1} << 31};
    for (int i = 0; mode == "many fields" && i < 5000; ++i) {
      fields.push_back({"field" + std::to_string(i), feral::DType::float32, {1}});
    }
    return fields;
  }

  void get(std::int64_t index, feral::data::Sample& into) const override {
    if (mode == "data throws" && index == 17) throw feral::Error("sample 17: cannot be read; mend the file");
    if (mode == "data throws another exception" && index == 17) throw std::out_of_range("surprise");
    if (mode == "data hangs once" && index == 17 && first_of_all()) hang();
    if (mode == "data segfaults" && index == 17) segfault();
    if (mode == "data segfaults once" && index == 17 && first_of_all()) segfault();
    into.field<float>(0)[0] = index % 2 == 0 ? 1.0F : -1.0F;
    into.field<float>(0)[1] = static_cast<float>(index) / static_cast<float>(samples);
    into.field<std::int64_t>(1)[0] = index % 2;
    into.field<std::int64_t>(2)[0] = index;
  }
};

// One write(2) a batch: the numbers of its samples.
void record(const feral::data::Batch& batch) {
  static const int file = ::open(shared_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::vector<std::int64_t> indices = batch["index"].to_vector<std::int64_t>();
  const std::size_t bytes = indices.size() * sizeof(std::int64_t);
  if (::write(file, indices.data(), bytes) != static_cast<ssize_t>(bytes)) std::abort();
}

bool has_sample(const feral::data::Batch& batch, std::int64_t number) {
  const std::vector<std::int64_t> indices = batch["index"].to_vector<std::int64_t>();
  return std::find(indices.begin(), indices.end(), number) != indices.end();
}

// Lines in pieces, from stdout and stderr by turns.
void chat() {
  static int number = 0;
  for (std::FILE* stream : {stdout, stderr}) {
    for (const char* piece : {"a line", " that comes", " in pieces "}) {
      std::fputs(piece, stream);
      std::fflush(stream);
    }
    std::fprintf(stream, "%d.\n", number++);
    std::fflush(stream);
  }
}

// Dies or hangs in the middle of an update, once: some parameters are updated, the others are not.
struct DyingSGD : feral::optim::SGD {
  using SGD::SGD;
  void update(std::size_t group, std::uint64_t count, const feral::optim::Operands& operands) override {
    SGD::update(group, count, operands);
    if (count > 20 && first_of_all()) {
      if (mode == "update hangs once") hang();
      ::raise(SIGKILL);
    }
  }
};

double step(feral::StepContext& context) {
  if (mode == "step segfaults") segfault();
  if (mode == "step segfaults once" && first_of_all()) segfault();
  if (mode == "step exits") std::exit(0);
  if (mode == "step exits once" && first_of_all()) std::exit(0);
  if (mode == "step throws") throw feral::Error("step: the batch is wrong; look at it");
  if (mode == "step hangs") hang();
  if (mode == "step hangs once" && first_of_all()) hang_in_an_op(context.batch.data());
  if (mode == "step says and segfaults") {
    for (int i = 0; i < 60; ++i) std::printf("word %d\n", i);
    std::fflush(stdout);
    context.model(context.batch.data());
    segfault();
  }
  if (mode == "step records") record(context.batch);
  if (mode == "step chats") chat();
  while (mode == "step floods") std::puts("so much to say");
  feral::Tensor loss = feral::nll_loss(context.model(context.batch.data()), context.batch.target());
  if (mode == "loss is nan" || (mode == "loss is nan at times" && has_sample(context.batch, 17))) {
    loss = loss * std::numeric_limits<double>::quiet_NaN();
  }
  loss.backward();
  context.optimizer.step();
  context.optimizer.zero_grad();
  return loss.item();
}

}  // namespace

int main(int argc, char** argv) {
  feral::Job job;
  job.name = "wayward";
  if (mode != "no model") job.model = make_model;
  job.train_data = [] { return std::make_unique<Points>(false); };
  if (mode != "no test data") job.test_data = [] { return std::make_unique<Points>(true); };
  if (mode == "metric exits once") {
    job.metric = [](feral::nn::Module&, const feral::data::Batch& batch) {
      if (first_of_all()) std::exit(0);
      return static_cast<double>(batch.size());
    };
  }
  if (mode == "metric hangs once") {
    job.metric = [](feral::nn::Module&, const feral::data::Batch& batch) {
      if (first_of_all()) hang();
      return static_cast<double>(batch.size());
    };
  }
  if (mode == "update dies once" || mode == "update hangs once" || mode == "own optimizer") {
    job.optimizer = [](feral::nn::Module& model) {
      const feral::optim::SGDOptions options{.lr = 0.5, .momentum = 0.5};
      using SGD = feral::optim::SGD;
      if (mode == "own optimizer")
        return std::unique_ptr<feral::optim::Optimizer>(new SGD(model.parameters(), options));
      return std::unique_ptr<feral::optim::Optimizer>(new DyingSGD(model.parameters(), options));
    };
  }
  if (mode == "own optimizer") {
    job.schedule = [](const feral::optim::JobLength& length) {
      return feral::optim::StepLR{.step_size = length.steps_per_epoch, .gamma = 0};
    };
  }
  if (mode == "optimizer is nothing") job.optimizer = [](feral::nn::Module&) { return nullptr; };
  job.step = step;
  job.defaults.epochs = 3;
  job.defaults.batch = 10;
  return feral::run(argc, argv, job);
}
