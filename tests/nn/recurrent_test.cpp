#include "nn/recurrent.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/recurrent_cells.hpp"
#include "tensor/generator.hpp"
#include "tests/nn/parity.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

// inputs: x, then none, one (hidden) or two (hidden and cell) states.
template <class Layer>
Tensors outputs(Layer& layer, const Tensors& inputs) {
  const auto result = layer.forward(inputs[0], inputs.size() > 1 ? inputs[1] : Tensor());
  return {result.output, result.h_n};
}
Tensors outputs(LSTM& layer, const Tensors& inputs) {
  const auto result =
      inputs.size() > 1 ? layer.forward(inputs[0], {inputs[1], inputs[2]}) : layer.forward(inputs[0], LSTMState());
  return {result.output, result.h_n, result.c_n};
}

// inputs: x, lengths, states.
template <class Layer>
Tensors packed_outputs(Layer& layer, const Tensors& inputs, bool enforce_sorted) {
  const bool batch_first = layer.options().batch_first;
  const PackedSequence x = pack_padded_sequence(inputs[0], inputs[1], {batch_first, enforce_sorted});
  Tensors result;
  PackedSequence output;
  if constexpr (std::is_same_v<Layer, LSTM>) {
    auto all = layer.forward(x, {inputs[2], inputs[3]});
    output = all.output;
    result = {all.h_n, all.c_n};
  } else {
    auto all = layer.forward(x, inputs[2]);
    output = all.output;
    result = {all.h_n};
  }
  result.insert(result.begin(), pad_packed_sequence(output, {.batch_first = batch_first}).padded);
  return result;
}

template <class Layer>
void expect_layer(const std::string& kind, const std::string& name, Layer&& layer) {
  SCOPED_TRACE(kind + "/" + name);
  expect_parity("recurrent", kind + "/" + name, layer, [&](const Tensors& x) { return outputs(layer, x); });
}

template <class Layer>
void expect_packed(const std::string& name, Layer&& layer, bool enforce_sorted) {
  expect_parity("recurrent", name, layer,
                [&](const Tensors& x) { return packed_outputs(layer, x, enforce_sorted); });
}

template <class Layer>
void expect_all(const std::string& kind) {
  expect_layer(kind, "initial_state", Layer(3, 3));
  expect_layer(kind, "two_layers_both_directions", Layer(3, 3, {.num_layers = 2, .bidirectional = true}));
  expect_layer(kind, "batch_first_no_bias", Layer(3, 3, {.bias = false, .batch_first = true}));
  expect_packed(kind + "/packed_unsorted", Layer(2, 3, {.batch_first = true, .bidirectional = true}), false);
}

TEST(RecurrentParity, Rnn) {
  expect_all<RNN>("RNN");
  expect_layer("RNN", "relu", RNN(3, 3, {.num_layers = 2, .nonlinearity = Nonlinearity::relu}));
}
TEST(RecurrentParity, Gru) { expect_all<GRU>("GRU"); }
TEST(RecurrentParity, Lstm) {
  expect_all<LSTM>("LSTM");
  expect_layer("LSTM", "unbatched", LSTM(3, 3));
  expect_packed("LSTM/packed", LSTM(2, 3, {.bidirectional = true}), true);
}

template <class Cell>
void expect_cell(const std::string& name, Cell&& cell) {
  expect_parity("recurrent", name, cell, [&](const Tensors& x) {
    return Tensors{x.size() > 1 ? cell.forward(x[0], x[1]) : cell.forward(x[0])};
  });
}

TEST(RecurrentParity, Cells) {
  expect_cell("RNNCell/plain", RNNCell(3, 4));
  expect_cell("RNNCell/zero_state_no_bias", RNNCell(3, 4, {.bias = false}));
  expect_cell("RNNCell/relu", RNNCell(3, 4, {.nonlinearity = Nonlinearity::relu}));
  expect_cell("GRUCell/plain", GRUCell(3, 4));
  expect_cell("GRUCell/zero_state_no_bias", GRUCell(3, 4, false));
  for (const char* name : {"plain", "zero_state_no_bias", "unbatched"}) {
    LSTMCell cell(3, 4, std::string(name) != "zero_state_no_bias");
    expect_parity("recurrent", std::string("LSTMCell/") + name, cell, [&](const Tensors& x) {
      const LSTMState state = cell.forward(x[0], x.size() > 1 ? LSTMState{x[1], x[2]} : LSTMState());
      return Tensors{state.hidden, state.cell};
    });
  }
}

TEST(Recurrent, IsDrawnFromPyTorchsBounds) {
  manual_seed(3);
  LSTM layer(7, 16, {.num_layers = 2, .bidirectional = true});
  std::vector<std::string> names;
  double largest = 0;
  for (const NamedTensor& parameter : layer.named_parameters()) {
    names.push_back(parameter.name);
    for (const double value : parameter.tensor.to_vector<double>()) largest = std::max(largest, std::abs(value));
  }
  EXPECT_EQ(names.size(), 16U);
  EXPECT_EQ(names[0], "weight_ih_l0");
  EXPECT_EQ(names[5], "weight_hh_l0_reverse");
  EXPECT_EQ(names[15], "bias_hh_l1_reverse");
  EXPECT_EQ(layer.weights(1, true).weight_ih.shape(), (Shape{64, 32}));
  EXPECT_LE(largest, 0.25);
  EXPECT_GT(largest, 0.24);
}

TEST(Recurrent, DropsBetweenLayersWhileTrainingAlone) {
  manual_seed(4);
  GRU layer(3, 4, {.num_layers = 2, .dropout = 0.5});
  Numbers numbers(5);
  const Tensor x = numbers.tensor<float>({6, 2, 3});
  const auto values = [&] { return layer(x).to_vector<float>(); };
  EXPECT_NE(values(), values());
  layer.eval();
  EXPECT_EQ(values(), values());
  GRU single(3, 4, {.dropout = 0.5});
  EXPECT_EQ(single(x).to_vector<float>(), single(x).to_vector<float>());
}

// All sequences of full length: the packed way is the padded one.
TEST(Recurrent, PackedSequencesOfOneLengthChangeNothing) {
  Numbers numbers(6);
  LSTM layer(3, 4, {.bidirectional = true});
  const Tensor x = numbers.tensor<float>({5, 2, 3});
  const auto packed = layer.forward(pack_padded_sequence(x, Tensor::full({2}, 5, DType::int64)));
  const auto padded = layer.forward(x, LSTMState());
  EXPECT_EQ(packed.output.data.to_vector<float>(), padded.output.to_vector<float>());
  EXPECT_EQ(packed.c_n.to_vector<float>(), padded.c_n.to_vector<float>());
}

TEST(Recurrent, WrongArgumentsNameTheModule) {
  EXPECT_TRUE(contains(error_of([] { LSTM(0, 4); }), "LSTM: 1 layers from 0 to 4"));
  EXPECT_TRUE(contains(error_of([] { GRU(1, 4, {.dropout = 2}); }), "GRU: dropout 2"));
  EXPECT_TRUE(contains(error_of([] { RNNCell(3, 0); }), "RNNCell: from 3 to 0"));
  LSTM layer(3, 4);
  EXPECT_TRUE(contains(error_of([&] { layer(Tensor::zeros({5, 2, 4})); }), "LSTM: an input of shape [5, 2, 4]"));
  EXPECT_TRUE(contains(error_of([&] { layer(Tensor::zeros({0, 2, 3})); }), "holds no step"));
  EXPECT_TRUE(contains(error_of([&] { layer(Tensor()); }), "undefined"));
  const Tensor x = Tensor::zeros({5, 2, 3});
  EXPECT_TRUE(contains(error_of([&] { layer.forward(x, {Tensor::zeros({2, 4}), {}}); }), "expected [1, 2, 4]"));
  EXPECT_TRUE(contains(error_of([&] { layer.forward(PackedSequence()); }), "LSTM: a packed input"));
  EXPECT_TRUE(contains(error_of([&] { layer.weights(1); }), "no layer 1"));
  EXPECT_TRUE(contains(error_of([&] { layer.weights(0, true); }), "in reverse"));
  LSTMCell cell(3, 4);
  EXPECT_TRUE(contains(error_of([&] { cell(Tensor::zeros({2, 5})); }), "LSTMCell: an input of shape [2, 5]"));
  EXPECT_TRUE(contains(error_of([&] {
                         cell.forward(Tensor::zeros({2, 3}), {Tensor::zeros({1, 4}), {}});
                       }),
                       "expected [2, 4]"));
}

TEST(Recurrent, IsPrinted) {
  LSTM layer(3, 4, {.num_layers = 2, .batch_first = true});
  EXPECT_EQ(layer.extra_repr(), "3, 4, num_layers=2, batch_first=true");
}

}  // namespace
}  // namespace feral::nn
