#include "tensor/safetensors.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <sstream>

#include "core/fail.hpp"
#include "tensor/safetensors_header.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tensor/npy_files.hpp"

namespace feral {
namespace {

using npy_files::Bytes;
using npy_files::expect_values;
using npy_files::read_bytes;
using npy_files::tensor_of;
using npy_files::to_bytes;
using npy_files::write_bytes;
using support::has;
namespace fs = std::filesystem;

using Tensors = std::map<std::string, Tensor>;

constexpr DType all_types[] = {DType::float32, DType::float64, DType::int32,   DType::int64,   DType::uint8,
                               DType::int8,    DType::int16,   DType::boolean, DType::float16, DType::bfloat16};

class Safetensors : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  fs::path folder() const { return folder_.path(); }

  static fs::path fixture(const std::string& name) {
    return fs::path(FERAL_SOURCE_DIR) / "tests/fixtures/safetensors" / name;
  }

  // A file of this header and so many bytes of elements.
  static Bytes file_of(const std::string& header, std::size_t data = 0) {
    std::string text;
    for (int i = 0; i < 8; ++i) text += static_cast<char>(header.size() >> (8 * i) & 0xff);
    Bytes bytes = to_bytes(text + header);
    bytes.resize(bytes.size() + data);
    return bytes;
  }
  static std::string error(const std::string& header, std::size_t data = 0) {
    const Bytes bytes = file_of(header, data);
    return support::error_of([&] { parse_safetensors(bytes, "f"); });
  }
  static std::string one_tensor(const std::string& inside) { return "{\"a\":{" + inside + "}}"; }

  static Tensors tensors_of_all_types() {
    Tensors tensors;
    for (const DType dtype : all_types) tensors[std::string(name_of(dtype))] = tensor_of(dtype, {3, 5});
    return tensors;
  }
  static void expect_all_types(const Tensors& tensors, const Shape& shape) {
    ASSERT_EQ(tensors.size(), std::size(all_types));
    for (const DType dtype : all_types) expect_values(tensors.at(std::string(name_of(dtype))), dtype, shape);
  }

 private:
  support::TemporaryFolder folder_;
};

TEST_F(Safetensors, GivesBackWhatWasWritten) {
  Tensors tensors = tensors_of_all_types();
  tensors["strided"] = tensor_of(DType::float32, {4, 3}).transpose(0, 1);
  tensors["scalar"] = tensor_of(DType::float64, {});
  tensors["empty"] = Tensor::zeros({0, 3});
  tensors["größe \"x\"\n"] = tensor_of(DType::int8, {1, 2, 1, 3, 1, 2, 1, 2});
  const std::map<std::string, std::string> metadata = {{"format", "pt"}, {"a \"quoted\"", "ü\n\\"}};
  save_safetensors(path("a.safetensors"), tensors, metadata);
  for (const SafetensorsFile& file :
       {load_safetensors(path("a.safetensors")), map_safetensors(path("a.safetensors"))}) {
    EXPECT_EQ(file.metadata, metadata);
    ASSERT_EQ(file.tensors.size(), tensors.size());
    for (const auto& [name, tensor] : tensors) {
      EXPECT_EQ(file.tensors.at(name).dtype(), tensor.dtype());
      EXPECT_TRUE(file.tensors.at(name).equal(tensor)) << name;
    }
  }
  EXPECT_TRUE(load_safetensors(path("a.safetensors")).checked);
  EXPECT_TRUE(check_safetensors(path("a.safetensors")).checked);
  EXPECT_EQ(check_safetensors(path("a.safetensors")).metadata, metadata);
  save_safetensors(path("b.safetensors"), tensors, metadata);
  EXPECT_EQ(read_bytes(path("a.safetensors")), read_bytes(path("b.safetensors")));
}

TEST_F(Safetensors, WritesMoreThanAPieceAtATime) {
  const Tensor large = Tensor::arange(300'001).to(DType::float32);
  save_safetensors(path("a.safetensors"), {{"large", large}, {"small", Tensor::ones({2})}});
  EXPECT_TRUE(load_safetensors(path("a.safetensors")).tensors.at("large").equal(large));
  EXPECT_TRUE(check_safetensors(path("a.safetensors")).checked);
}

TEST_F(Safetensors, ReadsWhatPythonWrites) {
  const SafetensorsFile types = load_safetensors(fixture("types.safetensors"));
  EXPECT_FALSE(types.checked);
  expect_all_types(types.tensors, {2, 3});
  expect_all_types(map_safetensors(fixture("types.safetensors")).tensors, {2, 3});
  const SafetensorsFile shapes = load_safetensors(fixture("shapes.safetensors"));
  EXPECT_EQ(shapes.metadata, (std::map<std::string, std::string>{{"format", "pt"}, {"größe", "klein\n\"x\""}}));
  expect_values(shapes.tensors.at("scalar"), DType::float32, {});
  expect_values(shapes.tensors.at("one"), DType::float32, {5});
  expect_values(shapes.tensors.at("empty"), DType::float32, {0, 3});
  expect_values(shapes.tensors.at("eight"), DType::float32, {1, 2, 1, 3, 1, 2, 1, 2});
  EXPECT_TRUE(load_safetensors(fixture("nothing.safetensors")).tensors.empty());
  const auto refused = [](const std::string& name) {
    return support::error_of([&] { load_safetensors(fixture(name)); });
  };
  EXPECT_TRUE(has(refused("nine.safetensors"), {"nine.safetensors: ", "'nine' has more than 8 dimensions"}));
  EXPECT_TRUE(has(refused("unsigned.safetensors"), {"'unsigned' has the type 'U16', expected one of F64, F32"}));
}

TEST_F(Safetensors, PythonReadsWhatIsWritten) {
  const char* chosen = std::getenv("FERAL_TEST_PYTHON");  // one that has torch and safetensors
  const std::string python = chosen == nullptr ? "python3" : chosen;
  if (std::system(("'" + python + "' -c 'import torch, safetensors.torch' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << python << " has no safetensors; FERAL_TEST_PYTHON can name another";
  }
  save_safetensors(path("ours.safetensors"), tensors_of_all_types(), {{"format", "pt"}});
  std::ostringstream script;
  script << "import sys, torch\n"
         << "from safetensors import safe_open\n"
         << "from safetensors.torch import load_file\n"
         << "theirs = load_file(sys.argv[1])\n"
         << "ours = load_file(sys.argv[2])\n"
         << "assert ours.keys() == theirs.keys(), ours.keys()\n"
         << "for name, tensor in theirs.items():\n"
         << "    assert ours[name].dtype == tensor.dtype and ours[name].shape == (3, 5), name\n"
         << "    assert torch.equal(ours[name].flatten()[:6], tensor.flatten()), name\n"
         << "with safe_open(sys.argv[2], 'pt') as file:\n"
         << "    assert file.metadata()['format'] == 'pt'\n";
  write_bytes(path("check.py"), to_bytes(script.str()));
  EXPECT_EQ(std::system(fmt::format("'{}' '{}' '{}' '{}'", python, path("check.py").string(),
                                    fixture("types.safetensors").string(), path("ours.safetensors").string())
                            .c_str()),
            0);
}

TEST_F(Safetensors, AFlippedBitAnywhereIsAnError) {
  save_safetensors(
      path("a.safetensors"),
      {{"w", tensor_of(DType::float32, {2, 2})}, {"b", tensor_of(DType::boolean, {3})}, {"e", Tensor::zeros({0})}},
      {{"k", "v"}});
  Bytes bytes = read_bytes(path("a.safetensors"));
  EXPECT_TRUE(parse_safetensors(bytes, "f").checked);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] ^= std::byte{1} << bit;
      const std::string message = support::error_of([&] { parse_safetensors(bytes, "f"); });
      EXPECT_TRUE(message.starts_with("f: ")) << "byte " << at << ", bit " << bit << ": " << message;
      bytes[at] ^= std::byte{1} << bit;
    }
  }
  bytes.back() ^= std::byte{1};
  write_bytes(path("b.safetensors"), bytes);
  for (const auto& read : {load_safetensors, check_safetensors}) {
    EXPECT_TRUE(has(support::error_of([&] { read(path("b.safetensors")); }),
                    {"b.safetensors: is damaged: the checksum of tensor 'b' is wrong"}));
  }
}

TEST_F(Safetensors, APieceOfAFileIsAnError) {
  save_safetensors(path("a.safetensors"), {{"w", tensor_of(DType::float32, {2, 2})}});
  const Bytes bytes = read_bytes(path("a.safetensors"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(support::error_of([&] { parse_safetensors(std::span(bytes).first(size), "f"); }), "") << size;
  }
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_TRUE(has(support::error_of([&] { parse_safetensors(longer, "f"); }), {"has trailing bytes"}));
}

TEST_F(Safetensors, RefusesHostileHeaders) {
  const std::string good = one_tensor("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]");
  EXPECT_EQ(error(good, 8), "");
  EXPECT_TRUE(has(error(good, 7), {"f: is truncated: 7 bytes follow the header, expected 8"}));
  EXPECT_TRUE(has(error("[1]"), {"does not begin with '{'"}));
  EXPECT_TRUE(has(error(" {}"), {"does not begin with '{'"}));
  EXPECT_TRUE(has(error("{"), {"is no JSON"}));
  EXPECT_TRUE(has(error("{} x"), {"is no JSON"}));
  EXPECT_TRUE(has(error("{\"\xff\":1}"), {"is no JSON, see byte"}));
  EXPECT_TRUE(has(error(std::string(1'000'000, '{')), {"is no JSON"}));
  EXPECT_TRUE(has(error("{\"a\":" + std::string(1'000'000, '[')), {"'a' is a list, expected an object"}));
  EXPECT_TRUE(has(error("{\"a\":1}"), {"'a' is the number 1, expected an object"}));
  EXPECT_TRUE(has(error("{\"a\":null}"), {"'a' is null"}));
  EXPECT_TRUE(has(error(one_tensor("")), {"tensor 'a' has no dtype"}));
  EXPECT_TRUE(has(error(one_tensor("\"dtype\":\"F32\"")), {"has no shape"}));
  EXPECT_TRUE(has(error(one_tensor("\"dtype\":\"F32\",\"shape\":[]")), {"has no data_offsets"}));
  EXPECT_TRUE(has(error(one_tensor("\"dtype\":32")), {"tensor 'a': the number 32 in 'dtype'"}));
  EXPECT_TRUE(has(error(one_tensor("\"dtype\":\"F32\",\"dtype\":\"F32\"")), {"has 'dtype' twice"}));
  EXPECT_TRUE(has(error(one_tensor("\"dtype\":\"F8_E4M3\"")), {"has the type 'F8_E4M3', expected one of"}));
  EXPECT_TRUE(has(error(one_tensor("\"color\":\"red\"")), {"tensor 'a': a text in 'color'"}));
  EXPECT_TRUE(has(error(one_tensor("\"shape\":{}")), {"an object in 'shape'"}));
  EXPECT_TRUE(has(error(one_tensor("\"shape\":[-1]")), {"the number -1"}));
  EXPECT_TRUE(has(error(one_tensor("\"shape\":[1.5]")), {"the number 1.5"}));
  EXPECT_TRUE(has(error(one_tensor("\"shape\":[18446744073709551615]")), {"has a size of 18446744073709551615"}));
  EXPECT_TRUE(has(error(one_tensor("\"shape\":[[1]]")), {"a list in 'shape'"}));
  EXPECT_TRUE(has(error(one_tensor("\"data_offsets\":[0]")), {"has 1 data_offsets, expected 2"}));
  EXPECT_TRUE(has(error(one_tensor("\"data_offsets\":[0,1,2]")), {"has more than 2 data_offsets"}));
  EXPECT_TRUE(has(error("{\"__metadata__\":{\"a\":1}}"), {"the metadata's 'a' is the number 1, expected a text"}));
  EXPECT_TRUE(has(error("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}"), {"the metadata has 'a' twice"}));
  EXPECT_TRUE(has(error("{\"__metadata__\":{},\"__metadata__\":{}}"), {"has __metadata__ twice"}));
  const std::string entry = "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[";
  EXPECT_TRUE(has(error("{\"a\":" + entry + "0,1]},\"a\":" + entry + "1,2]}}", 2), {"the tensor 'a' twice"}));
  EXPECT_TRUE(
      has(error("{\"a\":" + entry + "0,1]},\"b\":" + entry + "0,1]}}", 2), {"'b' begins at byte 0", "overlap"}));
  EXPECT_TRUE(
      has(error("{\"a\":" + entry + "0,1]},\"b\":" + entry + "2,3]}}", 3), {"'b' begins at byte 2", "have gaps"}));
  EXPECT_TRUE(has(error("{\"a\":" + entry + "1,0]}}", 1), {"'a' begins at byte 1"}));
  EXPECT_TRUE(has(error("{\"a\":" + entry + "0,2]}}", 2), {"has data_offsets 0 to 2, expected 1 bytes"}));
  EXPECT_TRUE(has(error("{\"a\":" + entry + "0,18446744073709551615]}}", 2), {"expected 1 bytes"}));
  EXPECT_TRUE(has(error(one_tensor("\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]")),
                  {"exceeds 64 bits"}));
  Bytes huge = file_of("{}");
  huge[7] = std::byte{0x7f};
  EXPECT_TRUE(has(support::error_of([&] { parse_safetensors(huge, "f"); }), {"expected at most 100000000"}));
  EXPECT_TRUE(has(support::error_of([&] { parse_safetensors({}, "f"); }), {"f: has 0 bytes"}));
}

TEST_F(Safetensors, RefusesWhatItCannotWrite) {
  const Tensor one = Tensor::ones({1});
  const auto refused = [&](const Tensors& tensors, const std::map<std::string, std::string>& metadata = {}) {
    return support::error_of([&] { save_safetensors(path("a.safetensors"), tensors, metadata); });
  };
  EXPECT_TRUE(has(refused({{"__metadata__", one}}), {"a.safetensors: '__metadata__' cannot be"}));
  EXPECT_TRUE(has(refused({{"a\xff", one}}), {"'a\\xff' is not UTF-8"}));
  EXPECT_TRUE(has(refused({{"a", Tensor()}}), {"the tensor 'a' is undefined"}));
  EXPECT_TRUE(has(refused({}, {{"feral.crc32", ""}}), {"'feral.crc32' is for feral's own use"}));
  EXPECT_TRUE(has(refused({}, {{"a", "\xff"}}), {"'\\xff' is not UTF-8"}));
  EXPECT_TRUE(
      has(support::error_of([&] { save_safetensors(path("no/such/a"), {}); }), {"no/such/a: cannot create"}));
  EXPECT_TRUE(support::names_in(folder()).empty());
}

TEST_F(Safetensors, AFullDiskLeavesTheOldFileAndNothingElse) {
  save_safetensors(path("a.safetensors"), {{"w", tensor_of(DType::float32, {2})}});
  const Bytes before = read_bytes(path("a.safetensors"));
  // The limit is a process's, so another one meets it.
  const Tensor large = Tensor::zeros({100'000});
  support::Forked limited([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string message = support::error_of([&] { save_safetensors(path("a.safetensors"), {{"w", large}}); });
    return message.ends_with("a.safetensors: cannot write the file: File too large") ? 0 : 1;
  });
  EXPECT_EQ(limited.wait(), 0);
  EXPECT_EQ(read_bytes(path("a.safetensors")), before);
  EXPECT_EQ(support::names_in(folder()), std::set<std::string>{"a.safetensors"});
}

TEST_F(Safetensors, AMappedTensorOutlivesItsFileAndNeverChangesIt) {
  save_safetensors(path("a.safetensors"), {{"w", tensor_of(DType::float32, {2, 3})}});
  const Bytes before = read_bytes(path("a.safetensors"));
  const Tensor mapped = map_safetensors(path("a.safetensors")).tensors.at("w");
  mapped.data<float>()[0] = 17;
  EXPECT_EQ(read_bytes(path("a.safetensors")), before);
  fs::remove(path("a.safetensors"));
  EXPECT_EQ(mapped.data<float>()[0], 17);
  EXPECT_EQ(mapped.data<float>()[1], -2.5F);
}

}  // namespace
}  // namespace feral
