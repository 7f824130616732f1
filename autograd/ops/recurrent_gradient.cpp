// The gradient of a recurrent layer in ordinary ops, step by step: backpropagation through time as it is written in
// textbooks, every part of it on the tape.
#include <vector>

#include "autograd/ops/join.hpp"
#include "autograd/ops/product.hpp"
#include "autograd/ops/recurrent.hpp"

namespace feral::ops {
namespace {

// What one step computed.
struct Step {
  std::int64_t size = 0, row = 0;
  Tensor hidden_before, cell_before;
  Tensor gates[4];  // activated
  Tensor extra;     // lstm: tanh of the new cell; gru: the hidden side of n
};

// Gradients of a step's products.
struct Sides {
  Tensor input, hidden;
};

Tensor sigmoid_back(const Tensor& gradient, const Tensor& y) { return gradient * y * (1 - y); }
Tensor tanh_back(const Tensor& gradient, const Tensor& y) { return gradient * (1 - y * y); }

class Unrolled {
 public:
  Unrolled(const Saved<Recurrent>& saved, const Tensor& gradient)
      : saved_(saved), attributes_(saved.attributes()), gradient_(gradient), h_(saved.input(4).shape()[1]) {
    lay_out();
    recompute();
  }

  Gradients<8> gradients();

 private:
  void lay_out();
  void recompute();
  Tensor advance(Step& step, const Tensor& hidden, Tensor& cell);
  Sides retreat(const Step& step, const Tensor& of_hidden, Tensor& of_cell, Tensor& direct) const;
  bool lstm() const { return attributes_.cell == CellKernel::lstm; }
  // The new state of the first rows, and the others'.
  static Tensor with_rest(const Tensor& fresh, const Tensor& all) {
    const std::int64_t size = fresh.shape()[0];
    const std::int64_t n = all.shape()[0];
    return size == n ? fresh : cat({fresh, all.narrow(0, size, n - size)}, 0);
  }
  Tensor gate(const Tensor& rows, std::int64_t i) const { return rows.narrow(1, i * h_, h_); }

  const Saved<Recurrent>& saved_;
  const Recurrent::Attributes& attributes_;
  const Tensor& gradient_;
  std::int64_t h_;
  std::int64_t rows_ = 0;
  std::vector<Step> steps_;  // in the order of the layer
};

void Unrolled::lay_out() {
  rows_ = saved_.input(0).shape()[0];
  const Tensor& sizes = saved_.input(7);
  const std::int64_t count = sizes.defined() ? sizes.numel() : rows_ / attributes_.n;
  std::int64_t row = 0;
  for (std::int64_t t = 0; t < count; ++t) {
    Step step;
    step.size = sizes.defined() ? sizes.data<std::int64_t>()[t] : attributes_.n;
    step.row = row;
    row += step.size;
    steps_.push_back(step);
  }
  if (attributes_.reverse) steps_ = {steps_.rbegin(), steps_.rend()};
}

Tensor Unrolled::advance(Step& step, const Tensor& hidden, Tensor& cell) {
  const Tensor input = linear(saved_.input(0).narrow(0, step.row, step.size), saved_.input(3), saved_.input(5));
  const Tensor product = linear(hidden, saved_.input(4), saved_.input(6));
  step.hidden_before = hidden;
  step.cell_before = cell;
  if (attributes_.cell == CellKernel::rnn_tanh || attributes_.cell == CellKernel::rnn_relu) {
    const Tensor sum = input + product;
    step.gates[0] = attributes_.cell == CellKernel::rnn_tanh ? sum.tanh() : sum.relu();
    return step.gates[0];
  }
  if (attributes_.cell == CellKernel::gru) {
    for (int i = 0; i < 2; ++i) step.gates[i] = (gate(input, i) + gate(product, i)).sigmoid();
    step.extra = gate(product, 2);
    step.gates[2] = (gate(input, 2) + step.gates[0] * step.extra).tanh();
    return step.gates[2] + step.gates[1] * (hidden - step.gates[2]);
  }
  const Tensor sum = input + product;
  for (int i = 0; i < 4; ++i) step.gates[i] = i == 2 ? gate(sum, i).tanh() : gate(sum, i).sigmoid();
  cell = step.gates[1] * cell + step.gates[0] * step.gates[2];
  step.extra = cell.tanh();
  return step.gates[3] * step.extra;
}

void Unrolled::recompute() {
  const auto initial = [&](int input) {
    if (saved_.input(input).defined()) return saved_.input(input);
    return Tensor::zeros({attributes_.n, h_}, gradient_.dtype());
  };
  Tensor hidden = initial(1);
  Tensor cell = lstm() ? initial(2) : Tensor();
  for (Step& step : steps_) {
    Tensor part = lstm() ? cell.narrow(0, 0, step.size) : Tensor();
    hidden = with_rest(advance(step, hidden.narrow(0, 0, step.size), part), hidden);
    if (lstm()) cell = with_rest(part, cell);
  }
}

// direct: the part of the gradient of the state before that does not go through the product.
Sides Unrolled::retreat(const Step& step, const Tensor& of_hidden, Tensor& of_cell, Tensor& direct) const {
  const Tensor* g = step.gates;
  switch (attributes_.cell) {
    case CellKernel::rnn_tanh: {
      const Tensor side = tanh_back(of_hidden, g[0]);
      return {side, side};
    }
    case CellKernel::rnn_relu: {
      const Tensor side = of_hidden * g[0].detach().gt(0).to(of_hidden.dtype());
      return {side, side};
    }
    case CellKernel::gru: {
      const Tensor of_fresh = tanh_back(of_hidden * (1 - g[1]), g[2]);
      const Tensor of_update = sigmoid_back(of_hidden * (step.hidden_before - g[2]), g[1]);
      const Tensor of_reset = sigmoid_back(of_fresh * step.extra, g[0]);
      direct = of_hidden * g[1];
      return {cat({of_reset, of_update, of_fresh}, 1), cat({of_reset, of_update, of_fresh * g[0]}, 1)};
    }
    case CellKernel::lstm: {
      const Tensor total = of_cell + tanh_back(of_hidden * g[3], step.extra);
      const Tensor side = cat({sigmoid_back(total * g[2], g[0]), sigmoid_back(total * step.cell_before, g[1]),
                               tanh_back(total * g[0], g[2]), sigmoid_back(of_hidden * step.extra, g[3])},
                              1);
      of_cell = total * g[1];
      return {side, side};
    }
  }
  return {};
}

Gradients<8> Unrolled::gradients() {
  Tensor of_hidden = gradient_.narrow(0, rows_, attributes_.n);
  Tensor of_cell = lstm() ? gradient_.narrow(0, rows_ + attributes_.n, attributes_.n) : Tensor();
  // In the order of the rows.
  std::vector<Tensor> input_sides(steps_.size()), hidden_sides(steps_.size()), before(steps_.size());
  for (std::size_t i = steps_.size(); i-- > 0;) {
    const Step& step = steps_[i];
    Tensor cell = lstm() ? of_cell.narrow(0, 0, step.size) : Tensor();
    Tensor direct;
    const Sides sides =
        retreat(step, of_hidden.narrow(0, 0, step.size) + gradient_.narrow(0, step.row, step.size), cell, direct);
    Tensor earlier = sides.hidden.matmul(saved_.input(4));
    if (direct.defined()) earlier = earlier + direct;
    of_hidden = with_rest(earlier, of_hidden);
    if (lstm()) of_cell = with_rest(cell, of_cell);
    const std::size_t place = attributes_.reverse ? steps_.size() - 1 - i : i;
    input_sides[place] = sides.input;
    hidden_sides[place] = sides.hidden;
    before[place] = step.hidden_before;
  }
  Gradients<8> result;
  const bool any = !steps_.empty();
  const Shape none{0, gates_of(attributes_.cell) * h_};
  const Tensor input_side = any ? cat(input_sides, 0) : Tensor::zeros(none, gradient_.dtype());
  const Tensor hidden_side = any ? cat(hidden_sides, 0) : input_side;
  const Tensor states = any ? cat(before, 0) : Tensor::zeros({0, h_}, gradient_.dtype());
  if (saved_.needs(0)) result[0] = input_side.matmul(saved_.input(3));
  if (saved_.needs(1)) result[1] = of_hidden;
  if (saved_.needs(2)) result[2] = of_cell;
  if (saved_.needs(3)) result[3] = input_side.transpose(0, 1).matmul(saved_.input(0));
  if (saved_.needs(4)) result[4] = hidden_side.transpose(0, 1).matmul(states);
  if (saved_.needs(5)) result[5] = input_side.sum({0});
  if (saved_.needs(6)) result[6] = hidden_side.sum({0});
  return result;
}

}  // namespace

Gradients<8> recorded_gradient(const Saved<Recurrent>& saved, const Tensor& gradient) {
  return Unrolled(saved, gradient).gradients();
}

}  // namespace feral::ops
