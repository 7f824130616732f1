#include "tensor/npy_format.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "core/fail.hpp"
#include "tensor/files.hpp"
#include "tensor/kernels.hpp"
#include "tensor/view_of.hpp"

namespace feral {

namespace {

// What NumPy calls the element types that it shares with DType, without the byte order. Elements are copied or
// mapped without a look at them, since every pattern of bits is a value of its type; but for bool, which is always
// copied: a byte other than 0 and 1 is no bool in C++, and is read as true.
struct NumpyType {
  std::string_view code;
  DType dtype;
};
constexpr NumpyType numpy_types[] = {
    {"f4", DType::float32}, {"f8", DType::float64}, {"i4", DType::int32},
    {"i8", DType::int64},   {"u1", DType::uint8},   {"i1", DType::int8},
    {"i2", DType::int16},   {"f2", DType::float16}, {"b1", DType::boolean},
};

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t version_bytes = 2;
// NumPy writes longer headers only for types of many fields, which are refused anyway.
constexpr std::size_t max_header_bytes = 65535;
constexpr std::size_t data_alignment = 64;
// NumPy leaves room for the first size to grow to that many digits in place.
constexpr std::size_t growth_digits = 21;

std::string descr_of(const NumpyType& type) {
  if (size_of(type.dtype) == 1) return fmt::format("|{}", type.code);
  return fmt::format("{}{}", std::endian::native == std::endian::little ? '<' : '>', type.code);
}

std::string readable_types() {
  std::string text;
  for (const NumpyType& type : numpy_types) {
    text += fmt::format("{}{} '{}'", text.empty() ? "" : ", ", name_of(type.dtype), descr_of(type));
  }
  return text;
}

// What a descr that is not read stands for, with a space before it; nothing when that is unknown.
std::string_view meaning_of(std::string_view descr) {
  const std::size_t kind = descr.find_first_not_of("<>|=");
  if (kind == std::string_view::npos) return "";
  switch (descr[kind]) {
    case 'O':
      return " (Python objects)";
    case 'U':
      return " (text)";
    case 'S':
    case 'a':
      return " (byte strings)";
    case 'V':
      return " (raw records)";
    case 'M':
      return " (dates)";
    case 'm':
      return " (time spans)";
    case 'c':
      return " (complex numbers)";
    case 'f':
      return " (floating)";
    case 'i':
      return " (signed integers)";
    case 'u':
      return " (unsigned integers)";
    default:
      return "";
  }
}

// The dictionary of the header. Nothing is evaluated: what is not of the form that NumPy writes is refused.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  // Fills in everything but the sizes in bytes.
  NpyHeader parse() {
    bool has_descr = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted("a key in quotes or '}'");
      bool* seen = key == "descr" ? &has_descr : key == "fortran_order" ? &has_order : &has_shape;
      if (seen == &has_shape && key != "shape") {
        fail("{}: the header has the key '{}', expected 'descr', 'fortran_order' and 'shape'", name_,
             printable(key));
      }
      if (*seen) fail("{}: the header has the key '{}' twice, expected once", name_, key);
      *seen = true;
      expect(':');
      if (seen == &has_descr) {
        descr();
      } else if (seen == &has_order) {
        header_.fortran_order = boolean();
      } else {
        shape();
      }
      if (!accept(',')) {
        expect('}', "',' or '}'");
        break;
      }
    }
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
    if (position_ != text_.size()) refuse("its end");
    for (const auto& [seen, key] :
         {std::pair(has_descr, "descr"), std::pair(has_order, "fortran_order"), std::pair(has_shape, "shape")}) {
      if (!seen) fail("{}: the header has no key '{}', expected 'descr', 'fortran_order' and 'shape'", name_, key);
    }
    return header_;
  }

 private:
  [[noreturn]] void refuse(std::string_view expected) const {
    if (position_ >= text_.size()) {
      fail("{}: the header ends after {} characters, expected {}", name_, text_.size(), expected);
    }
    fail("{}: the header has '{}' at character {}, expected {}", name_, printable(text_.substr(position_, 20)),
         position_ + 1, expected);
  }

  void skip_spaces() {
    while (position_ < text_.size() && text_[position_] == ' ') ++position_;
  }
  bool next_is(char c) {
    skip_spaces();
    return position_ < text_.size() && text_[position_] == c;
  }
  bool accept(char c) {
    if (!next_is(c)) return false;
    ++position_;
    return true;
  }
  void expect(char c) { expect(c, fmt::format("'{}'", c)); }
  void expect(char c, std::string_view expected) {
    if (!accept(c)) refuse(expected);
  }

  // A string in either kind of quotes. Escapes are not read: no name that matters has one.
  std::string_view quoted(std::string_view expected) {
    if (!next_is('\'') && !next_is('"')) refuse(expected);
    const char quote = text_[position_];
    const std::size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) refuse("a string that ends");
    const std::string_view content = text_.substr(position_ + 1, end - position_ - 1);
    if (content.find_first_of("\\\n") != std::string_view::npos) refuse("a string without escapes");
    position_ = end + 1;
    return content;
  }

  bool boolean() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair(std::string_view("True"), true), {"False", false}}) {
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return value;
      }
    }
    refuse("True or False");
  }

  void descr() {
    if (next_is('[') || next_is('{') || next_is('(')) {
      fail("{}: holds structured elements (descr {}), expected one number an element: {}", name_,
           printable(text_.substr(position_)), readable_types());
    }
    const std::string_view found = quoted("a type in quotes");
    for (const NumpyType& type : numpy_types) {
      if (found.empty() || found.substr(1) != type.code) continue;
      const char order = found[0];
      if (order != '<' && order != '>' && (order != '|' || size_of(type.dtype) != 1)) continue;
      header_.dtype = type.dtype;
      header_.swapped = size_of(type.dtype) != 1 && (order == '<') != (std::endian::native == std::endian::little);
      return;
    }
    fail("{}: holds elements of type '{}'{}, expected one of {}; convert the array with astype()", name_,
         printable(found), meaning_of(found), readable_types());
  }

  void shape() {
    expect('(');
    if (accept(')')) return;
    for (int count = 0; !accept(')'); ++count) {
      if (count == Shape::max_dims) {
        fail("{}: the header's shape has more than {} dimensions, expected at most {}", name_, Shape::max_dims,
             Shape::max_dims);
      }
      header_.shape.push_back(size());
      // One size needs its comma: Python's (3) is a number.
      if (accept(',')) continue;
      if (count == 0) refuse("','");
      expect(')', "',' or ')'");
      return;
    }
  }

  std::int64_t size() {
    skip_spaces();
    const std::size_t begin = position_;
    std::int64_t value = 0;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text_[position_] - '0', &value)) {
        position_ = begin;
        refuse("a size below 2^63");
      }
    }
    const bool padded = position_ - begin > 1 && text_[begin] == '0';
    if (position_ == begin || padded) {
      position_ = begin;
      refuse("a size");
    }
    // Python 2 wrote its long numbers so.
    if (position_ < text_.size() && text_[position_] == 'L') ++position_;
    return value;
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t position_ = 0;
  NpyHeader header_;
};

// The bytes of all elements; nothing on overflow. Sizes of zero are left out of the check's product, since strides
// must be countable, too.
std::optional<std::size_t> bytes_of(const NpyHeader& header) {
  std::int64_t bytes = static_cast<std::int64_t>(size_of(header.dtype));
  bool empty = false;
  for (const std::int64_t size : header.shape) {
    if (size == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(bytes, size, &bytes)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : static_cast<std::size_t>(bytes);
}

template <class Word>
void swap_words(std::byte* data, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += sizeof(Word)) {
    Word word = 0;
    std::memcpy(&word, data + i, sizeof(Word));
    if constexpr (sizeof(Word) == 2) word = __builtin_bswap16(word);
    if constexpr (sizeof(Word) == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof(Word) == 8) word = __builtin_bswap64(word);
    std::memcpy(data + i, &word, sizeof(Word));
  }
}

void swap_bytes(std::byte* data, std::size_t bytes, std::size_t element_bytes) {
  if (element_bytes == 2) swap_words<std::uint16_t>(data, bytes);
  if (element_bytes == 4) swap_words<std::uint32_t>(data, bytes);
  if (element_bytes == 8) swap_words<std::uint64_t>(data, bytes);
}

}  // namespace

Shape NpyHeader::strides() const noexcept {
  if (!fortran_order) return shape.contiguous_strides();
  Shape strides(shape);
  std::int64_t stride = 1;
  for (int i = 0; i < shape.dims(); ++i) {
    strides[i] = stride;
    stride *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

NpyHeader read_npy_header(NpyReader& reader, std::size_t total, std::string_view name) {
  std::array<std::byte, magic.size() + version_bytes> start{};
  if (total == 0) fail("{}: holds no bytes, expected an .npy file", name);
  reader.read(start.data(), std::min(total, start.size()));
  const std::string_view begin(reinterpret_cast<const char*>(start.data()), std::min(total, magic.size()));
  if (begin != magic.substr(0, begin.size())) {
    fail("{}: begins with '{}', expected '{}': not an .npy file", name, printable(begin), printable(magic));
  }
  if (total < start.size()) fail("{}: ends after {} bytes, inside the header of an .npy file", name, total);
  const int major = std::to_integer<int>(start[magic.size()]);
  const int minor = std::to_integer<int>(start[magic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    fail("{}: is .npy version {}.{}, expected 1.0, 2.0 or 3.0", name, major, minor);
  }

  const std::size_t length_bytes = major == 1 ? 2 : 4;
  std::array<std::byte, 4> length_field{};
  if (total - start.size() < length_bytes) {
    fail("{}: ends after {} bytes, inside the header of an .npy file", name, total);
  }
  reader.read(length_field.data(), length_bytes);
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= std::to_integer<std::size_t>(length_field[i]) << (8 * i);
  const std::size_t before_header = start.size() + length_bytes;
  if (length > max_header_bytes) {
    fail("{}: announces a header of {} bytes, expected at most {}", name, length, max_header_bytes);
  }
  if (length > total - before_header) {
    fail("{}: announces a header of {} bytes, found {}: the file is truncated", name, length,
         total - before_header);
  }
  std::string text(length, '\0');
  reader.read(reinterpret_cast<std::byte*>(text.data()), length);

  NpyHeader header = HeaderParser(text, name).parse();
  header.data_offset = before_header + length;
  const std::optional<std::size_t> bytes = bytes_of(header);
  if (!bytes) {
    fail("{}: the header's shape {} of {} exceeds 64 bits", name, header.shape.to_string(), name_of(header.dtype));
  }
  header.data_bytes = *bytes;
  const std::size_t found = total - header.data_offset;
  if (found != header.data_bytes) {
    fail("{}: {}: {} bytes follow the header, expected {} for {} of {}", name,
         found < header.data_bytes ? "is truncated" : "has trailing bytes", found, header.data_bytes,
         header.shape.to_string(), name_of(header.dtype));
  }
  return header;
}

Tensor read_npy(NpyReader& reader, std::size_t total, std::string_view name) {
  const NpyHeader header = read_npy_header(reader, total, name);
  Tensor tensor;
  try {
    tensor = Tensor::empty(header.shape, header.dtype);
  } catch (const Error& error) {
    fail("{}: {}", name, error.what());
  }
  reader.read(tensor.raw_data(), header.data_bytes);
  if (header.dtype == DType::boolean) {
    for (std::size_t i = 0; i < header.data_bytes; ++i) {
      std::byte& flag = tensor.raw_data()[i];
      flag = flag == std::byte{0} ? std::byte{0} : std::byte{1};
    }
  }
  if (header.swapped) swap_bytes(tensor.raw_data(), header.data_bytes, size_of(header.dtype));
  return header.fortran_order ? view_of(tensor, tensor.shape(), header.strides()) : tensor;
}

Tensor in_c_order(const Tensor& tensor) {
  if (tensor.is_contiguous()) return tensor;
  Tensor copy = Tensor::empty(tensor.shape(), tensor.dtype());
  kernels(tensor.device()).copy(copy, tensor);
  return copy;
}

std::size_t npy_data_bytes(const Tensor& tensor) noexcept {
  return static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype());
}

std::string npy_header_of(const Tensor& tensor, std::string_view name) {
  const Shape& shape = tensor.shape();
  std::string sizes = fmt::format("{}", fmt::join(shape.begin(), shape.end(), ", "));
  if (shape.dims() == 1) sizes += ",";
  const auto* type = std::find_if(std::begin(numpy_types), std::end(numpy_types),
                                  [&](const NumpyType& candidate) { return candidate.dtype == tensor.dtype(); });
  if (type == std::end(numpy_types)) {
    fail("{}: NumPy has no type {}, expected one of {}; convert the tensor with to()", name,
         name_of(tensor.dtype()), readable_types());
  }
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr_of(*type), sizes);
  if (shape.dims() > 0)
    text.append(growth_digits - std::min(growth_digits, fmt::formatted_size("{}", shape[0])), ' ');
  constexpr std::size_t before_header = magic.size() + version_bytes + 2;
  text.append(data_alignment - (before_header + text.size() + 1) % data_alignment, ' ');
  text += '\n';
  // Eight sizes of at most 19 digits: version 1.0 always has room, so no other is written.
  FERAL_ASSERT(text.size() <= max_header_bytes);
  std::string result(magic);
  result += {'\1', '\0', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return result + text;
}

}  // namespace feral
