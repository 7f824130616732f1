// The cells on vectors.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/recurrent_cells.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "tensor/cpu/float32-inl.hpp"
#include "tensor/cpu/math-inl.hpp"
#include "tensor/cpu/recurrent_cells.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct CellTanh {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    if constexpr (sizeof(hn::TFromD<D>) == 4) {
      return Tanh()(d, x);
    } else {
      return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, x));
    }
  }
};

// step(d, j) for whole vectors of columns j, then one by one.
template <class T, class Step>
HWY_ATTR HWY_INLINE void over_columns(std::int64_t columns, const Step& step) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  for (; j + lanes <= columns; j += lanes) step(d, j);
  for (; j < columns; ++j) step(hn::CappedTag<T, 1>(), j);
}

template <class T>
T* offset(T* pointer, std::int64_t by) {
  return pointer == nullptr ? nullptr : pointer + by;
}

// What a gate is a function of.
template <class D, class T>
HWY_ATTR HWY_INLINE hn::Vec<D> sum_at(std::int64_t j, D d, const T* gates, const T* products, const T* bias) {
  return hn::Add(hn::Add(hn::LoadU(d, gates + j), hn::LoadU(d, products + j)), hn::LoadU(d, bias + j));
}

template <class T>
HWY_ATTR void lstm_forward(const CellStep<T>& s) {
  const std::int64_t h = s.hidden;
  for (std::int64_t row = 0; row < s.rows; ++row) {
    T* gates = s.gates + row * 4 * h;
    const T* products = s.products + row * 4 * h;
    T* state = s.state + row * h;
    T* cell = s.cell + row * h;
    T* output = s.output + row * h;
    T* hidden_before = offset(s.hidden_before, row * h);
    T* cell_before = offset(s.cell_before, row * h);
    T* extra = offset(s.extra, row * h);
    over_columns<T>(h, [&](auto d, std::int64_t j) HWY_ATTR {
      const auto input = Sigmoid()(d, sum_at(j, d, gates, products, s.bias));
      const auto forget = Sigmoid()(d, sum_at(h + j, d, gates, products, s.bias));
      const auto candidate = CellTanh()(d, sum_at(2 * h + j, d, gates, products, s.bias));
      const auto out = Sigmoid()(d, sum_at(3 * h + j, d, gates, products, s.bias));
      const auto before = hn::LoadU(d, cell + j);
      const auto after = hn::MulAdd(forget, before, hn::Mul(input, candidate));
      const auto squashed = CellTanh()(d, after);
      const auto result = hn::Mul(out, squashed);
      if (hidden_before != nullptr) {
        hn::StoreU(hn::LoadU(d, state + j), d, hidden_before + j);
        hn::StoreU(before, d, cell_before + j);
        hn::StoreU(squashed, d, extra + j);
        hn::StoreU(input, d, gates + j);
        hn::StoreU(forget, d, gates + h + j);
        hn::StoreU(candidate, d, gates + 2 * h + j);
        hn::StoreU(out, d, gates + 3 * h + j);
      }
      hn::StoreU(after, d, cell + j);
      hn::StoreU(result, d, state + j);
      hn::StoreU(result, d, output + j);
    });
  }
}

template <class T>
HWY_ATTR void lstm_back(const CellStepBack<T>& s) {
  const std::int64_t h = s.hidden;
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const T* gates = s.gates + row * 4 * h;
    T* to = s.input_side + row * s.side_row;
    T* state = s.state + row * h;
    T* cell = s.cell + row * h;
    const T* gradient = s.gradient + row * h;
    const T* before = s.cell_before + row * h;
    const T* extra = s.extra + row * h;
    over_columns<T>(h, [&](auto d, std::int64_t j) HWY_ATTR {
      const auto one = hn::Set(d, T{1});
      const auto of_hidden = hn::Add(hn::LoadU(d, state + j), hn::LoadU(d, gradient + j));
      const auto input = hn::LoadU(d, gates + j);
      const auto forget = hn::LoadU(d, gates + h + j);
      const auto candidate = hn::LoadU(d, gates + 2 * h + j);
      const auto out = hn::LoadU(d, gates + 3 * h + j);
      const auto squashed = hn::LoadU(d, extra + j);
      // A sigmoid's slope is y (1 - y), tanh's 1 - y².
      const auto of_out = hn::Mul(hn::Mul(of_hidden, squashed), hn::Mul(out, hn::Sub(one, out)));
      const auto of_cell =
          hn::MulAdd(hn::Mul(of_hidden, out), hn::NegMulAdd(squashed, squashed, one), hn::LoadU(d, cell + j));
      const auto of_input = hn::Mul(hn::Mul(of_cell, candidate), hn::Mul(input, hn::Sub(one, input)));
      const auto of_forget =
          hn::Mul(hn::Mul(of_cell, hn::LoadU(d, before + j)), hn::Mul(forget, hn::Sub(one, forget)));
      const auto of_candidate = hn::Mul(hn::Mul(of_cell, input), hn::NegMulAdd(candidate, candidate, one));
      hn::StoreU(of_input, d, to + j);
      hn::StoreU(of_forget, d, to + h + j);
      hn::StoreU(of_candidate, d, to + 2 * h + j);
      hn::StoreU(of_out, d, to + 3 * h + j);
      hn::StoreU(hn::Mul(of_cell, forget), d, cell + j);
      hn::StoreU(hn::Zero(d), d, state + j);
    });
  }
}

template <class T>
HWY_ATTR void gru_forward(const CellStep<T>& s) {
  const std::int64_t h = s.hidden;
  for (std::int64_t row = 0; row < s.rows; ++row) {
    T* gates = s.gates + row * 3 * h;
    const T* products = s.products + row * 3 * h;
    T* state = s.state + row * h;
    T* output = s.output + row * h;
    T* hidden_before = offset(s.hidden_before, row * h);
    T* extra = offset(s.extra, row * h);
    over_columns<T>(h, [&](auto d, std::int64_t j) HWY_ATTR {
      const auto reset = Sigmoid()(d, sum_at(j, d, gates, products, s.bias));
      const auto update = Sigmoid()(d, sum_at(h + j, d, gates, products, s.bias));
      const auto of_hidden = hn::Add(hn::LoadU(d, products + 2 * h + j), hn::LoadU(d, s.bias_new + j));
      const auto of_input = hn::Add(hn::LoadU(d, gates + 2 * h + j), hn::LoadU(d, s.bias + 2 * h + j));
      const auto fresh = CellTanh()(d, hn::MulAdd(reset, of_hidden, of_input));
      const auto before = hn::LoadU(d, state + j);
      const auto result = hn::MulAdd(update, hn::Sub(before, fresh), fresh);
      if (hidden_before != nullptr) {
        hn::StoreU(before, d, hidden_before + j);
        hn::StoreU(of_hidden, d, extra + j);
        hn::StoreU(reset, d, gates + j);
        hn::StoreU(update, d, gates + h + j);
        hn::StoreU(fresh, d, gates + 2 * h + j);
      }
      hn::StoreU(result, d, state + j);
      hn::StoreU(result, d, output + j);
    });
  }
}

template <class T>
HWY_ATTR void gru_back(const CellStepBack<T>& s) {
  const std::int64_t h = s.hidden;
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const T* gates = s.gates + row * 3 * h;
    T* to = s.input_side + row * s.side_row;
    T* hidden_to = s.hidden_side + row * s.side_row;
    T* state = s.state + row * h;
    const T* gradient = s.gradient + row * h;
    const T* before = s.hidden_before + row * h;
    const T* extra = s.extra + row * h;
    over_columns<T>(h, [&](auto d, std::int64_t j) HWY_ATTR {
      const auto one = hn::Set(d, T{1});
      const auto of_hidden = hn::Add(hn::LoadU(d, state + j), hn::LoadU(d, gradient + j));
      const auto reset = hn::LoadU(d, gates + j);
      const auto update = hn::LoadU(d, gates + h + j);
      const auto fresh = hn::LoadU(d, gates + 2 * h + j);
      const auto rest = hn::Sub(one, update);
      const auto of_fresh = hn::Mul(hn::Mul(of_hidden, rest), hn::NegMulAdd(fresh, fresh, one));
      const auto of_update =
          hn::Mul(hn::Mul(of_hidden, hn::Sub(hn::LoadU(d, before + j), fresh)), hn::Mul(update, rest));
      const auto of_reset =
          hn::Mul(hn::Mul(of_fresh, hn::LoadU(d, extra + j)), hn::Mul(reset, hn::Sub(one, reset)));
      hn::StoreU(of_reset, d, to + j);
      hn::StoreU(of_update, d, to + h + j);
      hn::StoreU(of_fresh, d, to + 2 * h + j);
      hn::StoreU(of_reset, d, hidden_to + j);
      hn::StoreU(of_update, d, hidden_to + h + j);
      hn::StoreU(hn::Mul(of_fresh, reset), d, hidden_to + 2 * h + j);
      hn::StoreU(hn::Mul(of_hidden, update), d, state + j);
    });
  }
}

template <class T, bool relu>
HWY_ATTR void rnn_forward(const CellStep<T>& s) {
  const std::int64_t h = s.hidden;
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const std::int64_t at = row * h;
    T* hidden_before = offset(s.hidden_before, at);
    over_columns<T>(h, [&](auto d, std::int64_t j) HWY_ATTR {
      const auto sum = sum_at(j, d, s.gates + at, s.products + at, s.bias);
      auto result = sum;
      if constexpr (relu) {
        result = Relu()(d, sum);
      } else {
        result = CellTanh()(d, sum);
      }
      if (hidden_before != nullptr) {
        hn::StoreU(hn::LoadU(d, s.state + at + j), d, hidden_before + j);
        hn::StoreU(result, d, s.gates + at + j);
      }
      hn::StoreU(result, d, s.state + at + j);
      hn::StoreU(result, d, s.output + at + j);
    });
  }
}

template <class T, bool relu>
HWY_ATTR void rnn_back(const CellStepBack<T>& s) {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const std::int64_t at = row * s.hidden;
    over_columns<T>(s.hidden, [&](auto d, std::int64_t j) HWY_ATTR {
      const auto of_hidden = hn::Add(hn::LoadU(d, s.state + at + j), hn::LoadU(d, s.gradient + at + j));
      const auto y = hn::LoadU(d, s.gates + at + j);
      auto result = of_hidden;
      if constexpr (relu) {
        result = hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), of_hidden);
      } else {
        result = hn::Mul(of_hidden, hn::NegMulAdd(y, y, hn::Set(d, T{1})));
      }
      hn::StoreU(result, d, s.input_side + row * s.side_row + j);
      hn::StoreU(hn::Zero(d), d, s.state + at + j);
    });
  }
}

template <class T>
void forward_of(CellKernel cell, const CellStep<T>& step) {
  switch (cell) {
    case CellKernel::rnn_tanh:
      return rnn_forward<T, false>(step);
    case CellKernel::rnn_relu:
      return rnn_forward<T, true>(step);
    case CellKernel::lstm:
      return lstm_forward(step);
    case CellKernel::gru:
      return gru_forward(step);
  }
}

template <class T>
void back_of(CellKernel cell, const CellStepBack<T>& step) {
  switch (cell) {
    case CellKernel::rnn_tanh:
      return rnn_back<T, false>(step);
    case CellKernel::rnn_relu:
      return rnn_back<T, true>(step);
    case CellKernel::lstm:
      return lstm_back(step);
    case CellKernel::gru:
      return gru_back(step);
  }
}

void cell_floats(CellKernel cell, const CellStep<float>& step) { forward_of(cell, step); }
void cell_doubles(CellKernel cell, const CellStep<double>& step) { forward_of(cell, step); }
void cell_back_floats(CellKernel cell, const CellStepBack<float>& step) { back_of(cell, step); }
void cell_back_doubles(CellKernel cell, const CellStepBack<double>& step) { back_of(cell, step); }

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(cell_floats);
HWY_EXPORT(cell_doubles);
HWY_EXPORT(cell_back_floats);
HWY_EXPORT(cell_back_doubles);

void run_cell(CellKernel cell, const CellStep<float>& step) { HWY_DYNAMIC_DISPATCH(cell_floats)(cell, step); }
void run_cell(CellKernel cell, const CellStep<double>& step) { HWY_DYNAMIC_DISPATCH(cell_doubles)(cell, step); }
void run_cell_back(CellKernel cell, const CellStepBack<float>& step) {
  HWY_DYNAMIC_DISPATCH(cell_back_floats)(cell, step);
}
void run_cell_back(CellKernel cell, const CellStepBack<double>& step) {
  HWY_DYNAMIC_DISPATCH(cell_back_doubles)(cell, step);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
