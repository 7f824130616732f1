#include "data/idx.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace feral::data {
namespace {

namespace fs = std::filesystem;

using Bytes = std::vector<std::uint8_t>;
using support::has;

class Idx : public testing::Test {
 protected:
  fs::path write(const std::string& name, const Bytes& bytes) const {
    fs::path path = folder_.path() / name;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    EXPECT_TRUE(file) << path;
    return path;
  }
  const fs::path& folder() const { return folder_.path(); }

 private:
  support::TemporaryFolder folder_;
};

Bytes header(std::uint8_t type, const std::vector<std::uint32_t>& sizes) {
  Bytes bytes = {0, 0, type, static_cast<std::uint8_t>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  return bytes;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// A pattern that compresses to both literals and matches.
Bytes elements(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i % 7 == 0 ? i * i : i / 11);
  return bytes;
}

Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(deflateBound(&stream, static_cast<uLong>(bytes.size())) + 32);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(stream.total_out), out.end());
  deflateEnd(&stream);
  return out;
}

// The error that reading `path` ends with; empty when it succeeds. Every message is one line that names the file.
std::string error_of(const fs::path& path) {
  std::string message = support::error_of([&] { read_idx(path); });
  if (!message.empty()) {
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
  }
  return message;
}

Bytes small_file() { return header(0x08, {5, 4, 3}) + elements(60); }

TEST_F(Idx, ReadsOneToFourDimensionsPlainAndCompressed) {
  const std::vector<std::vector<std::uint32_t>> shapes = {{60}, {1}, {12, 5}, {5, 4, 3}, {2, 5, 3, 2}};
  for (const auto& shape : shapes) {
    std::size_t count = 1;
    for (const std::uint32_t size : shape) count *= size;
    const Bytes content = header(0x08, shape) + elements(count);
    for (const Bytes& file : {content, gzip(content)}) {
      const IdxArray array = read_idx(write("array", file));
      EXPECT_EQ(array.shape, std::vector<std::int64_t>(shape.begin(), shape.end()));
      EXPECT_EQ(array.bytes, elements(count));
    }
  }
}

TEST_F(Idx, ReadsSizesAsBigEndian) {
  const IdxArray array = read_idx(write("array", header(0x08, {0x010203, 1}) + elements(0x010203)));
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{0x010203, 1}));
}

TEST_F(Idx, RecognizesGzipByItsBytesNotItsName) {
  EXPECT_EQ(read_idx(write("plain.gz", small_file())).bytes, elements(60));
  EXPECT_EQ(read_idx(write("compressed", gzip(small_file()))).bytes, elements(60));
}

TEST_F(Idx, ReadsDataLargerThanEveryBuffer) {
  const std::uint32_t size = 3'000'001;
  const Bytes content = header(0x08, {size}) + elements(size);
  EXPECT_EQ(read_idx(write("plain", content)).bytes, elements(size));
  EXPECT_EQ(read_idx(write("compressed", gzip(content))).bytes, elements(size));
}

TEST_F(Idx, ReadsDataLargerThanTheFirstReservation) {
  const std::uint32_t size = 70'000'000;
  const Bytes content = header(0x08, {size}) + Bytes(size, 7);
  const IdxArray array = read_idx(write("compressed", gzip(content)));
  EXPECT_EQ(array.bytes, Bytes(size, 7));
  EXPECT_EQ(array.bytes.capacity(), size) << "no memory beyond the data is kept";
}

TEST_F(Idx, ReadsConcatenatedGzipMembersWhereverTheyAreCut) {
  const Bytes content = small_file();
  for (std::size_t cut = 0; cut <= content.size(); ++cut) {
    const auto middle = content.begin() + static_cast<std::ptrdiff_t>(cut);
    const Bytes file = gzip(Bytes(content.begin(), middle)) + gzip(Bytes(middle, content.end()));
    EXPECT_EQ(read_idx(write("members", file)).bytes, elements(60)) << "cut at " << cut;
  }
}

TEST_F(Idx, OpenedOneMapsPlainBytesAndReadsCompressedOnesLater) {
  const IdxView plain = open_idx(write("plain", small_file()));
  EXPECT_EQ(plain.bytes.bytes_to_come(), 0U);
  EXPECT_EQ(plain.bytes, elements(60));
  const IdxView compressed = open_idx(write("compressed", gzip(small_file())));
  EXPECT_EQ(compressed.shape, plain.shape);
  EXPECT_EQ(compressed.bytes.bytes_to_come(), 60U);
  EXPECT_EQ(compressed.bytes, elements(60));
}

TEST_F(Idx, OpenedOneSaysWhatIsWrongWhenItIsSeen) {
  const Bytes whole = small_file();
  const Bytes cut(whole.begin(), whole.end() - 1);
  EXPECT_TRUE(has(support::error_of([&] { open_idx(write("cut", cut)); }), {"truncated"})) << "a plain one at once";
  const IdxView compressed = open_idx(write("cut.gz", gzip(cut)));
  EXPECT_TRUE(has(support::error_of([&] { compressed.bytes.data(); }), {"cut.gz", "truncated"}));
  const IdxView changed = open_idx(write("changed.gz", gzip(whole)));
  write("changed.gz", gzip(header(0x08, {60, 1}) + elements(60)));
  EXPECT_TRUE(has(support::error_of([&] { changed.bytes.data(); }), {"changed.gz", "another file"}));
}

TEST_F(Idx, RefusesWhatIsNoReadableFile) {
  EXPECT_TRUE(has(error_of(folder() / "absent"), {"cannot open", "No such file"}));
  EXPECT_TRUE(has(error_of(folder()), {"is a directory", "expected an IDX file"}));
  const fs::path loop = folder() / "loop";
  fs::create_symlink(loop, loop);
  EXPECT_TRUE(has(error_of(loop), {"cannot open", "symbolic links"}));
  const fs::path fifo = folder() / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_TRUE(has(error_of(fifo), {"not a regular file"}));
}

TEST_F(Idx, RefusesAFileWithoutPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const fs::path path = write("secret", small_file());
  fs::permissions(path, fs::perms::none);
  EXPECT_TRUE(has(error_of(path), {"cannot open", "Permission denied"}));
}

TEST_F(Idx, RefusesAnEmptyFile) {
  EXPECT_TRUE(has(error_of(write("empty", {})), {"holds no bytes", "expected an IDX file"}));
  EXPECT_TRUE(has(error_of(write("empty.gz", gzip({}))), {"holds no bytes", "expected an IDX file"}));
}

TEST_F(Idx, RefusesAWrongMagicAndShowsIt) {
  EXPECT_TRUE(has(error_of(write("page", {'<', '!', 'D', 'O', 'C'})), {"3c 21 44 4f", "expected 00 00 08"}));
  EXPECT_TRUE(has(error_of(write("zip", {'P', 'K', 3, 4, 5, 6})), {"50 4b 03 04", "expected 00 00 08"}));
  EXPECT_TRUE(has(error_of(write("one", {0, 1, 8, 1, 0, 0, 0, 1, 9})), {"00 01 08 01", "expected 00 00 08"}));
}

TEST_F(Idx, RefusesOtherElementTypesByName) {
  EXPECT_TRUE(has(error_of(write("float", header(0x0d, {1}) + Bytes(4))), {"0x0d (32-bit float)", "0x08"}));
  EXPECT_TRUE(has(error_of(write("int", header(0x0c, {1}) + Bytes(4))), {"0x0c (32-bit integer)", "0x08"}));
  for (int type = 0; type < 256; ++type) {
    const fs::path path = write("type", header(static_cast<std::uint8_t>(type), {1}) + Bytes(1));
    if (type == 0x08) {
      EXPECT_EQ(error_of(path), "");
    } else {
      EXPECT_TRUE(has(error_of(path), {"type 0x", "expected 0x08 (unsigned byte)"}));
    }
  }
}

TEST_F(Idx, RefusesZeroAndMoreThanFourDimensions) {
  EXPECT_TRUE(has(error_of(write("none", header(0x08, {}) + Bytes(9))), {"has 0 dimensions", "1 to 4"}));
  EXPECT_TRUE(has(error_of(write("five", header(0x08, {1, 1, 1, 1, 1}) + Bytes(1))), {"has 5 dim", "1 to 4"}));
  EXPECT_TRUE(has(error_of(write("many", {0, 0, 8, 255, 0, 0})), {"has 255 dimensions", "1 to 4"}));
}

TEST_F(Idx, RefusesADimensionOfSizeZero) {
  EXPECT_TRUE(has(error_of(write("zero", header(0x08, {0}))), {"dimension 1 of 1", "size 0", "at least 1"}));
  EXPECT_TRUE(has(error_of(write("last", header(0x08, {3, 0}))), {"dimension 2 of 2", "size 0"}));
}

TEST_F(Idx, RefusesSizesWhoseProductOverflows) {
  const std::uint32_t half = 0x80000000;
  for (const Bytes& content :
       {header(0x08, {half, half, half}) + Bytes(8), header(0x08, {half, half, 2}) + Bytes(8),
        header(0x08, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff})}) {
    EXPECT_TRUE(has(error_of(write("huge", content)), {"header announces", "x", "64-bit"}));
    EXPECT_TRUE(has(error_of(write("huge.gz", gzip(content))), {"header announces", "x", "64-bit"}));
  }
}

TEST_F(Idx, RefusesHugeSizesWithoutAllocatingForThem) {
  // 2^31, 2^62 and 2^63 - 1 bytes announced and 5 present: were they allocated, the test would not end well.
  const std::uint32_t half = 0x80000000;
  EXPECT_TRUE(
      has(error_of(write("huge", header(0x08, {half}) + Bytes(5))), {"truncated", "5 bytes follow", "2147483648"}));
  EXPECT_TRUE(has(error_of(write("huge", header(0x08, {half, half}) + Bytes(5))),
                  {"truncated", "5 bytes follow", "2147483648x2147483648 = 4611686018427387904"}));
  EXPECT_TRUE(has(error_of(write("huge", gzip(header(0x08, {half, half}) + Bytes(5)))),
                  {"truncated", "5 bytes follow", "4611686018427387904"}));
  EXPECT_TRUE(has(error_of(write("huge", header(0x08, {7 * 7 * 73 * 127, 337 * 92737, 649657}) + Bytes(5))),
                  {"truncated", "5 bytes follow", "9223372036854775807"}));
}

TEST_F(Idx, RefusesAPlainFileCutAtAnyByte) {
  const Bytes content = small_file();
  for (std::size_t size = 0; size < content.size(); ++size) {
    const std::string message =
        error_of(write("cut", Bytes(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size))));
    if (size == 0) {
      EXPECT_TRUE(has(message, {"holds no bytes"})) << size;
    } else if (size < 4) {
      EXPECT_TRUE(has(message, {"ends after " + std::to_string(size), "expected the 4 bytes"})) << size;
    } else if (size < 16) {
      EXPECT_TRUE(has(message, {"ends after " + std::to_string(size), "expected 16 for 3 dimensions"})) << size;
    } else {
      EXPECT_TRUE(has(message, {"truncated", std::to_string(size - 16) + " bytes follow", "5x4x3 = 60", "again"}))
          << size;
    }
  }
}

TEST_F(Idx, RefusesACompressedFileCutAtAnyByte) {
  const Bytes file = gzip(small_file());
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::string message =
        error_of(write("cut.gz", Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))));
    if (size >= 2) {
      EXPECT_TRUE(has(message, {"gzip", "cut off after " + std::to_string(size) + " bytes", "again"})) << size;
    } else {
      EXPECT_TRUE(has(message, {size == 0 ? "holds no bytes" : "ends after 1 bytes"})) << size;
    }
  }
}

TEST_F(Idx, RefusesTooFewElementsInAnIntactGzipStream) {
  Bytes content = small_file();
  content.pop_back();
  EXPECT_TRUE(has(error_of(write("few.gz", gzip(content))), {"truncated", "59 bytes follow", "5x4x3 = 60"}));
}

TEST_F(Idx, RefusesTrailingBytes) {
  const Bytes content = small_file() + Bytes{1};
  EXPECT_TRUE(has(error_of(write("more", content)), {"trailing bytes", "5x4x3 = 60"}));
  EXPECT_TRUE(has(error_of(write("more.gz", gzip(content))), {"trailing bytes", "5x4x3 = 60"}));
  EXPECT_TRUE(has(error_of(write("two.gz", gzip(small_file()) + gzip({1}))), {"trailing bytes", "5x4x3 = 60"}));
}

TEST_F(Idx, RefusesOtherBytesAfterTheGzipStream) {
  const Bytes file = gzip(small_file());
  const std::string place = "at byte " + std::to_string(file.size());
  for (const Bytes& garbage : {Bytes{0}, Bytes{0x1f}, Bytes{'x', 'y'}, Bytes{0x1f, 0x8c, 8, 0}, Bytes(1000)}) {
    EXPECT_TRUE(has(error_of(write("garbage.gz", file + garbage)), {"follow the end of the gzip stream", place}));
  }
  EXPECT_TRUE(has(error_of(write("garbage.gz", file + Bytes{0x1f, 0x8b})), {"cut off"}));
}

TEST_F(Idx, RefusesACompressedFileWhoseChecksumDisagrees) {
  Bytes file = gzip(small_file());
  file[file.size() - 8] ^= 1;  // the CRC
  EXPECT_TRUE(has(error_of(write("crc.gz", file)), {"damaged", "incorrect data check", "again"}));
  file[file.size() - 8] ^= 1;
  file[file.size() - 4] ^= 1;  // the length
  EXPECT_TRUE(has(error_of(write("length.gz", file)), {"damaged", "incorrect length check"}));
}

TEST_F(Idx, AFlippedBitIsAnErrorOrHarmless) {
  const Bytes file = gzip(small_file());
  int harmless = 0;
  for (std::size_t byte = 0; byte < file.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = file;
      flipped[byte] = static_cast<std::uint8_t>(flipped[byte] ^ 1 << bit);
      const fs::path path = write("flipped.gz", flipped);
      if (!error_of(path).empty()) continue;
      EXPECT_EQ(read_idx(path).bytes, elements(60)) << "byte " << byte << ", bit " << bit;
      ++harmless;
    }
  }
  // Only the 7 header bytes without meaning for the data may change unnoticed: time (4), flags, level and system.
  EXPECT_LE(harmless, 7 * 8);
}

TEST_F(Idx, AFlippedBitInAPlainHeaderIsAnError) {
  const Bytes content = small_file();
  for (std::size_t byte = 0; byte < 16; ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = content;
      flipped[byte] = static_cast<std::uint8_t>(flipped[byte] ^ 1 << bit);
      EXPECT_NE(error_of(write("flipped", flipped)), "") << "byte " << byte << ", bit " << bit;
    }
  }
}

}  // namespace
}  // namespace feral::data
