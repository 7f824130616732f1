// Sums of a function of the elements, as folds; compiled once an instruction set: include after
// hwy/foreach_target.h. Has Highway's toggle instead of a plain include guard.
//
// Accurate for any length: at most 64 additions follow one another in the type computed in, float32 for plain sums,
// before the partial sums are added in float64 (see Higham, Accuracy and Stability of Numerical Algorithms, ch. 4:
// the error of blocked summation is bounded by the length of a block, not of the whole).
#if defined(FERAL_TENSOR_CPU_SUM_FOLD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_SUM_FOLD_INL
#undef FERAL_TENSOR_CPU_SUM_FOLD_INL
#else
#define FERAL_TENSOR_CPU_SUM_FOLD_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tensor/cpu/fold.hpp"
#include "tensor/cpu/totals.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A Map is what is summed of an element: operator()(d, element, parameter), with `parametrized` saying whether a
// result has a parameter. C is the type computed in, T the elements'.

// The Map of a plain sum.
struct Identity {
  static constexpr bool parametrized = false;
  template <class D, class V>
  HWY_ATTR V operator()(D, V x, V) const {
    return x;
  }
};

template <class D, class T>
HWY_ATTR hn::Vec<D> load_as(D d, const T* from) {
  if constexpr (std::is_same_v<hn::TFromD<D>, T>) {
    return hn::LoadU(d, from);
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<T, D>(), from));
  }
}

// The sum of n elements, at least a vector of them.
template <class Map, class D, class T>
HWY_ATTR hn::TFromD<D> sum_vectors(D d, const T* x, std::int64_t n, hn::TFromD<D> parameter) {
  const Map map;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto p = hn::Set(d, parameter);
  auto sum0 = hn::Zero(d);
  auto sum1 = hn::Zero(d);
  auto sum2 = hn::Zero(d);
  auto sum3 = hn::Zero(d);
  std::int64_t vectors = n / lanes;
  const std::int64_t rest = n - vectors * lanes;
  const T* from = x;
  for (; vectors >= 4; vectors -= 4, from += 4 * lanes) {
    sum0 = hn::Add(sum0, map(d, load_as(d, from), p));
    sum1 = hn::Add(sum1, map(d, load_as(d, from + lanes), p));
    sum2 = hn::Add(sum2, map(d, load_as(d, from + 2 * lanes), p));
    sum3 = hn::Add(sum3, map(d, load_as(d, from + 3 * lanes), p));
  }
  for (; vectors > 0; --vectors, from += lanes) sum0 = hn::Add(sum0, map(d, load_as(d, from), p));
  if (rest > 0) {
    // The last vector once more, without the elements that were in one before.
    const auto last = map(d, load_as(d, x + n - lanes), p);
    sum1 = hn::Add(sum1, hn::IfThenZeroElse(hn::FirstN(d, static_cast<std::size_t>(lanes - rest)), last));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
}

template <class Map, class C, class T>
HWY_ATTR C sum_few(const T* x, std::int64_t n, C parameter) {
  const hn::CappedTag<C, 1> d;
  C sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    sum += hn::GetLane(Map()(d, hn::Set(d, static_cast<C>(x[i])), hn::Set(d, parameter)));
  }
  return sum;
}

template <class Map, class C, class T>
HWY_ATTR double sum_contiguous(const T* x, std::int64_t n, C parameter) {
  const hn::ScalableTag<C> d;
  const hn::CappedTag<C, 4> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t piece = 256 * lanes;
  double total = 0;
  double error = 0;
  for (; n > piece; x += piece, n -= piece) {
    add_to(total, error, static_cast<double>(sum_vectors<Map>(d, x, piece, parameter)));
  }
  C rest;
  if (n >= lanes) {
    rest = sum_vectors<Map>(d, x, n, parameter);
  } else if (n >= static_cast<std::int64_t>(hn::Lanes(narrow))) {
    rest = sum_vectors<Map>(narrow, x, n, parameter);
  } else {
    rest = sum_few<Map>(x, n, parameter);
  }
  add_to(total, error, static_cast<double>(rest));
  return compensated(total, error);
}

template <class Map, class C, class T>
HWY_ATTR double map_one(T x, C parameter) {
  const hn::CappedTag<C, 1> d;
  return static_cast<double>(hn::GetLane(Map()(d, hn::Set(d, static_cast<C>(x)), hn::Set(d, parameter))));
}

template <class Map, class C, class T>
HWY_ATTR void sum_row(std::byte* accumulators, const std::byte* bytes, std::int64_t n, std::int64_t stride,
                      const FoldArguments& arguments) {
  const T* x = reinterpret_cast<const T*>(bytes);
  C parameter = 0;
  if constexpr (Map::parametrized) parameter = static_cast<C>(arguments.parameters[0]);
  double& total = *sums_of(accumulators);
  double& error = *errors_of(accumulators);
  if (stride == 1) {
    add_to(total, error, sum_contiguous<Map, C>(x, n, parameter));
    return;
  }
  constexpr std::int64_t piece = 256;
  for (std::int64_t start = 0; start < n; start += piece) {
    const std::int64_t end = HWY_MIN(start + piece, n);
    double sums[4] = {};
    std::int64_t i = start;
    for (; i + 4 <= end; i += 4) {
      for (std::int64_t k = 0; k < 4; ++k) sums[k] += map_one<Map, C>(x[(i + k) * stride], parameter);
    }
    for (; i < end; ++i) sums[0] += map_one<Map, C>(x[i * stride], parameter);
    add_to(total, error, (sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
}

// row(first) + … + row(first + rows - 1), added in pairs.
template <int rows, class D, class Row>
HWY_ATTR HWY_INLINE hn::Vec<D> sum_of_rows(D d, const Row& row, std::int64_t first = 0) {
  if constexpr (rows == 1) {
    return row(first);
  } else {
    return hn::Add(sum_of_rows<rows / 2>(d, row, first), sum_of_rows<rows / 2>(d, row, first + rows / 2));
  }
}

// Adds some rows to the partial sums of the columns from j on, by whole vectors of D; j moves behind them.
template <int rows, class Map, class D, class C, class T>
HWY_ATTR void add_rows(D d, C* partial, const T* x, std::int64_t row_stride, const C* parameters, std::int64_t& j,
                       std::int64_t columns) {
  const Map map;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; j + lanes <= columns; j += lanes) {
    auto p = hn::Zero(d);
    if constexpr (Map::parametrized) p = hn::LoadU(d, parameters + j);
    const T* first = x + j;
    const auto sum = sum_of_rows<rows>(
        d, [&](std::int64_t k) HWY_ATTR { return map(d, load_as(d, first + k * row_stride), p); });
    hn::StoreU(hn::Add(hn::LoadU(d, partial + j), sum), d, partial + j);
  }
}

template <int rows, class Map, class C, class T>
HWY_ATTR void add_rows_of(C* partial, const T* x, std::int64_t row_stride, const C* parameters,
                          std::int64_t columns) {
  std::int64_t j = 0;
  add_rows<rows, Map>(hn::ScalableTag<C>(), partial, x, row_stride, parameters, j, columns);
  add_rows<rows, Map>(hn::CappedTag<C, 8>(), partial, x, row_stride, parameters, j, columns);
  add_rows<rows, Map>(hn::CappedTag<C, 4>(), partial, x, row_stride, parameters, j, columns);
  add_rows<rows, Map>(hn::CappedTag<C, 1>(), partial, x, row_stride, parameters, j, columns);
}

template <class Map, class C, class T>
HWY_ATTR void sum_columns(std::byte* accumulators, const std::byte* bytes, const Block& block,
                          const FoldArguments& arguments) {
  const T* x = reinterpret_cast<const T*>(bytes);
  double* totals = sums_of(accumulators);
  double* errors = errors_of(accumulators);
  HWY_ALIGN C parameters[Map::parametrized ? fold_columns : 1];
  if constexpr (Map::parametrized) {
    for (std::int64_t j = 0; j < block.columns; ++j) {
      parameters[j] = static_cast<C>(arguments.parameters[j * arguments.parameter_stride]);
    }
  }
  if (block.column_stride != 1) {
    // A few rows at a time, so that neither order of the strides is all misses.
    for (std::int64_t row = 0; row < block.rows; row += 16) {
      const std::int64_t end = HWY_MIN(row + 16, block.rows);
      for (std::int64_t j = 0; j < block.columns; ++j) {
        const T* column = x + j * block.column_stride;
        double sum = 0;
        for (std::int64_t i = row; i < end; ++i) {
          sum += map_one<Map, C>(column[i * block.row_stride], parameters[Map::parametrized ? j : 0]);
        }
        add_to(totals[j], errors[j], sum);
      }
    }
    return;
  }
  HWY_ALIGN C partial[fold_columns];
  constexpr int rows = Map::parametrized ? 4 : 16;  // at a time; fewer where a Map is long
  constexpr std::int64_t piece = 32 * rows;
  for (std::int64_t row = 0; row < block.rows; row += piece) {
    const std::int64_t end = HWY_MIN(row + piece, block.rows);
    for (std::int64_t j = 0; j < block.columns; ++j) partial[j] = 0;
    std::int64_t i = row;
    for (; i + rows <= end; i += rows) {
      add_rows_of<rows, Map>(partial, x + i * block.row_stride, block.row_stride, parameters, block.columns);
    }
    if constexpr (rows > 4) {
      for (; i + 4 <= end; i += 4) {
        add_rows_of<4, Map>(partial, x + i * block.row_stride, block.row_stride, parameters, block.columns);
      }
    }
    for (; i < end; ++i) {
      add_rows_of<1, Map>(partial, x + i * block.row_stride, block.row_stride, parameters, block.columns);
    }
    for (std::int64_t j = 0; j < block.columns; ++j) add_to(totals[j], errors[j], static_cast<double>(partial[j]));
  }
}

// The sum of Map of all elements, and how to write it.
template <class Map, class C, class T>
Fold sum_fold(void (*finish)(std::byte*, const std::byte*, std::int64_t, std::int64_t, const FoldArguments&)) {
  return {.start = start_totals, .row = sum_row<Map, C, T>, .columns = sum_columns<Map, C, T>, .finish = finish};
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
