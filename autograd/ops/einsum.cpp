#include "autograd/ops/einsum.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "autograd/ops/check.hpp"
#include "autograd/ops/contraction.hpp"

namespace feral {
namespace {

using ops::Labelled;

// Dimensions of an ellipsis are labelled from the last on: '\1', '\2', …
char ellipsis_label(std::int64_t from_end) { return static_cast<char>(1 + from_end); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// One side's term: its letters, with an ellipsis before the letter at `ellipsis`.
struct Term {
  std::string letters;
  std::size_t ellipsis = std::string::npos;

  bool has_ellipsis() const { return ellipsis != std::string::npos; }
  // All labels when the ellipsis stands for `count` dimensions.
  std::string labels(std::int64_t count) const {
    if (!has_ellipsis()) return letters;
    std::string filled;
    for (std::int64_t i = count; i-- > 0;) filled += ellipsis_label(i);
    return letters.substr(0, ellipsis) + filled + letters.substr(ellipsis);
  }
};

Term parse_term(std::string_view equation, std::string_view text) {
  Term term;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (is_letter(text[i])) {
      term.letters += text[i];
    } else if (text.substr(i, 3) == "..." && !term.has_ellipsis()) {
      term.ellipsis = term.letters.size();
      i += 2;
    } else {
      fail("einsum: '{}' in \"{}\" is no letter, and no single \"...\"", text[i], equation);
    }
  }
  return term;
}

std::string label_name(char label) { return is_letter(label) ? std::string(1, label) : "..."; }

// The sizes that labels stand for: one each, but for sizes of 1, which broadcast.
class LabelSizes {
 public:
  LabelSizes() { sizes_.fill(1); }

  // Throws when operand `position` does not fit its labels, or what was added before.
  void add(const Tensor& tensor, std::string_view labels, std::size_t position) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::int64_t size = tensor.shape()[static_cast<int>(i)];
      const std::size_t first = labels.find(labels[i]);
      const std::int64_t own = tensor.shape()[static_cast<int>(first)];
      std::int64_t& known = sizes_[static_cast<std::size_t>(labels[i])];
      if (size != own || (size != known && size != 1 && known != 1)) {
        fail("einsum: '{}' stands for sizes {} and {}; operand {} has shape {}", label_name(labels[i]),
             size != own ? own : known, size, position, tensor.shape().to_string());
      }
      if (size != 1) known = size;
    }
  }

 private:
  std::array<std::int64_t, 128> sizes_;
};

// The operand with one label a dimension: a repeated one takes the diagonal.
Labelled labelled(const Tensor& tensor, std::string labels) {
  Labelled result{tensor, std::move(labels)};
  for (std::size_t first = 0; first < result.labels.size();) {
    const char label = result.labels[first];
    const std::size_t second = result.labels.find(label, first + 1);
    if (second == std::string::npos) {
      ++first;
      continue;
    }
    // The diagonal becomes the last dimension.
    result.tensor = result.tensor.diagonal(0, static_cast<std::int64_t>(first), static_cast<std::int64_t>(second));
    result.labels.erase(second, 1);
    result.labels.erase(first, 1);
    result.labels += label;
  }
  return result;
}

// Calls function(position, term, the terms behind it) for each term of the left side.
template <class Function>
void for_each_term(std::string_view equation, std::string_view inputs, Function&& function) {
  for (std::size_t position = 0;; ++position) {
    const std::size_t comma = inputs.find(',');
    const Term term = parse_term(equation, inputs.substr(0, comma));
    inputs = comma == std::string_view::npos ? std::string_view() : inputs.substr(comma + 1);
    function(position, term, inputs);
    if (comma == std::string_view::npos) return;
  }
}

// The result's term where the equation does not say it: the ellipsis, then the letters that stand once.
Term implicit_output(std::string_view inputs) {
  Term output{.letters = {}, .ellipsis = 0};
  for (const char letter : inputs) {
    if (is_letter(letter) && std::count(inputs.begin(), inputs.end(), letter) == 1) output.letters += letter;
  }
  std::sort(output.letters.begin(), output.letters.end());
  return output;
}

void check_output(std::string_view equation, std::string_view inputs, const Term& output) {
  for (const char letter : output.letters) {
    if (std::count(output.letters.begin(), output.letters.end(), letter) > 1) {
      fail("einsum: '{}' stands twice in the result of \"{}\"", letter, equation);
    }
    if (inputs.find(letter) == std::string_view::npos) {
      fail("einsum: '{}' in the result of \"{}\" stands in no operand", letter, equation);
    }
  }
}

}  // namespace

Tensor einsum(std::string_view equation, std::span<const Tensor> operands) {
  const std::size_t arrow = equation.find("->");
  const std::string_view inputs = equation.substr(0, arrow);
  const auto terms = static_cast<std::size_t>(std::count(inputs.begin(), inputs.end(), ',')) + 1;
  if (terms != operands.size()) {
    fail("einsum: \"{}\" names {} operands, got {}", equation, terms, operands.size());
  }
  std::int64_t ellipsis = 0;
  LabelSizes sizes;
  for_each_term(equation, inputs, [&](std::size_t i, const Term& term, std::string_view) {
    const Tensor& operand = operands[i];
    ops::check_same_dtype("einsum", operands[0], operand);
    const std::int64_t rest = operand.dims() - static_cast<std::int64_t>(term.letters.size());
    if (rest < 0 || (rest > 0 && !term.has_ellipsis())) {
      fail("einsum: operand {} of \"{}\" has {} letters, its shape is {}", i, equation, term.letters.size(),
           operand.shape().to_string());
    }
    sizes.add(operand, term.labels(rest), i);
    ellipsis = std::max(ellipsis, rest);
  });
  if (terms > 1 && operands[0].dtype() == DType::boolean) fail("einsum: bool has no products; convert with to()");
  const Term output_term =
      arrow == std::string_view::npos ? implicit_output(inputs) : parse_term(equation, equation.substr(arrow + 2));
  check_output(equation, inputs, output_term);
  const std::string output = output_term.labels(ellipsis);

  Labelled result;
  for_each_term(equation, inputs, [&](std::size_t i, const Term& term, std::string_view later) {
    const std::int64_t rest = operands[i].dims() - static_cast<std::int64_t>(term.letters.size());
    Labelled operand = labelled(operands[i], term.labels(rest));
    if (i == 0) {
      result = std::move(operand);
      return;
    }
    std::string keep = output;  // and what later operands have
    for (const char c : later) {
      if (is_letter(c)) keep += c;
    }
    if (later.find('.') != std::string_view::npos) keep += Term{.letters = {}, .ellipsis = 0}.labels(ellipsis);
    result = ops::contract(std::move(result), std::move(operand), keep);
  });
  return ops::in_order(ops::summed(result, output), output);
}

Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands) {
  return einsum(equation, std::span(operands.begin(), operands.size()));
}

Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& dims_a, const Dims& dims_b) {
  ops::check_same_dtype("tensordot", a, b);
  if (a.dtype() == DType::boolean) fail("tensordot: bool has no products; convert with to()");
  if (dims_a.dims() != dims_b.dims()) {
    fail("tensordot: dimensions {} and {} do not pair up", dims_a.to_string(), dims_b.to_string());
  }
  Labelled left{a, std::string("abcdefgh").substr(0, static_cast<std::size_t>(a.dims()))};
  Labelled right{b, std::string("ABCDEFGH").substr(0, static_cast<std::size_t>(b.dims()))};
  std::string keep = left.labels + right.labels;
  for (int i = 0; i < dims_a.dims(); ++i) {
    const int dim_a = normalize_dim("tensordot", dims_a[i], a.dims());
    const int dim_b = normalize_dim("tensordot", dims_b[i], b.dims());
    const char label = left.labels[static_cast<std::size_t>(dim_a)];
    char& paired = right.labels[static_cast<std::size_t>(dim_b)];
    if (keep.find(label) == std::string::npos || keep.find(paired) == std::string::npos) {
      fail("tensordot: a dimension is named twice in {} or {}", dims_a.to_string(), dims_b.to_string());
    }
    const std::int64_t size_a = a.shape()[dim_a];
    const std::int64_t size_b = b.shape()[dim_b];
    if (size_a != size_b && size_a != 1 && size_b != 1) {
      fail("tensordot: dimension {} of {} does not fit dimension {} of {}", dims_a[i], a.shape().to_string(),
           dims_b[i], b.shape().to_string());
    }
    std::erase(keep, label);
    std::erase(keep, paired);
    paired = label;
  }
  const Labelled result = ops::contract(left, right, keep);
  return ops::in_order(result, keep);
}

Tensor tensordot(const Tensor& a, const Tensor& b, std::int64_t count) {
  ops::check_defined("tensordot", a);
  ops::check_defined("tensordot", b);
  if (count < 0 || count > a.dims() || count > b.dims()) {
    fail("tensordot: {} dimensions of shapes {} and {}", count, a.shape().to_string(), b.shape().to_string());
  }
  Dims dims_a, dims_b;
  for (std::int64_t i = 0; i < count; ++i) {
    dims_a.push_back(a.dims() - count + i);
    dims_b.push_back(i);
  }
  return tensordot(a, b, dims_a, dims_b);
}

}  // namespace feral
