// What a module's tensors go through: saved and loaded, tied, frozen, converted, watched.
#include <gtest/gtest.h>

#include "nn/activation.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/module.hpp"
#include "optim/sgd.hpp"
#include "tensor/npz.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;

std::vector<std::string> names_of(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> names;
  for (const NamedTensor& tensor : tensors) names.push_back(tensor.name);
  return names;
}

// A decoder that may be tied to its encoder, a buffer that is saved and one that is not.
struct Net : Module {
  Linear encoder{3, 3, false};
  Linear decoder{3, 3};
  Tensor scale = Tensor::full({1}, 2);
  Tensor calls = Tensor::zeros({1}, DType::int64);
  Net() {
    register_module("encoder", encoder);
    register_module("decoder", decoder);
    register_buffer("scale", scale);
    register_buffer("calls", calls, false);
  }
  Tensor forward(const Tensor& x) override { return decoder(encoder(x).relu() * scale); }
};

TEST(StateDict, HoldsParametersAndPersistentBuffersByTheirNames) {
  Net net;
  const StateDict state = net.state_dict();
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"decoder.bias", "decoder.weight", "encoder.weight", "scale"}));
  EXPECT_EQ(names_of(net.named_buffers()), (std::vector<std::string>{"scale", "calls"}));
  EXPECT_FALSE(state.at("encoder.weight").requires_grad());
  state.at("scale").fill_(5);
  EXPECT_EQ(net.scale.item(), 5) << "it shares the module's memory";
}

TEST(StateDict, GoesThroughAFile) {
  const support::TemporaryFolder folder;
  const std::string path = (folder.path() / "net.npz").string();
  Net net;
  Net other;
  save_npz(path, net.state_dict());
  other.load_state_dict(load_npz(path));
  const Tensor x = Tensor::ones({2, 3});
  EXPECT_TRUE(net(x).equal(other(x)));
}

TEST(LoadStateDict, ConvertsTypesAndKeepsTheTensors) {
  Net net;
  const std::byte* const place = net.encoder.weight.raw_data();
  StateDict state = net.state_dict();
  for (auto& [name, tensor] : state) tensor = Tensor::full(tensor.shape(), 3, DType::float64);
  net.load_state_dict(state);
  EXPECT_EQ(net.encoder.weight.dtype(), DType::float32);
  EXPECT_EQ(net.encoder.weight.raw_data(), place);
  EXPECT_EQ(net.scale.item(), 3);
  EXPECT_TRUE(net.encoder.weight.requires_grad());
}

TEST(LoadStateDict, SaysWhatDoesNotFitAndChangesNothing) {
  Net net;
  const auto before = net.encoder.weight.to_vector<float>();
  const auto changed = [&] {
    StateDict state;
    for (const auto& [name, tensor] : net.state_dict()) state.emplace(name, tensor.clone().fill_(7));
    return state;
  };
  StateDict shape = changed();
  shape["scale"] = Tensor::ones({2});
  const std::string message = error_of([&] { net.load_state_dict(shape); });
  EXPECT_TRUE(contains(message, "'scale'") && contains(message, "[2]") && contains(message, "[1]")) << message;
  EXPECT_TRUE(contains(error_of([&] { net.load_state_dict(shape, false); }), "'scale'"));
  StateDict missing = changed();
  missing.erase("decoder.bias");
  EXPECT_TRUE(contains(error_of([&] { net.load_state_dict(missing); }), "'decoder.bias' is missing, 1 of 4"));
  StateDict unexpected = changed();
  unexpected["decoder.gain"] = Tensor::ones({1});
  EXPECT_TRUE(contains(error_of([&] { net.load_state_dict(unexpected); }), "Net has no 'decoder.gain'"));
  EXPECT_EQ(net.encoder.weight.to_vector<float>(), before);
  unexpected.erase("decoder.bias");
  const LoadResult result = net.load_state_dict(unexpected, false);
  EXPECT_EQ(result.missing, std::vector<std::string>{"decoder.bias"});
  EXPECT_EQ(result.unexpected, std::vector<std::string>{"decoder.gain"});
  EXPECT_EQ(net.encoder.weight.to_vector<float>(), std::vector<float>(9, 7));
}

TEST(TiedWeights, AreOneParameterWithTwoNamesInTheState) {
  Net net;
  net.decoder.weight = net.encoder.weight;
  EXPECT_EQ(names_of(net.named_parameters()), (std::vector<std::string>{"encoder.weight", "decoder.bias"}));
  EXPECT_EQ(net.parameter_count(), 12);
  const StateDict state = net.state_dict();
  EXPECT_EQ(state.size(), 4U);
  EXPECT_EQ(state.at("encoder.weight").raw_data(), state.at("decoder.weight").raw_data());

  // The gradients of both places add up.
  Net untied;
  untied.load_state_dict(net.state_dict());
  const Tensor x = Tensor::from_vector<float>({1, -2, 3, 0.5, 1, 2}, {2, 3});
  net(x).square().sum().backward();
  untied(x).square().sum().backward();
  EXPECT_TRUE(net.encoder.weight.grad().allclose(untied.encoder.weight.grad() + untied.decoder.weight.grad()));

  // One step of an optimizer moves it once, for both.
  optim::SGD(net.parameters(), {.lr = 0.1}).step();
  EXPECT_TRUE(net.decoder.weight.equal(net.encoder.weight));
  net.to(DType::float64);
  EXPECT_EQ(net.decoder.weight.dtype(), DType::float64);
  EXPECT_EQ(net.decoder.weight.impl(), net.encoder.weight.impl());
}

TEST(FrozenParameters, GetNoGradientAndStay) {
  Net net;
  net.encoder.requires_grad_(false);
  const auto encoder = net.encoder.weight.to_vector<float>();
  const auto decoder = net.decoder.weight.to_vector<float>();
  optim::SGD optimizer(net.parameters(), {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1});
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    net(Tensor::ones({2, 3})).square().sum().backward();
    optimizer.step();
  }
  EXPECT_FALSE(net.encoder.weight.grad().defined());
  EXPECT_EQ(net.encoder.weight.to_vector<float>(), encoder);
  EXPECT_NE(net.decoder.weight.to_vector<float>(), decoder);
  net.encoder.requires_grad_();
  net(Tensor::ones({2, 3})).sum().backward();
  EXPECT_TRUE(net.encoder.weight.grad().defined());
}

TEST(FrozenModules, AreNotRecorded) {
  Net net;
  net.requires_grad_(false);
  EXPECT_FALSE(net(Tensor::ones({2, 3})).requires_grad());
}

TEST(ModuleTo, ConvertsParametersGradientsAndFloatingBuffers) {
  Net net;
  const Tensor handle = net.encoder.weight;
  net(Tensor::ones({2, 3})).sum().backward();
  const auto gradient = net.decoder.bias.grad().to_vector<double>();
  net.to(DType::float64);
  EXPECT_EQ(handle.dtype(), DType::float64) << "every Tensor that shares it follows";
  EXPECT_EQ(net.decoder.bias.grad().dtype(), DType::float64);
  EXPECT_EQ(net.decoder.bias.grad().to_vector<double>(), gradient);
  EXPECT_EQ(net.scale.dtype(), DType::float64);
  EXPECT_EQ(net.calls.dtype(), DType::int64);
  EXPECT_TRUE(net.encoder.weight.requires_grad() && net.encoder.weight.is_leaf());
  const Tensor y = net(Tensor::ones({2, 3}, DType::float64));
  EXPECT_EQ(y.dtype(), DType::float64);
  y.sum().backward();
  EXPECT_EQ(net.decoder.bias.grad().to_vector<double>(), std::vector<double>(3, 4));
  EXPECT_TRUE(contains(error_of([&] { net.to(DType::int64); }), "Net: to(int64)"));
}

TEST(ZeroGrad, DropsAllGradients) {
  Net net;
  net(Tensor::ones({2, 3})).sum().backward();
  net.zero_grad();
  for (const Tensor& parameter : net.parameters()) EXPECT_FALSE(parameter.grad().defined());
}

TEST(Apply, VisitsChildrenBeforeTheirParents) {
  Net net;
  std::vector<std::string> kinds;
  net.apply([&](Module& module) { kinds.push_back(module.kind()); });
  EXPECT_EQ(kinds, (std::vector<std::string>{"Linear", "Linear", "Net"}));
  std::vector<std::string> names;
  for (const NamedModule& module : net.named_modules()) names.push_back(module.name);
  EXPECT_EQ(names, (std::vector<std::string>{"", "encoder", "decoder"}));
  EXPECT_EQ(net.children().size(), 2U);
}

TEST(Hooks, SeeAndReplaceInputAndOutput) {
  ReLU layer;
  const Tensor x = Tensor::from_vector<float>({-1, 2}, {2});
  std::vector<std::string> seen;
  const auto first = layer.register_forward_pre_hook([&](Module& module, const Tensor& input) {
    seen.push_back("before " + module.kind());
    EXPECT_EQ(input.impl(), x.impl());
    return Tensor();  // leaves it
  });
  const auto second = layer.register_forward_pre_hook([&](Module&, const Tensor& input) { return input.neg(); });
  const auto third = layer.register_forward_hook([&](Module&, const Tensor& input, const Tensor& output) {
    seen.push_back("after");
    EXPECT_EQ(input.to_vector<float>(), (std::vector<float>{1, -2}));
    return output + 10;
  });
  EXPECT_EQ(layer(x).to_vector<float>(), (std::vector<float>{11, 10}));
  EXPECT_EQ(seen, (std::vector<std::string>{"before ReLU", "after"}));
  EXPECT_EQ(layer.forward(x).to_vector<float>(), (std::vector<float>{0, 2})) << "forward() alone calls no hook";
  layer.remove_hook(second);
  layer.remove_hook(third);
  EXPECT_EQ(layer(x).to_vector<float>(), (std::vector<float>{0, 2}));
  EXPECT_EQ(seen.size(), 3U);
  layer.remove_hook(first);
  layer.remove_hook(first);  // of a number that is none: nothing
  EXPECT_EQ(layer(x).to_vector<float>(), (std::vector<float>{0, 2}));
  EXPECT_EQ(seen.size(), 3U);
}

TEST(Hooks, AreRecordedOnTheTape) {
  Linear layer(2, 1);
  layer.register_forward_hook([](Module&, const Tensor&, const Tensor& output) { return output * 3; });
  layer(Tensor::ones({1, 2})).sum().backward();
  EXPECT_EQ(layer.bias.grad().to_vector<float>(), std::vector<float>{3});
}

TEST(Modules, OfOtherInputsSayThatTheyTakeThem) {
  TripletMarginLoss loss;
  EXPECT_TRUE(contains(error_of([&] { loss(Tensor::ones({2})); }), "TripletMarginLoss: its forward takes other"));
}

}  // namespace
}  // namespace feral::nn
