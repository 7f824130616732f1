#include "tensor/npz.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "tensor/zip_format.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tensor/npy_files.hpp"

namespace feral {
namespace {

using namespace npy_files;
using support::has;
using Tensors = std::map<std::string, Tensor>;

class Npz : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  const fs::path& folder() const { return folder_.path(); }

 private:
  support::TemporaryFolder folder_;
};

// An archive made by hand, with whatever is wrong with it.
struct Part {
  std::string name = "x.npy";
  Bytes content;  // as it stands in the archive
  std::uint16_t flags = 0;
  std::uint16_t method = zip::stored;
  std::uint32_t crc = 0;
  std::uint32_t bytes = 0;  // of the content, inflated
};

std::uint32_t crc_of(const Bytes& bytes) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

Bytes deflate_raw(const Bytes& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Part stored(const std::string& name, const Bytes& npy) {
  return {.name = name, .content = npy, .crc = crc_of(npy), .bytes = static_cast<std::uint32_t>(npy.size())};
}

Part deflated(const std::string& name, const Bytes& npy) {
  Part part = stored(name, npy);
  part.content = deflate_raw(npy);
  part.method = zip::deflated;
  return part;
}

void append(Bytes& to, const std::string& text) {
  const Bytes bytes = to_bytes(text);
  to.insert(to.end(), bytes.begin(), bytes.end());
}
void append16(Bytes& to, std::size_t value) {
  to.resize(to.size() + 2);
  zip::put16(&to[to.size() - 2], static_cast<std::uint16_t>(value));
}
void append32(Bytes& to, std::size_t value) {
  to.resize(to.size() + 4);
  zip::put32(&to[to.size() - 4], static_cast<std::uint32_t>(value));
}

void append_common(Bytes& to, const Part& part) {
  append16(to, 20);
  append16(to, part.flags);
  append16(to, part.method);
  append32(to, 0);
  append32(to, part.crc);
  append32(to, part.content.size());
  append32(to, part.bytes);
  append16(to, part.name.size());
  append16(to, 0);
}

// Where the fields of the last record stand, from the end of an archive without a comment.
constexpr std::size_t end_entries_here = 14;
constexpr std::size_t end_directory_bytes = 10;
constexpr std::size_t end_directory_offset = 6;
constexpr std::size_t end_comment_bytes = 2;

Bytes archive_of(const std::vector<Part>& parts) {
  Bytes file;
  std::vector<std::size_t> offsets;
  for (const Part& part : parts) {
    offsets.push_back(file.size());
    append32(file, zip::local_signature);
    append_common(file, part);
    append(file, part.name);
    file.insert(file.end(), part.content.begin(), part.content.end());
  }
  const std::size_t directory = file.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    append32(file, zip::central_signature);
    append16(file, 20);
    append_common(file, parts[i]);
    file.resize(file.size() + 10);
    append32(file, offsets[i]);
    append(file, parts[i].name);
  }
  const std::size_t directory_bytes = file.size() - directory;
  append32(file, zip::end_signature);
  append32(file, 0);
  append16(file, parts.size());
  append16(file, parts.size());
  append32(file, directory_bytes);
  append32(file, directory);
  append16(file, 0);
  return file;
}

Bytes small_npy() { return read_bytes(fixture("c_float32.npy")); }

std::string error_of(const Bytes& file) {
  const std::string message = support::error_of([&] { parse_npz(file, "arrays.npz"); });
  if (!message.empty()) {
    EXPECT_TRUE(message.starts_with("arrays.npz: ")) << message;
  }
  return message;
}
std::string error_of(const Part& part) { return error_of(archive_of({part})); }

void expect_committed(const Tensors& tensors) {
  expect_values(tensors.at("weight"), DType::float32, {2, 3});
  expect_values(tensors.at("layer/bias"), DType::float64, {4});
  expect_values(tensors.at("step"), DType::int64, {});
  expect_values(tensors.at("fortran"), DType::int32, {2, 3});
}

// --- files that NumPy wrote

TEST_F(Npz, ReadsWhatNumPyWrote) {
  const Tensors plain = load_npz(fixture("stored.npz"));
  EXPECT_EQ(plain.size(), 4U);
  expect_committed(plain);
  const Tensors packed = load_npz(fixture("deflated.npz"));
  EXPECT_EQ(packed.size(), 5U);
  expect_committed(packed);
  EXPECT_EQ(packed.at("zeros").to_vector<float>(), std::vector<float>(20000, 0));
  expect_committed(parse_npz(read_bytes(fixture("deflated.npz")), "arrays"));
  EXPECT_TRUE(load_npz(fixture("none.npz")).empty());
  const Tensors positional = load_npz(fixture("positional.npz"));
  expect_values(positional.at("arr_0"), DType::uint8, {2});
  expect_values(positional.at("arr_1"), DType::uint8, {3});
}

TEST_F(Npz, NumPyReadsWhatIsWritten) {
  if (std::system("python3 -c 'import numpy' 2>/dev/null") != 0) GTEST_SKIP() << "python3 has no numpy";
  const Tensors tensors = {{"a", tensor_of(DType::float32, {3, 4}).transpose(0, 1)},
                           {"layer/b", tensor_of(DType::int64, {})},
                           {"größe", tensor_of(DType::uint8, {0, 2})}};
  for (const bool compressed : {false, true}) {
    save_npz(path("ours.npz"), tensors, compressed);
    write_bytes(path("check.py"), to_bytes("import numpy, zipfile\n"
                                           "name = '" +
                                           path("ours.npz").string() + "'\n" + R"(
assert zipfile.ZipFile(name).testzip() is None
z = numpy.load(name)
assert sorted(z.files) == ['a', 'gr\u00f6\u00dfe', 'layer/b'], z.files
assert z['a'].dtype == 'float32' and (z['a'] == (numpy.arange(12) * 1.5 - 4).reshape(3, 4).T).all()
assert z['layer/b'].dtype == 'int64' and z['layer/b'].shape == () and z['layer/b'] == -4
assert z['gr\u00f6\u00dfe'].dtype == 'uint8' and z['gr\u00f6\u00dfe'].shape == (0, 2)
)"));
    EXPECT_EQ(std::system(("python3 '" + path("check.py").string() + "'").c_str()), 0) << compressed;
  }
}

// --- round trips

TEST_F(Npz, WhatIsSavedIsLoaded) {
  for (const bool compressed : {false, true}) {
    Tensors tensors;
    for (const DType dtype : types) {
      for (const Shape& shape :
           {Shape{}, Shape{0}, Shape{3, 0, 2}, Shape{300, 1000}, Shape{1, 2, 1, 2, 1, 2, 1, 2}}) {
        tensors[std::string(name_of(dtype)) + shape.to_string()] = tensor_of(dtype, shape);
      }
    }
    save_npz(path("arrays.npz"), tensors, compressed);
    const Tensors loaded = load_npz(path("arrays.npz"));
    ASSERT_EQ(loaded.size(), tensors.size());
    for (const auto& [name, tensor] : tensors) expect_values(loaded.at(name), tensor.dtype(), tensor.shape());
  }
}

TEST_F(Npz, CompressionMakesFilesSmaller) {
  const Tensors tensors = {{"zeros", Tensor::zeros({1000, 1000})}};
  save_npz(path("plain.npz"), tensors);
  save_npz(path("small.npz"), tensors, true);
  EXPECT_GT(fs::file_size(path("plain.npz")), 4000000U);
  EXPECT_LT(fs::file_size(path("small.npz")), 10000U);
  EXPECT_EQ(load_npz(path("small.npz")).at("zeros").to_vector<float>(), std::vector<float>(1000000, 0));
}

TEST_F(Npz, AnyNameIsOnlyAKey) {
  Tensors tensors;
  for (const std::string name :
       {"", "../outside", "/tmp/absolute", "a", "a.npy", "a.npy.npy", "line\nbreak", "größe"}) {
    tensors[name] = tensor_of(DType::int32, {2});
  }
  fs::create_directory(path("inside"));
  save_npz(path("inside/arrays.npz"), tensors);
  const Tensors loaded = load_npz(path("inside/arrays.npz"));
  ASSERT_EQ(loaded.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(loaded.contains(name)) << name;
  EXPECT_EQ(std::distance(fs::recursive_directory_iterator(folder()), fs::recursive_directory_iterator()), 2);
}

TEST_F(Npz, StridedTensorsAreSavedAndEqualTensorsGiveEqualFiles) {
  const Tensor tensor = tensor_of(DType::float64, {4, 5});
  save_npz(path("a.npz"), {{"t", tensor.transpose(0, 1)}}, true);
  EXPECT_EQ(load_npz(path("a.npz")).at("t").to_vector<double>(), tensor.transpose(0, 1).to_vector<double>());
  save_npz(path("b.npz"), {{"t", tensor.transpose(0, 1).clone()}}, true);
  EXPECT_EQ(read_bytes(path("a.npz")), read_bytes(path("b.npz")));
}

TEST_F(Npz, AFailedSaveNamesTheFileAndLeavesNothing) {
  const Tensor tensor = tensor_of(DType::float32, {2});
  const auto error = [&](const Tensors& tensors) {
    return support::error_of([&] { save_npz(path("arrays.npz"), tensors); });
  };
  EXPECT_TRUE(has(error({{"good", tensor}, {"none", {}}}), {path("arrays.npz"), "'none'", "undefined"}));
  EXPECT_TRUE(has(error({{std::string("a\0b", 3), tensor}}), {"'a\\x00b' has 3 bytes", "no zero"}));
  EXPECT_TRUE(has(error({{std::string(65532, 'a'), tensor}}), {"has 65532 bytes, expected at most 65531"}));
  const Tensor large = Tensor::zeros({1}).expand({1 << 30});
  EXPECT_TRUE(has(error({{"large", large}}), {"'large' needs ZIP64", "4 GiB", "save_npy"}));
  EXPECT_TRUE(fs::is_empty(folder()));
  save_npz(path("arrays.npz"), {{std::string(65531, 'a'), tensor}});
  EXPECT_EQ(load_npz(path("arrays.npz")).size(), 1U);
}

// --- distrust

TEST_F(Npz, TheArchiveMadeByHandIsRead) {
  for (const Part& part : {stored("x.npy", small_npy()), deflated("x", small_npy())}) {
    expect_values(parse_npz(archive_of({part}), "arrays.npz").at("x"), DType::float32, {2, 3});
  }
  Bytes file = archive_of({stored("x.npy", small_npy())});
  zip::put16(&file[file.size() - end_comment_bytes], 5);
  append(file, "PK\5\6!");
  EXPECT_EQ(error_of(file), "") << "an archive may have a comment";
}

TEST_F(Npz, RefusesWhatIsNoReadableArchive) {
  EXPECT_TRUE(has(support::error_of([&] { load_npz(path("absent")); }), {path("absent"), "cannot open"}));
  EXPECT_TRUE(has(support::error_of([&] { load_npz(folder()); }), {"is a directory, expected an .npz file"}));
  EXPECT_TRUE(has(error_of(Bytes{}), {"holds no bytes, expected an .npz file"}));
  EXPECT_TRUE(has(error_of(small_npy()), {"has no directory at its end: not an .npz file"}));
  EXPECT_TRUE(has(error_of(Bytes(100000)), {"has no directory at its end"}));
}

TEST_F(Npz, RefusesEntriesThatAreNoArrays) {
  EXPECT_TRUE(has(error_of(stored("readme.txt", to_bytes("hello"))), {"entry 'readme.txt': begins with 'hello'"}));
  EXPECT_TRUE(has(error_of(stored("folder/", {})), {"entry 'folder/': holds no bytes"}));
  EXPECT_TRUE(has(error_of(stored("o.npy", read_bytes(fixture("object.npy")))), {"'o.npy'", "(Python objects)"}));
  EXPECT_TRUE(has(error_of(stored("a\nb\x1b", to_bytes("hello"))), {"entry 'a\\x0ab\\x1b'"}));
}

TEST_F(Npz, RefusesTwoEntriesOfOneName) {
  EXPECT_TRUE(has(error_of(archive_of({stored("x.npy", small_npy()), stored("x", small_npy())})),
                  {"entry 'x': the name 'x' is there twice"}));
}

TEST_F(Npz, RefusesAWrongCrc) {
  for (Part part : {stored("x.npy", small_npy()), deflated("x.npy", small_npy())}) {
    const std::uint32_t right = part.crc;
    part.crc ^= 1;
    EXPECT_TRUE(
        has(error_of(part), {"entry 'x.npy'", fmt::format("CRC {:08x}, expected {:08x}", right, right ^ 1)}));
  }
}

TEST_F(Npz, RefusesWhatItCannotRead) {
  Part part = stored("x.npy", small_npy());
  part.flags = 1;
  EXPECT_TRUE(has(error_of(part), {"entry 'x.npy' is encrypted"}));
  part.flags = 32;
  EXPECT_TRUE(has(error_of(part), {"has the flags 0x0020"}));
  part.flags = 0;
  part.method = 12;
  EXPECT_TRUE(has(error_of(part), {"compressed by method 12, expected 0 (stored) or 8 (deflated)"}));
}

TEST_F(Npz, RefusesZip64ByName) {
  const Bytes file = archive_of({stored("x.npy", small_npy())});
  const std::size_t central = zip::get32(&file[file.size() - end_directory_offset]);
  for (const std::size_t field : {central + 20, central + 24, central + 42, file.size() - end_directory_bytes,
                                  file.size() - end_directory_offset}) {
    Bytes other = file;
    zip::put32(&other[field], zip::zip64_size);
    EXPECT_TRUE(has(error_of(other), {"uses ZIP64", "save large arrays as .npy"})) << field;
  }
}

TEST_F(Npz, RefusesAnArchiveInParts) {
  Bytes file = archive_of({stored("x.npy", small_npy())});
  zip::put16(&file[file.size() - end_entries_here], 2);
  EXPECT_TRUE(has(error_of(file), {"one part of an archive"}));
}

TEST_F(Npz, RefusesSizesThatDisagree) {
  Part part = deflated("x.npy", small_npy());
  const std::uint32_t right = part.bytes;
  part.bytes = right - 1;
  EXPECT_TRUE(has(error_of(part), {"'x.npy': is truncated: 23 bytes", "expected 24"}));
  part.bytes = right + 1;
  EXPECT_TRUE(has(error_of(part), {"'x.npy': has trailing bytes: 25"}));
  // The .npy header agrees with what is announced, the compressed content does not.
  Bytes longer = small_npy();
  longer.push_back(std::byte{1});
  part = deflated("x.npy", longer);
  part.bytes = right;
  EXPECT_TRUE(has(error_of(part), {"inflates to more than the 152 bytes announced"}));
  Bytes shorter = small_npy();
  shorter.pop_back();
  part = deflated("x.npy", shorter);
  part.bytes = right;
  EXPECT_TRUE(has(error_of(part), {"ends after 151 bytes, expected 152"}));
  part = deflated("x.npy", small_npy());
  part.content.push_back(std::byte{0});
  EXPECT_TRUE(has(error_of(part), {"1 of its", "compressed bytes are left"}));
  part = deflated("x.npy", small_npy());
  part.content.resize(part.content.size() - 1);
  EXPECT_TRUE(has(error_of(part), {"damaged or cut off"}));
  part = stored("x.npy", small_npy());
  part.bytes = 1 << 30;
  EXPECT_TRUE(has(error_of(part), {"is stored in 152 bytes, expected its 1073741824"}));
}

TEST_F(Npz, RefusesMoreThanDeflateCanHold) {
  // 4 GiB, by the word of the archive and of the .npy header, in a few bytes: refused before anything is allocated.
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967000,), }\n";
  std::string start = "\x93NUMPY";
  start += {'\1', '\0', static_cast<char>(header.size()), '\0'};
  Part part = deflated("bomb.npy", to_bytes(start + header));
  part.bytes = static_cast<std::uint32_t>(start.size() + header.size()) + 4294967000U;
  EXPECT_TRUE(has(error_of(part), {"'bomb.npy' announces 42949670", "expected at most 1032 times as many"}));
}

TEST_F(Npz, RefusesAnotherNumberOfEntriesThanThereAre) {
  const Bytes file = archive_of({stored("x.npy", small_npy()), stored("y.npy", small_npy())});
  for (const auto& [announced, expected] : {std::pair(1, "51 bytes follow the 1 entries"),
                                            {3, "damaged at entry 3 of 3"},
                                            {0, "follow the 0 entries"}}) {
    Bytes other = file;
    zip::put16(&other[file.size() - end_entries_here], static_cast<std::uint16_t>(announced));
    zip::put16(&other[file.size() - end_entries_here + 2], static_cast<std::uint16_t>(announced));
    EXPECT_TRUE(has(error_of(other), {expected}));
  }
}

TEST_F(Npz, RefusesEntriesThatOverlap) {
  // Both entries of the directory point at the first one's content.
  Bytes file = archive_of({stored("x.npy", small_npy()), stored("x.npy", small_npy())});
  const std::size_t central = zip::get32(&file[file.size() - end_directory_offset]);
  zip::put32(&file[central + zip::central_bytes + 5 + 42], 0);
  EXPECT_TRUE(has(error_of(file), {"entries 'x.npy' and 'x.npy' overlap"}));
}

TEST_F(Npz, RefusesPlacesOutsideTheFile) {
  const Bytes file = archive_of({stored("x.npy", small_npy())});
  const std::size_t central = zip::get32(&file[file.size() - end_directory_offset]);
  const auto with = [&](std::size_t field, std::size_t value) {
    Bytes other = file;
    zip::put32(&other[field], static_cast<std::uint32_t>(value));
    return error_of(other);
  };
  EXPECT_TRUE(has(with(central + 42, 0xfffffffe), {"begins at byte 4294967294, expected it before the directory"}));
  EXPECT_TRUE(has(with(central + 42, central - 30), {"is not at byte"}));
  EXPECT_TRUE(has(with(central + 42, central - 29), {"begins at byte"}));
  EXPECT_TRUE(has(with(central + 42, 1), {"is not at byte 1"}));
  EXPECT_TRUE(has(with(file.size() - end_directory_offset, 0xfffffffe), {"at byte 4294967294"}));
  EXPECT_TRUE(has(with(file.size() - end_directory_bytes, 7), {"a directory of 7 bytes"}));
  Bytes other = file;
  other[30] = std::byte{'y'};
  EXPECT_TRUE(has(error_of(other), {"entry 'x.npy' calls itself 'y.npy'"}));
}

TEST_F(Npz, RefusesAnArchiveCutAtAnyByte) {
  for (const std::string name : {"stored.npz", "deflated.npz"}) {
    const Bytes whole = read_bytes(fixture(name));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_NE(error_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))), "") << size;
    }
  }
}

TEST_F(Npz, AFlippedBitIsAnErrorOrHarmless) {
  for (const std::string name : {"stored.npz", "deflated.npz"}) {
    const Bytes whole = read_bytes(fixture(name));
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      Bytes flipped = whole;
      flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      if (!error_of(flipped).empty()) continue;
      expect_committed(parse_npz(flipped, "arrays.npz"));
    }
  }
}

}  // namespace
}  // namespace feral
