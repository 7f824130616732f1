// The fixtures of the conformance suite: what reference/*.py has written, and the tensors that a case asks for.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::conformance {

// How an operand lies in memory: contiguous; transposed (the first dimension has stride 1); stepped (every second
// element of a larger tensor, with a margin); broadcast, broadcast_last (the first or last dimension has stride 0).
enum class Layout { contiguous, transposed, stepped, broadcast, broadcast_last };

Layout layout_named(const std::string& name);
DType dtype_named(const std::string& name);

// A tensor in a layout, and the bytes that it views with what lies around them.
struct Operand {
  Tensor tensor;
  Tensor storage;                 // contiguous, all that `tensor` lies in
  std::vector<std::byte> before;  // of `storage`, when it was made

  // Whether no byte of the storage has changed, or none outside of the tensor's elements.
  bool untouched() const;
  bool untouched_around() const;
};

// One call: what is asked, and what PyTorch answers.
struct Case {
  std::string op;
  std::string text;  // as it stands in the fixture
  struct In {
    DType dtype;
    Layout layout;
    Shape shape;
    const std::byte* values;

    // Coverage's name for it: of its layout, "empty" or "0-dim".
    std::string shows() const;
  };
  struct Out {
    DType dtype;
    Shape shape;
    const std::byte* values;
  };
  std::vector<In> in;
  std::vector<Out> out;
  nlohmann::json attributes;
  int ulps = 0;           // 0: bit by bit
  double within = 0;      // an element may also be off by so much
  bool any_zero = false;  // a zero may have either sign
};

Operand make_operand(const Case::In& in);

// "" when `got` is as the case says; else what is wrong.
std::string difference(const Case& test, const Case::Out& want, const Tensor& got);

// A fixture, read once.
class Fixture {
 public:
  static const Fixture& of(const std::string& family);
  const std::vector<Case>& cases() const { return cases_; }

 private:
  explicit Fixture(const std::string& family);
  std::map<std::string, Tensor> arrays_;
  std::vector<Case> cases_;
};

}  // namespace feral::conformance
