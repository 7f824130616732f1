#include "tensor/print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <ostream>
#include <vector>

namespace feral {
namespace {

// The rules for floats are those of NumPy's FloatingFormat with floatmode "maxprec": every number with the fewest
// digits that tell it from its neighbours in its type, at most `precision` behind the point; all with the same
// place for the point; exponents where the sizes differ too much.

// A number as sign, digits before the point, digits behind it, and exponent ("" when written without).
struct Written {
  std::string whole;     // with the sign
  std::string fraction;  // without trailing zeros
  std::string exponent;  // "+08", "-310"
};

Written split(const std::string& text) {
  Written written;
  const std::size_t e = text.find('e');
  if (e != std::string::npos) written.exponent = text.substr(e + 1);
  const std::string digits = text.substr(0, e);
  const std::size_t point = digits.find('.');
  written.whole = digits.substr(0, point);
  if (point != std::string::npos) written.fraction = digits.substr(point + 1);
  while (!written.fraction.empty() && written.fraction.back() == '0') written.fraction.pop_back();
  return written;
}

// The shortest text that the type reads back as the same number, by std::to_chars; 16-bit floats by trial.
std::string shortest(double value, DType dtype, std::chars_format format) {
  char text[1200];
  std::to_chars_result end{};
  if (dtype == DType::float64) {
    end = std::to_chars(text, text + sizeof text, value, format);
  } else if (dtype == DType::float32) {
    end = std::to_chars(text, text + sizeof text, static_cast<float>(value), format);
  } else {
    const auto same = [&](double other) {
      const auto narrow = static_cast<float>(other);
      return dtype == DType::float16
                 ? static_cast<float>(static_cast<Float16>(narrow)) == static_cast<float>(value)
                 : static_cast<float>(static_cast<BFloat16>(narrow)) == static_cast<float>(value);
    };
    double rounded = value;
    for (int digits = 1; digits <= 8; ++digits) {
      end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, digits - 1);
      std::from_chars(text, end.ptr, rounded);
      if (same(rounded)) break;
    }
    end = std::to_chars(text, text + sizeof text, rounded, format);
  }
  return std::string(text, end.ptr);
}

// Numbers from here on are written with exponents: the type no longer tells neighbouring integers' digits apart.
double exponents_from(DType dtype) { return dtype == DType::float64 ? 1e16 : dtype == DType::float32 ? 1e6 : 1e3; }

// With at most `precision` digits behind the point.
Written write(double value, DType dtype, std::chars_format format, int precision) {
  Written written = split(shortest(value, dtype, format));
  if (static_cast<int>(written.fraction.size()) > precision) {
    char text[1200];
    const auto end = std::to_chars(text, text + sizeof text, value, format, precision);
    written = split(std::string(text, end.ptr));
  }
  return written;
}

std::string padded(const std::string& text, std::size_t left, std::size_t right) {
  return fmt::format("{:>{}}{:<{}}", "", left, text, text.size() + right);
}

// Writes the elements of one tensor, all equally wide.
class ElementFormat {
 public:
  // `elements` are those that will be shown.
  ElementFormat(const std::vector<double>& elements, const std::vector<std::int64_t>& integers,
                const Tensor& tensor, const PrintOptions& options)
      : dtype_(tensor.dtype()), options_(options) {
    if (is_floating(dtype_)) {
      measure_floats(elements);
    } else if (dtype_ == DType::boolean) {
      width_ = tensor.dims() == 0 ? 0 : 5;
    } else {
      for (const std::int64_t value : integers) width_ = std::max(width_, fmt::format("{}", value).size());
    }
  }

  std::string operator()(double value, std::int64_t integer) const {
    if (dtype_ == DType::boolean) return fmt::format("{:>{}}", integer != 0 ? "True" : "False", width_);
    if (!is_floating(dtype_)) return fmt::format("{:>{}}", integer, width_);
    if (!std::isfinite(value)) {
      const std::string text = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
      const std::size_t width = left_ + right_ + 1;
      return padded(text, width > text.size() ? width - text.size() : 0, 0);
    }
    if (with_exponents_) {
      // Where others need more digits than this number, its further digits are shown, not zeros.
      char text[64];
      const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific,
                                     static_cast<int>(fraction_));
      Written written = split(std::string(text, end.ptr));
      written.fraction.resize(fraction_, '0');
      return padded(fmt::format("{}.{}e{}{:0>{}}", written.whole, written.fraction, written.exponent[0],
                                written.exponent.substr(1), exponent_),
                    left_ - written.whole.size(), 0);
    }
    const Written written = write(value, dtype_, std::chars_format::fixed, options_.precision);
    return padded(written.whole + "." + written.fraction, left_ - written.whole.size(),
                  right_ - written.fraction.size());
  }

 private:
  void measure_floats(const std::vector<double>& elements) {
    double largest = 0;
    double smallest = std::numeric_limits<double>::infinity();
    bool infinite = false;
    bool negative_infinity = false;
    bool nan = false;
    bool any_finite = false;
    for (const double value : elements) {
      any_finite = any_finite || std::isfinite(value);
      nan = nan || std::isnan(value);
      infinite = infinite || std::isinf(value);
      negative_infinity = negative_infinity || (std::isinf(value) && value < 0);
      if (!std::isfinite(value) || value == 0) continue;
      largest = std::max(largest, std::abs(value));
      smallest = std::min(smallest, std::abs(value));
    }
    with_exponents_ =
        largest > 0 && (largest >= std::min(exponents_from(dtype_), 1e8) ||
                        (!options_.suppress_exponents && (smallest < 0.0001 || largest / smallest > 1000)));
    const auto format = with_exponents_ ? std::chars_format::scientific : std::chars_format::fixed;
    for (const double value : elements) {
      if (!std::isfinite(value)) continue;
      const Written written = write(value, dtype_, format, options_.precision);
      left_ = std::max(left_, written.whole.size());
      fraction_ = std::max(fraction_, written.fraction.size());
      if (with_exponents_) exponent_ = std::max(exponent_, written.exponent.size() - 1);
    }
    right_ = with_exponents_ ? exponent_ + 2 + fraction_ : fraction_;
    // NaN and infinities reach over the point and the digits behind it.
    const std::size_t offset = right_ + 1;
    const auto make_room = [&](std::size_t length) {
      left_ = std::max(left_, length > offset ? length - offset : 0);
    };
    if (nan) make_room(3);
    if (nan || infinite) make_room(negative_infinity ? 4 : 3);
    if (!any_finite) right_ = 0;
  }

  DType dtype_;
  const PrintOptions& options_;
  std::size_t width_ = 0;
  bool with_exponents_ = false;
  std::size_t left_ = 0;      // characters before the point
  std::size_t right_ = 0;     // behind it, exponent included
  std::size_t fraction_ = 0;  // digits behind the point
  std::size_t exponent_ = 0;  // digits of the exponent
};

// Walks the elements that are shown and lays the lines out, as NumPy's _formatArray does.
class Layout {
 public:
  Layout(const Tensor& tensor, const PrintOptions& options)
      : tensor_(tensor), options_(options), summary_(tensor.numel() > options.threshold) {
    gather(0, 0);
  }

  std::string text() {
    const ElementFormat format(floats_, integers_, tensor_, options_);
    format_ = &format;
    return block(0, " ", options_.line_width);
  }

 private:
  // Calls show(i) for the positions of a dimension that are shown, and gap() where the others are left out.
  template <class Show, class Gap>
  void positions(int dim, Show&& show, Gap&& gap) const {
    const std::int64_t size = tensor_.shape()[dim];
    const bool cut = summary_ && size > 2 * options_.edge_items;
    for (std::int64_t i = 0; i < size; ++i) {
      if (cut && i == options_.edge_items) {
        gap();
        i = size - options_.edge_items;
        if (i == size) break;
      }
      show(i);
    }
  }

  void gather(int dim, std::int64_t offset) {
    if (dim == tensor_.dims()) {
      visit_dtype(tensor_.dtype(), [&]<class T>() {
        const T value = reinterpret_cast<const T*>(tensor_.raw_data())[offset];
        if constexpr (std::is_integral_v<T>) {
          floats_.push_back(0);
          integers_.push_back(static_cast<std::int64_t>(value));
        } else {
          floats_.push_back(static_cast<double>(value));
          integers_.push_back(0);
        }
      });
      return;
    }
    positions(
        dim, [&](std::int64_t i) { gather(dim + 1, offset + i * tensor_.strides()[dim]); }, [] {});
  }

  // Appends `word` to `line`, which is first moved to `done` when there is no room.
  static void extend(std::string& done, std::string& line, const std::string& word, int width,
                     const std::string& indent) {
    if (static_cast<int>(line.size() + word.size()) > width && line.size() > indent.size()) {
      while (!line.empty() && line.back() == ' ') line.pop_back();
      done += line + "\n";
      line = indent;
    }
    line += word;
  }

  std::string block(int dim, const std::string& indent, int width) {
    const int left = tensor_.dims() - dim;
    if (left == 0) {
      const std::size_t i = next_++;
      return (*format_)(floats_[i], integers_[i]);
    }
    std::string done;
    if (left == 1) {
      std::string line = indent;
      bool first = true;
      const auto add = [&](const std::string& word) {
        if (!first) line += ' ';
        first = false;
        extend(done, line, word, width - 1, indent);
      };
      positions(
          dim, [&](std::int64_t) { add(block(dim + 1, indent + " ", width - 1)); }, [&] { add("..."); });
      done += line;
    } else {
      const std::string separator(static_cast<std::size_t>(left - 1), '\n');
      bool first = true;
      const auto add = [&](const std::string& nested) {
        if (!first) done += separator;
        first = false;
        done += indent + nested;
      };
      positions(
          dim, [&](std::int64_t) { add(block(dim + 1, indent + " ", width - 1)); }, [&] { add("..."); });
    }
    std::string result = "[";
    result.append(done, indent.size());
    return result += ']';
  }

  const Tensor& tensor_;
  const PrintOptions& options_;
  bool summary_;
  std::vector<double> floats_;  // one of the two holds each element
  std::vector<std::int64_t> integers_;
  std::size_t next_ = 0;
  const ElementFormat* format_ = nullptr;
};

// A single float as NumPy's str() has it.
std::string format_single(const Tensor& tensor) {
  const double value = visit_dtype(tensor.dtype(), [&]<class T>() {
    return static_cast<double>(*reinterpret_cast<const T*>(tensor.raw_data()));
  });
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const double size = std::abs(value);
  if (size != 0 && (size >= exponents_from(tensor.dtype()) || size < 1e-4))
    return shortest(value, tensor.dtype(), std::chars_format::scientific);
  std::string text = shortest(value, tensor.dtype(), std::chars_format::fixed);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

}  // namespace

std::string format_elements(const Tensor& tensor, const PrintOptions& options) {
  if (!tensor.defined()) return "undefined";
  if (tensor.numel() == 0) return "[]";
  if (tensor.dims() == 0 && is_floating(tensor.dtype())) return format_single(tensor);
  return Layout(tensor, options).text();
}

std::string Tensor::repr() const { return format_elements(*this); }

std::ostream& operator<<(std::ostream& stream, const Tensor& tensor) { return stream << format_elements(tensor); }

}  // namespace feral
