#include "tests/conformance/fixture.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "core/error.hpp"
#include "tensor/npz.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::conformance {
namespace {

Shape shape_of(const nlohmann::json& sizes) {
  const auto values = sizes.get<std::vector<std::int64_t>>();
  return Shape(std::span(values));
}

std::byte* bytes_at(const Tensor& x, std::int64_t element) {
  return x.raw_data() + element * static_cast<std::int64_t>(size_of(x.dtype()));
}

// Calls function(offset) with the place in memory, in elements, of every element in row-major order.
template <class Function>
void for_each_place(const Shape& shape, const Shape& strides, Function&& function) {
  if (shape.numel() == 0) return;
  std::int64_t index[Shape::max_dims] = {};
  for (;;) {
    std::int64_t place = 0;
    for (int d = 0; d < shape.dims(); ++d) place += index[d] * strides[d];
    function(place);
    int d = shape.dims() - 1;
    while (d >= 0 && ++index[d] == shape[d]) index[d--] = 0;
    if (d < 0) return;
  }
}

// The same tensor with its dimensions in reverse order.
Tensor reversed(const Tensor& x) {
  Tensor result = x;
  for (int d = 0; d < x.dims() / 2; ++d) result = result.transpose(d, x.dims() - 1 - d);
  return result;
}

// A tensor of `shape` in the layout; the elements are not set.
Operand lay_out(const Shape& shape, DType dtype, Layout layout) {
  const int dims = shape.dims();
  switch (layout) {
    case Layout::contiguous: {
      const Tensor storage = Tensor::empty(shape, dtype);
      return {storage, storage, {}};
    }
    case Layout::transposed: {
      Shape turned;
      for (int d = dims - 1; d >= 0; --d) turned.push_back(shape[d]);
      const Tensor storage = Tensor::empty(turned, dtype);
      return {reversed(storage), storage, {}};
    }
    case Layout::stepped: {
      // One more on either side of the first dimension, every second along the last.
      Shape larger;
      for (int d = 0; d < dims; ++d) larger.push_back(d == 0 ? shape[d] + 2 : shape[d]);
      larger.push_back(2);
      const Tensor storage = Tensor::empty(larger, dtype);
      const Tensor inner = dims > 0 ? storage.narrow(0, 1, shape[0]) : storage;
      return {inner.narrow(dims, 1, 1).reshape(shape), storage, {}};
    }
    case Layout::broadcast:
    case Layout::broadcast_last: {
      Shape one = shape;
      one[layout == Layout::broadcast ? 0 : dims - 1] = 1;
      const Tensor storage = Tensor::empty(one, dtype);
      return {storage.expand(shape), storage, {}};
    }
  }
  throw Error("no such layout");
}

std::vector<std::byte> bytes_of(const Tensor& storage) {
  const auto* data = storage.raw_data();
  return {data, data + static_cast<std::size_t>(storage.numel()) * size_of(storage.dtype())};
}

template <class T>
std::uint64_t ulps_between(T a, T b) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
    if (std::isnan(float{a}) || std::isnan(float{b}))
      return std::isnan(float{a}) && std::isnan(float{b}) ? 0 : ~std::uint64_t{0};
    const auto ordered = [](T x) { return (x.bits & 0x8000) != 0 ? -(x.bits & 0x7fff) : int{x.bits}; };
    return static_cast<std::uint64_t>(std::abs(ordered(a) - ordered(b)));
  } else {
    return testing_support::ulps_between(a, b);
  }
}

template <class T>
bool near(const Case& test, T want, T got) {
  if (std::memcmp(&want, &got, sizeof(T)) == 0) return true;
  if constexpr (std::is_integral_v<T>) {
    return false;
  } else {
    const auto w = static_cast<double>(want);
    const auto g = static_cast<double>(got);
    if (std::isnan(w) || std::isnan(g)) return std::isnan(w) && std::isnan(g);
    if (test.within > 0 && std::abs(w - g) <= test.within) return true;
    if (w == 0 && g == 0) return test.any_zero;  // the signs differ
    return ulps_between(want, got) <= static_cast<std::uint64_t>(test.ulps);
  }
}

template <class T>
std::string show(T value) {
  char text[64];
  if constexpr (std::is_integral_v<T>) {
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
  } else {
    std::snprintf(text, sizeof text, "%.17g", static_cast<double>(value));
  }
  return text;
}

}  // namespace

Layout layout_named(const std::string& name) {
  if (name == "contiguous") return Layout::contiguous;
  if (name == "transposed") return Layout::transposed;
  if (name == "stepped") return Layout::stepped;
  if (name == "broadcast") return Layout::broadcast;
  if (name == "broadcast_last") return Layout::broadcast_last;
  throw Error("no layout " + name);
}

DType dtype_named(const std::string& name) {
  for (int i = 0; i < dtype_count; ++i) {
    if (name_of(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  }
  throw Error("no type " + name);
}

bool Operand::untouched() const { return bytes_of(storage) == before; }

bool Operand::untouched_around() const {
  std::vector<std::byte> now = bytes_of(storage);
  const std::size_t size = size_of(tensor.dtype());
  const auto offset = tensor.raw_data() - storage.raw_data();
  for_each_place(tensor.shape(), tensor.strides(), [&](std::int64_t place) {
    const auto at = static_cast<std::size_t>(offset) + static_cast<std::size_t>(place) * size;
    std::memcpy(&now[at], &before[at], size);
  });
  return now == before;
}

std::string Case::In::shows() const {
  if (shape.numel() == 0) return "empty";
  if (shape.dims() == 0) return "0-dim";
  switch (layout) {
    case Layout::contiguous:
      return "contiguous";
    case Layout::transposed:
      return shape.dims() > 1 ? "transposed" : "contiguous";
    case Layout::stepped:
      return "stepped";
    case Layout::broadcast:
    case Layout::broadcast_last:
      return "broadcast";
  }
  throw Error("no such layout");
}

Operand make_operand(const Case::In& in) {
  Operand operand = lay_out(in.shape, in.dtype, in.layout);
  // Between the elements lies what would show in any result: NaN, numbers like -1431655766, true.
  const std::size_t size = size_of(in.dtype);
  std::memset(operand.storage.raw_data(),
              in.dtype == DType::boolean ? 1
              : is_floating(in.dtype)    ? 0xff
                                         : 0xaa,
              static_cast<std::size_t>(operand.storage.numel()) * size);
  const std::byte* value = in.values;
  for_each_place(operand.tensor.shape(), operand.tensor.strides(), [&](std::int64_t place) {
    std::memcpy(bytes_at(operand.tensor, place), value, size);
    value += size;
  });
  operand.before = bytes_of(operand.storage);
  return operand;
}

std::string difference(const Case& test, const Case::Out& want, const Tensor& got) {
  if (!got.defined()) return "undefined";
  if (got.dtype() != want.dtype)
    return "type " + std::string(name_of(got.dtype())) + ", not " + std::string(name_of(want.dtype));
  if (got.shape() != want.shape) return "shape " + got.shape().to_string() + ", not " + want.shape.to_string();
  return visit_dtype(want.dtype, [&]<class T>() {
    std::string text;
    std::int64_t i = 0;
    int wrong = 0;
    for_each_place(got.shape(), got.strides(), [&](std::int64_t place) {
      T expected;
      T value;
      std::memcpy(&expected, want.values + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
      std::memcpy(&value, bytes_at(got, place), sizeof(T));
      if (!near(test, expected, value)) {
        if (++wrong <= 4) text += " [" + std::to_string(i) + "] " + show(value) + ", not " + show(expected) + ";";
      }
      ++i;
    });
    return wrong == 0 ? "" : std::to_string(wrong) + " of " + std::to_string(i) + " elements:" + text;
  });
}

Fixture::Fixture(const std::string& family)
    : arrays_(load_npz(std::string(FERAL_SOURCE_DIR) + "/tests/fixtures/conformance/" + family + ".npz")) {
  const auto values_at = [&](const nlohmann::json& type, const nlohmann::json& place, const Shape& shape) {
    const std::string name = type.get<std::string>();
    const Tensor& array = arrays_.at(name);
    const std::int64_t first = place.get<std::int64_t>();
    if (first + shape.numel() > array.numel()) throw Error(name + " is too short in " + std::string("the fixture"));
    return bytes_at(array, first);
  };
  const Tensor& text = arrays_.at("cases");
  const auto* begin = reinterpret_cast<const char*>(text.raw_data());
  const nlohmann::json list = nlohmann::json::parse(begin, begin + text.numel());
  cases_.reserve(list.size());
  for (const nlohmann::json& entry : list) {
    Case test;
    test.op = entry.at("op");
    test.text = entry.dump();
    for (const nlohmann::json& x : entry.at("in")) {
      const Shape shape = shape_of(x.at(2));
      test.in.push_back({dtype_named(x.at(0)), layout_named(x.at(1)), shape, values_at(x.at(0), x.at(3), shape)});
    }
    for (const nlohmann::json& x : entry.at("out")) {
      const Shape shape = shape_of(x.at(1));
      test.out.push_back({dtype_named(x.at(0)), shape, values_at(x.at(0), x.at(2), shape)});
    }
    test.attributes = entry.value("with", nlohmann::json::object());
    test.ulps = entry.value("ulps", 0);
    test.within = entry.value("within", 0.0);
    test.any_zero = entry.contains("any_zero");
    cases_.push_back(std::move(test));
  }
}

const Fixture& Fixture::of(const std::string& family) {
  static std::map<std::string, Fixture> read;
  const auto found = read.find(family);
  if (found != read.end()) return found->second;
  return read.emplace(family, Fixture(family)).first->second;
}

}  // namespace feral::conformance
