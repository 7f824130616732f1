// Wrong calls of the ops that count.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;

void add_wrong(std::vector<WrongCall>& calls) {
  calls.push_back({"bincount", [] { (void)f32({2}).bincount(); }, {"float32"}});
  calls.push_back({"bincount", [] { (void)Tensor::ones({2}, DType::boolean).bincount(); }, {"bool"}});
  calls.push_back({"bincount", [] { (void)i32({2, 2}).bincount(); }, {"[2, 2]"}});
  calls.push_back({"bincount", [] { (void)labels({1, -2}).bincount(); }, {"-2"}});
  calls.push_back({"bincount", [] { (void)labels({INT64_MAX}).bincount(); }, {"too large"}});
  calls.push_back({"bincount", [] { (void)labels({1, 2}).bincount(f32({3})); }, {"2", "[3]"}});
  calls.push_back({"bincount", [] { (void)labels({1, 2}).bincount({}, -1); }, {"-1"}});
  calls.push_back({"bincount", [] { (void)Tensor().bincount(); }, {"undefined"}});
  calls.push_back({"histogram", [] { (void)f32({2}).histogram(0); }, {"0 bins"}});
  calls.push_back({"histogram", [] { (void)f32({2}).histogram(3, 2, 1); }, {"2", "1"}});
  calls.push_back({"histogram", [] { (void)i32({2}).histogram(3); }, {"int32"}});
  calls.push_back({"histogram", [] { (void)Tensor::full({2}, std::nan("")).histogram(3); }, {"nan"}});
  calls.push_back({"histogram", [] { (void)f32({2}).histogram(3, 0, INFINITY); }, {"inf"}});
  calls.push_back({"histogram", [] { (void)f32({2}).histogram(3, 0, 1e39); }, {"1e+39", "float32"}});
  calls.push_back({"histogram", [] { (void)f32({2}).histogram(3, std::nan(""), 1); }, {"nan"}});
  calls.push_back({"histogram", [] { (void)Tensor().histogram(3); }, {"undefined"}});
}

const FamilyOfWrongCalls wrong_calls(add_wrong);

}  // namespace
}  // namespace feral
