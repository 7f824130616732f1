// Modules: writing one, printing, saving and loading, freezing, tying, watching, losses, a training loop. Shown in
// docs/nn.md, with what it prints.
#include <feral/feral.hpp>
#include <filesystem>
#include <iostream>

using feral::DType;
using feral::Tensor;
namespace nn = feral::nn;

// A module has its children and tensors as members and registers them by name.
struct Block : nn::Module {
  nn::Linear wide{16, 32};
  nn::GELU act;
  nn::Dropout drop{0.1};
  nn::Linear back{32, 16};
  Tensor gain = Tensor::ones({16});                 // a parameter of its own
  Tensor calls = Tensor::zeros({1}, DType::int64);  // a buffer: state that is not trained

  Block() {
    register_module("wide", wide);
    register_module("act", act);
    register_module("drop", drop);
    register_module("back", back);
    register_parameter("gain", gain);
    register_buffer("calls", calls);
  }

  Tensor forward(const Tensor& x) override {
    if (is_training()) calls.add_(1);
    return x + gain * back(drop(act(wide(x))));
  }
};

// A language model that reads and writes with one table.
struct Tied : nn::Module {
  nn::Embedding words{10, 16};
  nn::Linear scores{16, 10, false};

  Tied() {
    register_module("words", words);
    register_module("scores", scores);
    scores.weight = words.weight;  // one parameter with two names
  }
  Tensor forward(const Tensor& tokens) override { return scores(words(tokens).mean(1)); }
};

int main() {
  feral::manual_seed(1);
  std::cout << std::boolalpha;

  // Containers call one module after the other. Printing shows the tree and the parameters.
  nn::Sequential net;
  net.emplace<Block>().emplace<nn::LayerNorm>(16).emplace<nn::Linear>(16, 4);
  std::cout << net << "\n";

  // Parameters and buffers have PyTorch's names; the tensors are the module's own.
  for (const nn::NamedTensor& parameter : net.named_parameters()) {
    std::cout << parameter.name << " " << parameter.tensor.shape().to_string() << "\n";
  }
  std::cout << net.named_buffers().front().name << ", " << net.parameter_count() << " elements\n";

  // Saved as .npz and read again. What does not fit is named, and nothing has changed then.
  const std::string file = (std::filesystem::temp_directory_path() / "feral_modules_example.npz").string();
  feral::save_npz(file, net.state_dict());
  net.load_state_dict(feral::load_npz(file));
  std::filesystem::remove(file);
  // The same as safetensors, which Python's safetensors reads and writes, too.
  const std::string weights =
      (std::filesystem::temp_directory_path() / "feral_modules_example.safetensors").string();
  feral::save_safetensors(weights, net.state_dict());
  net.load_state_dict(feral::load_safetensors(weights).tensors);
  std::filesystem::remove(weights);
  try {
    net.load_state_dict({{"0.gain", Tensor::ones({8})}});
  } catch (const feral::Error& error) {
    std::cout << error.what() << "\n";
  }
  const nn::LoadResult result = net.load_state_dict({{"0.gain", Tensor::ones({16})}}, false);
  std::cout << result.missing.size() << " names were not given\n";

  // Evaluation turns dropout off, and batch normalization to its running statistics.
  const Tensor x = Tensor::randn({8, 16});
  net.eval();
  std::cout << net(x).equal(net(x)) << "\n";
  net.train();
  std::cout << net(x).equal(net(x)) << "\n";

  // Tied weights are one parameter; the state has both names.
  Tied tied;
  std::cout << tied.parameters().size() << " parameter, " << tied.state_dict().size() << " names\n";

  // Frozen parameters get no gradient.
  net[0].requires_grad_(false);
  net(x).sum().backward();
  for (const nn::NamedTensor& parameter : net.named_parameters()) {
    if (parameter.tensor.grad().defined()) std::cout << parameter.name << " has a gradient\n";
  }
  net[0].requires_grad_();
  net.zero_grad();

  // Hooks see what goes in and comes out, and may replace it.
  const std::size_t hook =
      net[0].register_forward_hook([](nn::Module& module, const Tensor&, const Tensor& output) {
        std::cout << module.kind() << " answers " << output.shape().to_string() << "\n";
        return Tensor();  // leaves it as it is
      });
  (void)net(x);
  net[0].remove_hook(hook);

  // Initial values: apply() visits every module.
  net.apply([](nn::Module& module) {
    if (auto* linear = dynamic_cast<nn::Linear*>(&module)) {
      nn::init::xavier_uniform_(linear->weight);
      nn::init::zeros_(linear->bias);
    }
  });

  // Losses are functions with options, and modules that keep them.
  const Tensor target = Tensor::randint(0, 4, {8});
  const Tensor weight = Tensor::from_vector<float>({1, 2, 1, 1}, {4});
  const Tensor smooth = nn::cross_entropy(net(x), target, {.weight = weight, .label_smoothing = 0.1});
  nn::CrossEntropyLoss criterion({.reduction = nn::Reduction::sum});
  std::cout << smooth.to_string() << ", " << (criterion(net(x), target).item() > 0) << "\n";

  // A training loop.
  feral::optim::SGD optimizer(net.parameters(), {.lr = 0.1, .momentum = 0.9});
  double first = 0;
  double last = 0;
  for (int step = 0; step < 50; ++step) {
    optimizer.zero_grad();
    const Tensor loss = nn::cross_entropy(net(x), target);
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item();
  }
  std::cout << (last < first / 10 ? "it learns" : "it does not learn") << "\n";

  // In float64: parameters, gradients and floating buffers follow.
  net.to(DType::float64);
  std::cout << net(x.to(DType::float64)).to_string() << "\n";
}
