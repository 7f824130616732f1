#include "tensor/npy.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <bit>
#include <cstdlib>
#include <limits>
#include <sstream>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tensor/npy_files.hpp"

namespace feral {
namespace {

using namespace npy_files;
using support::has;

class Npy : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  const fs::path& folder() const { return folder_.path(); }

 private:
  support::TemporaryFolder folder_;
};

// A file of version 1.0 with this header and `data_bytes` zeros behind it.
Bytes file_of(const std::string& header, std::size_t data_bytes) {
  std::string text = "\x93NUMPY";
  text += {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  text += header;
  text.append(data_bytes, '\0');
  return to_bytes(text);
}

// One of `shape` (Python's text), whose header is otherwise in order.
Bytes file_of_shape(const std::string& shape, std::size_t data_bytes) {
  return file_of("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n", data_bytes);
}

Bytes file_of_descr(const std::string& descr, std::size_t data_bytes) {
  return file_of("{'descr': " + descr + ", 'fortran_order': False, 'shape': (2,), }\n", data_bytes);
}

// The error for these bytes; empty when they are read. It always begins with the name.
std::string error_of(const Bytes& file) {
  const std::string message = support::error_of([&] { parse_npy(file, "array.npy"); });
  if (!message.empty()) {
    EXPECT_TRUE(message.starts_with("array.npy: ")) << message;
  }
  return message;
}

// How often `file` is mapped into this process.
int mappings_of(const fs::path& file) {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(file.string()) != std::string::npos ? 1 : 0;
  return count;
}

// --- files that NumPy wrote

TEST_F(Npy, ReadsWhatNumPyWrote) {
  for (const DType dtype : types) {
    for (const std::string kind : {"c_", "fortran_", "big_"}) {
      const fs::path file = fixture(kind + std::string(name_of(dtype)) + ".npy");
      SCOPED_TRACE(file);
      expect_values(load_npy(file), dtype, {2, 3});
      expect_values(map_npy(file), dtype, {2, 3});
      expect_values(parse_npy(read_bytes(file), "array"), dtype, {2, 3});
      const Shape strides = kind == "fortran_" ? Shape{1, 2} : Shape{3, 1};
      EXPECT_EQ(load_npy(file).strides(), strides);
      EXPECT_EQ(map_npy(file).strides(), strides);
    }
  }
}

TEST_F(Npy, ReadsEveryShapeAndVersionThatNumPyWrote) {
  for (Tensor (*read)(const fs::path&) : {load_npy, map_npy}) {
    expect_values(read(fixture("big_fortran.npy")), DType::int32, {2, 3, 4});
    expect_values(read(fixture("scalar.npy")), DType::float64, {});
    expect_values(read(fixture("one.npy")), DType::int32, {5});
    expect_values(read(fixture("empty.npy")), DType::float32, {0, 3});
    expect_values(read(fixture("eight.npy")), DType::int32, {1, 2, 1, 3, 1, 2, 1, 2});
    expect_values(read(fixture("version2.npy")), DType::float32, {2, 3});
    expect_values(read(fixture("version3.npy")), DType::float32, {2, 3});
  }
}

TEST_F(Npy, RefusesOtherElementTypesByName) {
  const auto error = [](const std::string& name) { return support::error_of([&] { load_npy(fixture(name)); }); };
  EXPECT_TRUE(
      has(error("complex.npy"), {"complex.npy: ", "'<c16' (complex numbers)", "expected one of float32 '<f4'"}));
  EXPECT_TRUE(has(error("text.npy"), {"'<U2' (text)", "expected one of"}));
  EXPECT_TRUE(has(error("bytes.npy"), {"'|S2' (byte strings)", "expected one of"}));
  EXPECT_TRUE(has(error("dates.npy"), {"'<M8[D]' (dates)", "expected one of"}));
  EXPECT_TRUE(has(error("unsigned.npy"), {"'<u8' (unsigned integers)", "astype"}));
  EXPECT_TRUE(has(error("object.npy"), {"'|O' (Python objects)", "expected one of"}));
  EXPECT_TRUE(has(error("fields.npy"), {"structured elements", "[('x', '<f4')", "expected one number an element"}));
  EXPECT_TRUE(has(error("nine.npy"), {"more than 8 dimensions", "expected at most 8"}));
}

TEST_F(Npy, WritesByteForByteWhatNumPyWrites) {
  for (const DType dtype : types) {
    save_npy(path("ours.npy"), tensor_of(dtype, {2, 3}));
    EXPECT_EQ(read_bytes(path("ours.npy")), read_bytes(fixture("c_" + std::string(name_of(dtype)) + ".npy")));
  }
  const std::vector<std::tuple<std::string, DType, Shape>> others = {
      {"scalar.npy", DType::float64, {}},
      {"one.npy", DType::int32, {5}},
      {"empty.npy", DType::float32, {0, 3}},
      {"eight.npy", DType::int32, {1, 2, 1, 3, 1, 2, 1, 2}}};
  for (const auto& [name, dtype, shape] : others) {
    save_npy(path("ours.npy"), tensor_of(dtype, shape));
    EXPECT_EQ(read_bytes(path("ours.npy")), read_bytes(fixture(name))) << name;
  }
}

TEST_F(Npy, NumPyReadsWhatIsWritten) {
  if (std::system("python3 -c 'import numpy' 2>/dev/null") != 0) GTEST_SKIP() << "python3 has no numpy";
  std::ostringstream script;
  script << "import numpy\n";
  for (const DType dtype : types) {
    const std::string name(name_of(dtype));
    save_npy(path(name + ".npy"), tensor_of(dtype, {3, 4}).transpose(0, 1));
    script << "a = numpy.load('" << path(name + ".npy").string() << "')\n"
           << "assert a.dtype == '" << name << "' and a.shape == (4, 3), a\n"
           << "i = numpy.arange(12)\n"
           << "e = i * 1.5 - 4 if a.dtype.kind == 'f' else i * 40 + 3 if a.dtype.kind == 'u' else i * 1001 - 4\n"
           << "e = (i * 20 - 4 + 128) % 256 - 128 if a.dtype == 'int8' else e\n"
           << "e = i % 3 == 1 if a.dtype == 'bool' else e\n"
           << "assert (a == e.astype(a.dtype).reshape(3, 4).T).all(), a\n";
  }
  write_bytes(path("check.py"), to_bytes(script.str()));
  EXPECT_EQ(std::system(("python3 '" + path("check.py").string() + "'").c_str()), 0);
}

// --- bool, whose bytes are looked at

TEST_F(Npy, BytesOtherThanZeroAndOneAreTrue) {
  Bytes bytes = read_bytes(fixture("c_bool.npy"));
  bytes[bytes.size() - 1] = std::byte{255};
  bytes[bytes.size() - 6] = std::byte{2};
  write_bytes(path("bool.npy"), bytes);
  const std::vector<int> expected = {1, 1, 0, 0, 1, 1};
  for (const Tensor& x : {load_npy(path("bool.npy")), map_npy(path("bool.npy"))}) {
    EXPECT_EQ(x.dtype(), DType::boolean);
    EXPECT_EQ(x.to_vector<int>(), expected);
    for (int i = 0; i < 6; ++i)
      EXPECT_EQ(std::to_integer<int>(x.raw_data()[i]), expected[static_cast<std::size_t>(i)]);
  }
}

// --- round trips

TEST_F(Npy, WhatIsSavedIsLoaded) {
  const std::vector<Shape> shapes = {
      {}, {1}, {0}, {7}, {2, 3}, {3, 0, 2}, {4, 1, 5}, {2, 3, 4, 5}, {1, 2, 1, 2, 1, 2, 1, 2}};
  for (const DType dtype : types) {
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(shape.to_string());
      save_npy(path("array.npy"), tensor_of(dtype, shape));
      expect_values(load_npy(path("array.npy")), dtype, shape);
      expect_values(map_npy(path("array.npy")), dtype, shape);
      EXPECT_TRUE(load_npy(path("array.npy")).is_contiguous());
    }
  }
}

TEST_F(Npy, StridedTensorsAreSavedInCOrder) {
  const Tensor tensor = tensor_of(DType::int64, {4, 5, 6});
  for (const Tensor& view : {tensor.transpose(0, 2), tensor.narrow(1, 2, 2), tensor.narrow(0, 1, 2),
                             tensor_of(DType::int64, {1, 5}).expand({3, 5})}) {
    save_npy(path("view.npy"), view);
    const Tensor loaded = load_npy(path("view.npy"));
    EXPECT_TRUE(loaded.is_contiguous());
    EXPECT_EQ(loaded.shape(), view.shape());
    EXPECT_EQ(loaded.to_vector<std::int64_t>(), view.to_vector<std::int64_t>());
  }
}

TEST_F(Npy, FortranOrderIsSavedInCOrder) {
  save_npy(path("array.npy"), load_npy(fixture("fortran_int32.npy")));
  EXPECT_EQ(read_bytes(path("array.npy")), read_bytes(fixture("c_int32.npy")));
}

TEST_F(Npy, EveryBitOfSpecialValuesIsKept) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {-0.0F, infinity, -infinity, std::bit_cast<float>(0x7fc12345U),
                                     std::numeric_limits<float>::denorm_min()};
  save_npy(path("array.npy"), Tensor::from_vector(values, {5}));
  const Tensor loaded = load_npy(path("array.npy"));
  EXPECT_EQ(std::memcmp(loaded.raw_data(), values.data(), 5 * sizeof(float)), 0);
}

// --- saving

TEST_F(Npy, SavingReplacesTheFileAndLeavesNothingElse) {
  save_npy(path("array.npy"), tensor_of(DType::float32, {1000}));
  save_npy(path("array.npy"), tensor_of(DType::float32, {2}));
  expect_values(load_npy(path("array.npy")), DType::float32, {2});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()), 1);
}

TEST_F(Npy, AFailedSaveNamesTheFileAndLeavesNothing) {
  const Tensor tensor = tensor_of(DType::float32, {2});
  const fs::path absent = path("absent") / "array.npy";
  EXPECT_TRUE(has(support::error_of([&] { save_npy(absent, tensor); }), {absent, "No such file or directory"}));
  EXPECT_TRUE(has(support::error_of([&] { save_npy(path("x.npy"), Tensor()); }), {"x.npy", "undefined"}));
  fs::create_directory(path("folder.npy"));
  EXPECT_TRUE(
      has(support::error_of([&] { save_npy(path("folder.npy"), tensor); }), {"folder.npy", "cannot write"}));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()), 1);
}

TEST_F(Npy, ASavedFileHasThePermissionsOfAnyOther) {
  const mode_t mask = ::umask(022);
  save_npy(path("array.npy"), tensor_of(DType::float32, {2}));
  ::umask(mask);
  EXPECT_EQ(fs::status(path("array.npy")).permissions(), fs::perms(0644));
}

// --- mapping

TEST_F(Npy, WritingToAMappedTensorLeavesTheFileAlone) {
  save_npy(path("array.npy"), tensor_of(DType::int32, {100, 100}));
  const Bytes before = read_bytes(path("array.npy"));
  const Tensor mapped = map_npy(path("array.npy"));
  mapped.fill_(7);
  EXPECT_EQ(mapped.to_vector<std::int32_t>(), std::vector<std::int32_t>(10000, 7));
  EXPECT_EQ(read_bytes(path("array.npy")), before);
  expect_values(map_npy(path("array.npy")), DType::int32, {100, 100});
}

TEST_F(Npy, TheMappingGoesAwayWithTheLastTensor) {
  for (const std::string kind : {"c_", "fortran_"}) {
    fs::copy_file(fixture(kind + "float32.npy"), path(kind));
    Tensor mapped = map_npy(path(kind));
    EXPECT_EQ(mappings_of(path(kind)), 1);
    Tensor row = mapped.narrow(0, 1, 1);
    mapped = Tensor();
    EXPECT_EQ(mappings_of(path(kind)), 1) << "a view keeps it";
    EXPECT_EQ(row.to_vector<float>(), (std::vector<float>{0.5F, 2, 3.5F}));
    row = Tensor();
    EXPECT_EQ(mappings_of(path(kind)), 0);
  }
}

TEST_F(Npy, AMappedFileCanBeReplaced) {
  save_npy(path("array.npy"), tensor_of(DType::int32, {5000}));
  const Tensor mapped = map_npy(path("array.npy"));
  save_npy(path("array.npy"), Tensor::zeros({1}, DType::int32));
  expect_values(mapped, DType::int32, {5000});
}

TEST_F(Npy, WhatCannotBeMappedIsCopied) {
  // One space less in the header: the data begins at an odd byte.
  Bytes shifted = read_bytes(fixture("c_float32.npy"));
  shifted.erase(shifted.begin() + 126);
  shifted[8] = std::byte{117};
  write_bytes(path("shifted"), shifted);
  fs::copy_file(fixture("big_float32.npy"), path("big"));
  for (const std::string name : {"shifted", "big"}) {
    const Tensor tensor = map_npy(path(name));
    EXPECT_EQ(mappings_of(path(name)), 0) << name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.raw_data()) % alignof(float), 0U);
    expect_values(tensor, DType::float32, {2, 3});
  }
  fs::copy_file(fixture("empty.npy"), path("empty"));
  const Tensor empty = map_npy(path("empty"));
  EXPECT_EQ(mappings_of(path("empty")), 0) << "there is nothing to map";
  fs::copy_file(fixture("big_uint8.npy"), path("bytes"));
  const Tensor bytes = map_npy(path("bytes"));
  EXPECT_EQ(mappings_of(path("bytes")), 1) << "single bytes have no order";
}

// --- distrust

TEST_F(Npy, RefusesWhatIsNoReadableFile) {
  for (Tensor (*read)(const fs::path&) : {load_npy, map_npy}) {
    const auto error = [&](const fs::path& file) { return support::error_of([&] { read(file); }); };
    EXPECT_TRUE(has(error(path("absent")), {path("absent"), "cannot open", "No such file"}));
    EXPECT_TRUE(has(error(folder()), {"is a directory, expected an .npy file"}));
    if (!fs::exists(path("fifo"))) {
      ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
    }
    EXPECT_TRUE(has(error(path("fifo")), {"is not a regular file, expected an .npy file"}));
    write_bytes(path("empty"), {});
    EXPECT_TRUE(has(error(path("empty")), {"holds no bytes, expected an .npy file"}));
  }
}

TEST_F(Npy, RefusesAnotherMagicOrVersion) {
  EXPECT_TRUE(has(error_of(to_bytes("PK\3\4 and so on")), {"begins with 'PK\\x03\\x04 a'", "'\\x93NUMPY'"}));
  for (const auto& [major, minor] : {std::pair(0, 0), {4, 0}, {255, 0}, {1, 1}, {2, 7}}) {
    Bytes file = file_of_shape("()", 4);
    file[6] = static_cast<std::byte>(major);
    file[7] = static_cast<std::byte>(minor);
    EXPECT_TRUE(has(error_of(file), {"version " + std::to_string(major) + "." + std::to_string(minor), "1.0"}));
  }
}

TEST_F(Npy, ReadsEveryFormThatAPythonDictionaryOfThisKindHas) {
  const std::vector<std::string> headers = {
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
      "{\"shape\":(2,3),\"descr\":\"<f4\",\"fortran_order\":False}",
      "{ 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , 'descr' : '<f4' , } \n\n",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }\n",
  };
  for (const std::string& header : headers) {
    const Tensor tensor = parse_npy(file_of(header, 24), "array");
    EXPECT_EQ(tensor.shape(), (Shape{2, 3})) << header;
    EXPECT_EQ(tensor.to_vector<float>(), std::vector<float>(6, 0)) << header;
  }
}

TEST_F(Npy, RefusesEveryOtherHeader) {
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"", "header ends after 0 characters, expected '{'"},
      {"\n", "expected '{'"},
      {"{", "expected a key in quotes"},
      {"{}", "no key 'descr'"},
      {"{'descr': '<f4', 'fortran_order': False}", "no key 'shape'"},
      {"{'descr': '<f4', 'shape': ()}", "no key 'fortran_order'"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", "key 'descr' twice"},
      {"{'shape': (), 'shape': ()}", "key 'shape' twice"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}", "the key 'more', expected"},
      {"{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", "expected True or False"},
      {"{'descr': '<f4', 'fortran_order': Falsehood, 'shape': ()}", "expected ',' or '}'"},
      {"{'descr': '<f4' 'fortran_order': False, 'shape': ()}", "expected ',' or '}'"},
      {"{'descr': '<f4',, 'fortran_order': False, 'shape': ()}", "expected a key"},
      {"{'descr' '<f4'}", "expected ':'"},
      {"{'descr: <f4}", "expected a string that ends"},
      {"{'descr\": '<f4'}", "expected"},
      {"{'de\\x73cr': '<f4'}", "expected a string without escapes"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", "has 'x' at character 55, expected its end"},
      {"{'descr': f4, 'fortran_order': False, 'shape': ()}", "expected a type in quotes"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': 4}", "expected '('"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': [1]}", "expected '('"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", "expected ','"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", "expected a size"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,,)}", "expected a size"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", "expected"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "expected a size"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (01,)}", "expected a size"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (0x1,)}", "expected"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}", "expected"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1", "expected ','"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", "a size below 2^63"},
      {"{'descr': __import__('os').abort(), 'fortran_order': False, 'shape': ()}", "expected a type in quotes"},
      {"{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': ()}", "structured"},
      {"# {'descr': '<f4', 'fortran_order': False, 'shape': ()}", "expected '{'"},
      {std::string("{'descr': '<f4\0', 'fortran_order': False, 'shape': ()}", 54), "'<f4\\x00' (floating)"},
  };
  for (const auto& [header, expected] : headers)
    EXPECT_TRUE(has(error_of(file_of(header, 4)), {expected})) << header;
}

TEST_F(Npy, RefusesDescrsThatOnlyResembleAType) {
  for (const std::string descr :
       {"", "<", "f4", "=f4", "|f4", "<<f4", "<f4 ", "<f44", "<F4", "float32", "|u2", "u1"}) {
    EXPECT_TRUE(has(error_of(file_of_descr("'" + descr + "'", 8)), {"'" + descr + "'", "expected one of"}));
  }
  EXPECT_EQ(error_of(file_of_descr("'<u1'", 2)), "");
}

TEST_F(Npy, RefusesShapesThatAreNotWhatTheFileHolds) {
  EXPECT_TRUE(has(error_of(file_of_shape("(2, 3)", 23)), {"is truncated: 23 bytes", "expected 24 for [2, 3]"}));
  EXPECT_TRUE(has(error_of(file_of_shape("(2, 3)", 25)), {"has trailing bytes: 25 bytes", "expected 24"}));
  EXPECT_TRUE(has(error_of(file_of_shape("(0, 3)", 1)), {"has trailing bytes: 1 bytes", "expected 0"}));
  EXPECT_TRUE(has(error_of(file_of_shape("()", 0)), {"is truncated: 0 bytes", "expected 4 for []"}));
  EXPECT_TRUE(has(error_of(file_of_shape("(1099511627776,)", 4)), {"is truncated", "4398046511104"}));
  for (const std::string shape :
       {"(9223372036854775807,)", "(4294967296, 4294967296)", "(3, 3074457345618258603)",
        "(0, 4294967296, 4294967296)", "(9223372036854775807, 9223372036854775807, 9223372036854775807)"}) {
    EXPECT_TRUE(has(error_of(file_of_shape(shape, 4)), {"exceeds 64 bits", "float32"})) << shape;
  }
  EXPECT_TRUE(has(error_of(file_of_shape("(1, 1, 1, 1, 1, 1, 1, 1, 1)", 4)), {"more than 8 dimensions"}));
}

TEST_F(Npy, RefusesAHeaderLongerThanTheFileOrThanAnyOfNumPys) {
  Bytes file = read_bytes(fixture("version2.npy"));
  file[10] = std::byte{1};
  EXPECT_TRUE(has(error_of(file), {"announces a header of 65652 bytes, expected at most 65535"}));
  file[11] = std::byte{255};
  EXPECT_TRUE(has(error_of(file), {"announces a header of 4278255732 bytes", "at most 65535"}));
  file = read_bytes(fixture("c_float32.npy"));
  file[9] = std::byte{255};
  EXPECT_TRUE(has(error_of(file), {"announces a header of 65398 bytes, found 142", "truncated"}));
}

TEST_F(Npy, RefusesAFileCutAtAnyByte) {
  for (const std::string name : {"c_float32.npy", "version2.npy", "big_fortran.npy"}) {
    const Bytes whole = read_bytes(fixture(name));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const std::string message = error_of(cut);
      EXPECT_NE(message, "") << size;
      write_bytes(path("cut.npy"), cut);
      EXPECT_EQ(support::error_of([&] { load_npy(path("cut.npy")); }),
                path("cut.npy").string() + message.substr(9));
      EXPECT_EQ(support::error_of([&] { map_npy(path("cut.npy")); }), path("cut.npy").string() + message.substr(9));
    }
    EXPECT_EQ(error_of(whole), "");
  }
}

TEST_F(Npy, AFlippedBitIsAnErrorOrATensorOfTheSameSize) {
  for (const std::string name : {"c_float32.npy", "fortran_int64.npy", "big_fortran.npy", "version3.npy"}) {
    const Bytes whole = read_bytes(fixture(name));
    const Tensor original = parse_npy(whole, "array.npy");
    const auto bytes_of = [](const Tensor& tensor) {
      return static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype());
    };
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      Bytes flipped = whole;
      flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      if (!error_of(flipped).empty()) continue;
      EXPECT_EQ(bytes_of(parse_npy(flipped, "array.npy")), bytes_of(original)) << name << ", bit " << bit;
    }
  }
}

}  // namespace
}  // namespace feral
