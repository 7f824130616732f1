#include "tensor/safetensors_header.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as they stand in memory");

constexpr std::size_t length_bytes = 8;
constexpr std::size_t max_header_bytes = 100'000'000;  // the format's own limit
constexpr std::size_t header_alignment = 8;
constexpr std::size_t crc_digits = 8;
constexpr const char* metadata_name = "__metadata__";
constexpr const char* format_key = "feral.format";
constexpr const char* format_value = "1";
constexpr const char* crc_key = "feral.crc32";
constexpr std::string_view crc_start =
    "\"feral.crc32\":\"";  // in the header: a quote within a text has a backslash

struct TypeName {
  std::string_view name;
  DType dtype;
};
constexpr TypeName types[] = {{"F64", DType::float64},   {"F32", DType::float32}, {"F16", DType::float16},
                              {"BF16", DType::bfloat16}, {"I64", DType::int64},   {"I32", DType::int32},
                              {"I16", DType::int16},     {"I8", DType::int8},     {"U8", DType::uint8},
                              {"BOOL", DType::boolean}};
static_assert(std::size(types) == dtype_count);

std::string_view safetensors_name(DType dtype) {
  return std::find_if(std::begin(types), std::end(types), [&](const TypeName& t) { return t.dtype == dtype; })
      ->name;
}

std::string known_types() {
  std::string text;
  for (const TypeName& type : types) text += fmt::format("{}{}", text.empty() ? "" : ", ", type.name);
  return text;
}

// Takes the header apart while it is parsed; nothing deeper than the format has is ever built.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(const std::string& file, SafetensorsHeader& into) : file_(file), into_(into) {}

  bool null() override { wrong("null"); }
  bool boolean(bool) override { wrong("true or false"); }
  bool number_integer(number_integer_t value) override { wrong(fmt::format("the number {}", value)); }
  bool number_float(number_float_t, const string_t& text) override { wrong("the number " + printable(text)); }
  bool binary(binary_t&) override { wrong("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
        fail("{}: tensor '{}' has a size of {}", file_, shown(), value);
      }
      if (entry_.shape.dims() == Shape::max_dims) {
        fail("{}: tensor '{}' has more than {} dimensions", file_, shown(), Shape::max_dims);
      }
      entry_.shape.push_back(static_cast<std::int64_t>(value));
    } else if (place_ == Place::offsets) {
      if (offsets_ == 2) fail("{}: tensor '{}' has more than 2 data_offsets", file_, shown());
      (offsets_ == 0 ? entry_.begin : entry_.end) = value;
      ++offsets_;
    } else {
      wrong(fmt::format("the number {}", value));
    }
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      if (!into_.metadata.emplace(key_, std::move(value)).second) {
        fail("{}: the metadata has '{}' twice", file_, printable(key_));
      }
    } else if (place_ == Place::entry && key_ == "dtype") {
      take_once(has_dtype_);
      const auto* type =
          std::find_if(std::begin(types), std::end(types), [&](const TypeName& t) { return t.name == value; });
      if (type == std::end(types)) {
        fail("{}: tensor '{}' has the type '{}', expected one of {}", file_, shown(), printable(value),
             known_types());
      }
      entry_.dtype = type->dtype;
    } else {
      wrong("a text");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::before) {
      place_ = Place::file;
    } else if (place_ == Place::file && key_ == metadata_name) {
      if (std::exchange(has_metadata_, true)) fail("{}: the header has {} twice", file_, metadata_name);
      place_ = Place::metadata;
    } else if (place_ == Place::file) {
      entry_ = {.name = key_, .dtype = DType::float32, .shape = {}, .begin = 0, .end = 0};
      has_dtype_ = has_shape_ = has_offsets_ = false;
      place_ = Place::entry;
    } else {
      wrong("an object");
    }
    return true;
  }

  bool key(string_t& value) override {
    key_ = std::move(value);
    return true;
  }

  bool end_object() override {
    if (place_ == Place::entry) {
      finish_entry();
      place_ = Place::file;
    } else {
      place_ = place_ == Place::metadata ? Place::file : Place::after;
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::entry && key_ == "shape") {
      take_once(has_shape_);
      place_ = Place::shape;
    } else if (place_ == Place::entry && key_ == "data_offsets") {
      take_once(has_offsets_);
      offsets_ = 0;
      place_ = Place::offsets;
    } else {
      wrong("a list");
    }
    return true;
  }

  bool end_array() override {
    if (place_ == Place::offsets && offsets_ != 2) {
      fail("{}: tensor '{}' has {} data_offsets, expected 2", file_, shown(), offsets_);
    }
    place_ = Place::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail("{}: the header is no JSON, see byte {}: the file is damaged, or no safetensors file", file_,
         length_bytes + position);
  }

 private:
  enum class Place { before, file, metadata, entry, shape, offsets, after };

  std::string shown() const { return printable(entry_.name); }

  [[noreturn]] void wrong(const std::string& found) const {
    switch (place_) {
      case Place::before:
      case Place::after:
        fail("{}: the header is {}, expected an object", file_, found);
      case Place::file:
        fail("{}: '{}' is {}, expected an object", file_, printable(key_), found);
      case Place::metadata:
        fail("{}: the metadata's '{}' is {}, expected a text", file_, printable(key_), found);
      default:
        fail("{}: tensor '{}': {} in '{}', expected a dtype, a shape and two data_offsets of whole numbers", file_,
             shown(), found, printable(key_));
    }
  }

  void take_once(bool& has) const {
    if (std::exchange(has, true)) fail("{}: tensor '{}' has '{}' twice", file_, shown(), printable(key_));
  }

  void finish_entry() {
    for (const auto& [has, what] : {std::pair{has_dtype_, "dtype"}, std::pair{has_shape_, "shape"},
                                    std::pair{has_offsets_, "data_offsets"}}) {
      if (!has) fail("{}: tensor '{}' has no {}", file_, shown(), what);
    }
    if (!names_.insert(entry_.name).second) fail("{}: has the tensor '{}' twice", file_, shown());
    into_.entries.push_back(entry_);
  }

  const std::string& file_;
  SafetensorsHeader& into_;
  Place place_ = Place::before;
  std::string key_;
  SafetensorsEntry entry_;
  std::size_t offsets_ = 0;
  bool has_metadata_ = false;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
  std::set<std::string> names_;
};

// Bytes of the elements; nothing beyond 64 bits.
std::optional<std::size_t> bytes_of(const SafetensorsEntry& entry) {
  std::size_t bytes = size_of(entry.dtype);
  if (std::ranges::any_of(entry.shape, [](std::int64_t size) { return size == 0; })) return 0;
  for (const std::int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(size), &bytes)) return std::nullopt;
  }
  return bytes;
}

// The entries fill `bytes` bytes, one after the other.
void check_places(SafetensorsHeader& header, std::size_t bytes, const std::string& file) {
  std::ranges::stable_sort(header.entries, [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::size_t end = 0;
  for (const SafetensorsEntry& entry : header.entries) {
    const std::string name = printable(entry.name);
    if (entry.begin != end) {
      fail("{}: tensor '{}' begins at byte {} of the elements, expected {}: they {}", file, name, entry.begin, end,
           entry.begin < end ? "overlap" : "have gaps");
    }
    const std::optional<std::size_t> own = bytes_of(entry);
    if (!own) {
      fail("{}: tensor '{}': the shape {} of {} exceeds 64 bits", file, name, entry.shape.to_string(),
           name_of(entry.dtype));
    }
    if (entry.end < entry.begin || entry.end - entry.begin != *own) {
      fail("{}: tensor '{}' has data_offsets {} to {}, expected {} bytes for {} of {}", file, name, entry.begin,
           entry.end, *own, entry.shape.to_string(), name_of(entry.dtype));
    }
    end = entry.end;
  }
  if (end != bytes) {
    fail("{}: {}: {} bytes follow the header, expected {}", file,
         bytes < end ? "is truncated" : "has trailing bytes", bytes, end);
  }
}

std::optional<std::uint32_t> hexadecimal(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

std::uint32_t crc_of_header(const std::string& length, const std::string& text) {
  return crc32_of(text.data(), text.size(), crc32_of(length.data(), length.size()));
}

// Takes our checksums out of the metadata; `text` is the header as it stands in the file.
void take_checksums(SafetensorsHeader& header, const std::string& length, std::string text,
                    const std::string& file) {
  const auto crc = header.metadata.find(crc_key);
  const auto format = header.metadata.find(format_key);
  if (crc == header.metadata.end() && format == header.metadata.end()) return;
  const std::size_t at = text.find(crc_start);
  const bool complete = crc != header.metadata.end() && format != header.metadata.end() &&
                        format->second == format_value && at != std::string::npos &&
                        crc->second.size() == crc_digits * (1 + header.entries.size());
  if (!complete) fail("{}: is damaged: its checksums are not complete", file);
  const auto digits = [&](std::size_t number) {
    return hexadecimal(std::string_view(crc->second).substr(number * crc_digits, crc_digits));
  };
  text.replace(at + crc_start.size(), crc_digits, crc_digits, '0');
  if (digits(0) != crc_of_header(length, text)) fail("{}: is damaged: the header's checksum is wrong", file);
  for (std::size_t i = 0; i < header.entries.size(); ++i) {
    const std::optional<std::uint32_t> checksum = digits(i + 1);
    if (!checksum) fail("{}: is damaged: its checksums are not complete", file);
    header.checksums.push_back(*checksum);
  }
  header.checked = true;
  header.metadata.erase(crc_key);
  header.metadata.erase(format_key);
}

std::string length_field(std::size_t length) {
  std::string field(length_bytes, '\0');
  for (std::size_t i = 0; i < length_bytes; ++i) field[i] = static_cast<char>(length >> (8 * i) & 0xff);
  return field;
}

std::string quoted(const std::string& text, const std::string& file) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    fail("{}: '{}' is not UTF-8, which names and metadata must be", file, printable(text));
  }
}

}  // namespace

std::uint32_t crc32_of(const void* data, std::size_t bytes, std::uint32_t before) noexcept {
  if (bytes == 0) return before;  // zlib takes no data for a wish to begin
  return static_cast<std::uint32_t>(::crc32_z(before, static_cast<const Bytef*>(data), bytes));
}

SafetensorsHeader read_safetensors_header(const ByteSource& source) {
  const std::string& file = source.name();
  if (source.size() < length_bytes) {
    fail("{}: has {} bytes, expected a safetensors file", file, source.size());
  }
  std::string field(length_bytes, '\0');
  source.read(0, reinterpret_cast<std::byte*>(field.data()), field.size());
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    length |= std::uint64_t{static_cast<unsigned char>(field[i])} << (8 * i);
  }
  if (length > max_header_bytes) {
    fail("{}: announces a header of {} bytes, expected at most {}: is it a safetensors file?", file, length,
         max_header_bytes);
  }
  if (length > source.size() - length_bytes) {
    fail("{}: announces a header of {} bytes, found {}: the file is truncated", file, length,
         source.size() - length_bytes);
  }
  std::string text(length, '\0');
  source.read(length_bytes, reinterpret_cast<std::byte*>(text.data()), text.size());
  if (!text.starts_with('{')) fail("{}: the header does not begin with '{{': is it a safetensors file?", file);

  SafetensorsHeader header;
  HeaderReader reader(file, header);
  nlohmann::json::sax_parse(text, &reader);
  header.data_offset = length_bytes + text.size();
  check_places(header, source.size() - header.data_offset, file);
  take_checksums(header, field, std::move(text), file);
  return header;
}

std::string safetensors_header_of(const SafetensorsHeader& header, const std::string& name) {
  FERAL_ASSERT(header.checksums.size() == header.entries.size());
  std::string checksums(crc_digits, '0');
  for (const std::uint32_t checksum : header.checksums) checksums += fmt::format("{:08x}", checksum);
  std::string text = fmt::format("{{\"{}\":{{{}{}\"", metadata_name, crc_start, checksums);
  for (const auto& [key, value] : header.metadata) {
    if (key == crc_key || key == format_key) fail("{}: the metadata's name '{}' is for feral's own use", name, key);
    text += fmt::format(",{}:{}", quoted(key, name), quoted(value, name));
  }
  text += fmt::format(",\"{}\":\"{}\"}}", format_key, format_value);
  for (const SafetensorsEntry& entry : header.entries) {
    if (entry.name == metadata_name) fail("{}: '{}' cannot be a tensor's name in this format", name, entry.name);
    text += fmt::format(",{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                        quoted(entry.name, name), safetensors_name(entry.dtype),
                        fmt::join(entry.shape.begin(), entry.shape.end(), ","), entry.begin, entry.end);
  }
  text += '}';
  text.resize(align_up(text.size(), header_alignment), ' ');
  if (text.size() > max_header_bytes) {
    fail("{}: the header takes {} bytes, allowed are {}: too many tensors, or too much metadata", name, text.size(),
         max_header_bytes);
  }
  const std::string length = length_field(text.size());
  text.replace(text.find(crc_start) + crc_start.size(), crc_digits,
               fmt::format("{:08x}", crc_of_header(length, text)));
  return length + text;
}

}  // namespace feral
