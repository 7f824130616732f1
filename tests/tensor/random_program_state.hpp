// What random programs share: views of a few storages, each beside its model, and their comparison.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/tensor/operands.hpp"
#include "tests/tensor/random_program_model.hpp"

namespace feral::testing_support {

inline constexpr DType program_types[] = {DType::float32, DType::float64, DType::int64, DType::int32,
                                          DType::int16,   DType::int8,    DType::uint8, DType::boolean};
inline constexpr std::int64_t most_elements = 150;  // of a view

// A tensor and what it should be.
struct Pair {
  Tensor tensor;
  ModelView model;
};

inline std::string text(const Sizes& values) { return fmt::format("{}", Shape(std::span(values)).to_string()); }

// What every step works on: a pool of views of a few storages.
class ProgramState {
 public:
  explicit ProgramState(std::uint64_t seed) : engine_(seed) {}

  // The steps so far.
  const std::string& log() const { return log_; }

 protected:
  std::int64_t pick(std::int64_t n) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(std::max<std::int64_t>(n, 1)));
  }

  void note(const std::string& line) { log_ += line + "\n"; }
  void complain(const std::string& what) {
    if (problem_.empty()) problem_ = what;
  }

  // --- storages and the pool of views

  Number random_number(DType type) {
    if (is_floating(type)) return static_cast<float>(pick(2001) - 1000) / 64;
    constexpr Number extremes[] = {0x1p63L - 1, -0x1p63L, 0x1p31L - 1, -0x1p31L, 0x1p15L, 255, 128, -128, 1, 0};
    return stored(type, pick(3) == 0 ? extremes[pick(10)] : static_cast<Number>(pick(201) - 100));
  }

  void add_storage() {
    Sizes shape;
    for (std::int64_t dims = pick(4) + (pick(8) != 0); dims > 0; --dims) {
      shape.push_back(pick(16) == 0 ? 0 : 1 + pick(5));
    }
    while (count_of(shape) > most_elements) shape.pop_back();
    const DType type = program_types[pick(8)];
    const Tensor tensor = Tensor::empty(Shape(std::span(shape)), type);
    auto storage = std::make_shared<ModelStorage>(ModelStorage{type, {}});
    ModelView view{storage, shape, {}};
    for (std::int64_t i = 0; i < tensor.numel(); ++i) {
      storage->elements.push_back(random_number(type));
      view.places.push_back(i);
      visit_dtype(type, [&]<class T>() { tensor.data<T>()[i] = static_cast<T>(storage->elements.back()); });
    }
    note(fmt::format("storage {} {}", name_of(type), text(shape)));
    keep({tensor, view});
  }

  void keep(const Pair& pair) {
    if (pool_.size() < 6) {
      pool_.push_back(pair);
    } else {
      pool_[static_cast<std::size_t>(pick(6))] = pair;
    }
  }

  const Pair& any() { return pool_[static_cast<std::size_t>(pick(static_cast<std::int64_t>(pool_.size())))]; }

  // The whole storage that the view is of.
  void compare_storage(const Pair& pair) {
    const Tensor& tensor = pair.tensor;
    const ModelView& model = pair.model;
    const std::vector<Number>& elements = model.storage->elements;
    visit_dtype(tensor.dtype(), [&]<class T>() {
      const T* data = reinterpret_cast<const T*>(tensor.impl()->storage->data);
      for (std::size_t i = 0; i < elements.size(); ++i) {
        const auto got = static_cast<Number>(data[i]);
        if (got == elements[i] || (std::isnan(got) && std::isnan(elements[i]))) continue;
        complain(fmt::format("element {} of a {} storage is {}, not {}", i, name_of(tensor.dtype()),
                             static_cast<double>(got), static_cast<double>(elements[i])));
      }
    });
  }

  // Each element of the view is where the model says, and read in its order.
  void compare_view(const Pair& pair, const std::byte* storage) {
    const Tensor& tensor = pair.tensor;
    const ModelView& model = pair.model;
    if (!(tensor.shape() == Shape(std::span(model.shape))) || tensor.dtype() != model.storage->dtype) {
      return complain(fmt::format("the view is {}, not {}", tensor.to_string(), text(model.shape)));
    }
    const auto size = static_cast<std::int64_t>(size_of(tensor.dtype()));
    std::size_t position = 0;
    for_each_index(model.shape, [&](const Sizes& index) {
      std::int64_t offset = 0;
      for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * tensor.strides()[static_cast<int>(d)];
      const std::byte* expected = storage + model.places[position++] * size;
      if (tensor.raw_data() + offset * size != expected)
        complain("element " + text(index) + " of the view is astray");
    });
    bool in_order = true;
    for (std::size_t i = 1; i < model.places.size(); ++i) {
      in_order = in_order && model.places[i] == model.places[i - 1] + 1;
    }
    if (tensor.is_contiguous() != (in_order || tensor.numel() == 0)) complain("is_contiguous is wrong");
  }

  // --- results

  void take(const char* op, const Tensor& tensor, const ModelView& model) {
    note(fmt::format("{} -> {} strides {}", op, tensor.to_string(), tensor.strides().to_string()));
    const Pair pair{tensor, model};
    compare_view(pair, tensor.impl()->storage->data);
    keep(pair);
  }

  // The call must throw and name the op.
  template <class Call>
  void expect_error(const std::string& op, const Call& call) {
    const std::string message = error_of(call);
    note(fmt::format("{} must be refused", op));
    if (message.rfind(op + ": ", 0) != 0) complain(fmt::format("{} said '{}'", op, message));
  }

  void copied(const char* op, const Tensor& result, const ModelView& of) {
    auto storage = std::make_shared<ModelStorage>(ModelStorage{result.dtype(), {}});
    ModelView view{storage, of.shape, {}};
    for (const std::int64_t place : of.places) {
      view.places.push_back(static_cast<std::int64_t>(storage->elements.size()));
      storage->elements.push_back(of.storage->elements[static_cast<std::size_t>(place)]);
    }
    note(fmt::format("{} copies to {}", op, result.to_string()));
    compare_view({result, view}, result.raw_data());
    keep({result, view});
  }

  std::mt19937_64 engine_;
  std::vector<Pair> pool_;
  std::string log_;
  std::string problem_;
};

}  // namespace feral::testing_support
