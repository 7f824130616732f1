#include "shm/arena.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "shm/memfd.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/messages.hpp"

namespace feral::shm {
namespace {

using support::error_of;
using support::has;

// Where the header's words stand: magic, version and count of regions, size, checksum, then 56 bytes a region.
constexpr std::size_t magic_at = 0;
constexpr std::size_t version_at = 8;
constexpr std::size_t count_at = 12;
constexpr std::size_t size_at = 16;
constexpr std::size_t checksum_at = 24;
constexpr std::size_t entry_bytes = 56;
constexpr std::size_t first_entry_at = 32;
constexpr std::size_t offset_in_entry = 40;
constexpr std::size_t size_in_entry = 48;
constexpr std::size_t header_bytes = first_entry_at + 32 * entry_bytes;

std::uint64_t checksum_of(std::span<const std::byte> header) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= checksum_at && i < checksum_at + 8;
    hash = (hash ^ (own ? 0U : std::to_integer<std::uint64_t>(header[i]))) * 0x100000001b3ULL;
  }
  return hash;
}

class ArenaInMemfd : public testing::Test {
 protected:
  ArenaInMemfd() : memfd_(create_memfd("feral-test")) {
    plan_.add("numbers", 1000);
    plan_.add("nothing", 0);
    plan_.add("word", sizeof(std::uint64_t));
    set_size_and_seal(memfd_.get(), plan_.total_bytes());
  }

  // The header's bytes, for a test to spoil.
  std::vector<std::byte> header() const {
    std::vector<std::byte> bytes(header_bytes);
    EXPECT_EQ(::pread(memfd_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }
  void put(const std::vector<std::byte>& bytes) const {
    ASSERT_EQ(::pwrite(memfd_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  std::string attach_error() const {
    return error_of([&] { Arena::attach(memfd_.get()); });
  }

  ArenaPlan plan_;
  Fd memfd_;
};

TEST(ArenaPlan, RegionsStandApartAndInOrder) {
  ArenaPlan plan;
  plan.add("a", 1);
  plan.add("b", 129);
  plan.add("c", 0);
  std::size_t end = header_bytes;
  for (const Region& region : plan.regions()) {
    EXPECT_EQ(region.offset_bytes % control_line_bytes, 0U) << region.name;
    EXPECT_GE(region.offset_bytes, end) << region.name;
    end = region.offset_bytes + region.size_bytes;
  }
  EXPECT_GE(plan.total_bytes(), end);
}

TEST(ArenaPlan, RefusesWhatCannotBeLaidOut) {
  ArenaPlan plan;
  plan.add("a", 1);
  EXPECT_TRUE(has(error_of([&] { plan.add("a", 1); }), {"'a'", "twice"}));
  EXPECT_TRUE(has(error_of([&] { plan.add("", 1); }), {"empty or too long"}));
  EXPECT_TRUE(has(error_of([&] { plan.add(std::string(40, 'x'), 1); }), {"empty or too long"}));
  EXPECT_TRUE(has(error_of([&] { plan.add("b", std::numeric_limits<std::size_t>::max() - 64); }), {"overflow"}));
  plan.add(std::string(39, 'x'), 1);
  for (int i = 2; i < 32; ++i) plan.add(std::to_string(i), 1);
  EXPECT_TRUE(has(error_of([&] { plan.add("one more", 1); }), {"more than 32 regions"}));
}

TEST_F(ArenaInMemfd, StartsWithZeroBytes) {
  const Arena arena = Arena::create(memfd_.get(), plan_);
  const std::span<std::byte> numbers = arena.region("numbers");
  EXPECT_EQ(numbers.size(), 1000U);
  EXPECT_TRUE(std::ranges::all_of(numbers, [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_EQ(arena.region("nothing").size(), 0U);
  EXPECT_EQ(arena.size_bytes(), plan_.total_bytes());
}

TEST_F(ArenaInMemfd, ASecondMappingSeesTheSameBytes) {
  const Arena first = Arena::create(memfd_.get(), plan_);
  const Arena second = Arena::attach(memfd_.get());
  EXPECT_NE(first.region("numbers").data(), second.region("numbers").data());
  for (std::size_t i = 0; i < 1000; ++i) first.region("numbers")[i] = static_cast<std::byte>(i * 7);
  first.object<std::uint64_t>("word") = 0x0123'4567'89ab'cdefULL;
  EXPECT_TRUE(std::ranges::equal(first.region("numbers"), second.region("numbers")));
  EXPECT_EQ(second.object<std::uint64_t>("word"), 0x0123'4567'89ab'cdefULL);
}

TEST_F(ArenaInMemfd, AnotherProcessReadsAndWritesIt) {
  const Arena arena = Arena::create(memfd_.get(), plan_);
  arena.object<std::uint64_t>("word") = 41;
  support::Forked child([&] {
    const Arena attached = Arena::attach(memfd_.get());
    auto& word = attached.object<std::uint64_t>("word");
    if (word != 41) return 1;
    word = 42;
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(arena.object<std::uint64_t>("word"), 42U);
}

TEST_F(ArenaInMemfd, UnknownRegionsAndWrongSizesAreErrors) {
  const Arena arena = Arena::create(memfd_.get(), plan_);
  EXPECT_TRUE(has(error_of([&] { arena.region("absent"); }), {"no region 'absent'"}));
  EXPECT_TRUE(has(error_of([&] { arena.object<std::uint32_t>("word"); }), {"'word'", "8 bytes", "expected 4"}));
}

TEST_F(ArenaInMemfd, MemoryOfAnotherSizeThanThePlanIsRefused) {
  plan_.add("more", 1000);
  EXPECT_TRUE(has(error_of([&] { Arena::create(memfd_.get(), plan_); }), {"the memory has", "the plan"}));
}

TEST_F(ArenaInMemfd, UnsealedMemoryIsRefused) {
  const Fd unsealed = create_memfd("feral-test");
  ASSERT_EQ(::ftruncate(unsealed.get(), static_cast<off_t>(plan_.total_bytes())), 0);
  EXPECT_TRUE(has(error_of([&] { Arena::create(unsealed.get(), plan_); }), {"sealed"}));
  EXPECT_TRUE(has(error_of([&] { Arena::attach(unsealed.get()); }), {"sealed"}));
}

TEST_F(ArenaInMemfd, MemoryThatWasNeverLaidDownIsRefused) { EXPECT_TRUE(has(attach_error(), {"no feral arena"})); }

TEST_F(ArenaInMemfd, ATruncatedArenaIsRefused) {
  Arena::create(memfd_.get(), plan_);
  std::vector<std::byte> all(plan_.total_bytes());
  ASSERT_EQ(::pread(memfd_.get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, header_bytes - 1, header_bytes, all.size() - 1}) {
    const Fd shorter = create_memfd("feral-test");
    set_size_and_seal(shorter.get(), size);
    ASSERT_EQ(::pwrite(shorter.get(), all.data(), size, 0), static_cast<ssize_t>(size));
    const std::string message = error_of([&] { Arena::attach(shorter.get()); });
    EXPECT_TRUE(has(message, {size < header_bytes ? "too few for a header" : "it says"})) << size;
  }
}

TEST_F(ArenaInMemfd, EveryFlippedBitOfTheHeaderIsNoticed) {
  Arena::create(memfd_.get(), plan_);
  const std::vector<std::byte> good = header();
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::vector<std::byte> bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    put(bad);
    ASSERT_FALSE(attach_error().empty()) << "bit " << bit;
  }
  put(good);
  EXPECT_EQ(attach_error(), "");
}

// Headers that are wrong although their checksum is right.
TEST_F(ArenaInMemfd, EveryFieldIsCheckedForItself) {
  Arena::create(memfd_.get(), plan_);
  const std::vector<std::byte> good = header();
  const std::size_t second = first_entry_at + entry_bytes;
  struct Spoiled {
    const char* what;
    std::size_t at;
    std::uint64_t value;
    std::size_t bytes;
    const char* message;
  };
  constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max() - 127;
  const Spoiled cases[] = {
      {"magic", magic_at, 0x1234, 8, "no feral arena (magic 0x1234)"},
      {"newer version", version_at, 2, 4, "version 2"},
      {"version 0", version_at, 0, 4, "version 0"},
      {"size below", size_at, plan_.total_bytes() - 128, 8, "it says"},
      {"size above", size_at, plan_.total_bytes() + 128, 8, "it says"},
      {"count of regions", count_at, 33, 4, "33 regions"},
      {"huge count of regions", count_at, 0xffff'ffff, 4, "4294967295 regions"},
      {"checksum", checksum_at, 0, 8, "checksum"},
      {"region in the header", first_entry_at + offset_in_entry, 0, 8, "region 0 lies at 0"},
      {"region off its line", first_entry_at + offset_in_entry, plan_.regions()[0].offset_bytes + 8, 8, "region 0"},
      {"region past the end", first_entry_at + size_in_entry, plan_.total_bytes(), 8, "region 0"},
      {"size that wraps around", first_entry_at + size_in_entry, huge, 8, "region 0"},
      {"offset that wraps around", first_entry_at + offset_in_entry, huge, 8, "region 0"},
      {"region over its neighbour", second + offset_in_entry, plan_.regions()[0].offset_bytes, 8, "region 1"},
      {"region without a name", first_entry_at, 0, 1, "name does not end"},
  };
  for (const Spoiled& spoiled : cases) {
    std::vector<std::byte> bad = good;
    std::memcpy(bad.data() + spoiled.at, &spoiled.value, spoiled.bytes);
    if (spoiled.at != checksum_at) {
      const std::uint64_t checksum = checksum_of(bad);
      std::memcpy(bad.data() + checksum_at, &checksum, sizeof checksum);
    }
    put(bad);
    EXPECT_TRUE(has(attach_error(), {spoiled.message})) << spoiled.what;
  }
  std::vector<std::byte> unending = good;
  std::fill_n(unending.begin() + first_entry_at, 40, std::byte{'x'});
  const std::uint64_t checksum = checksum_of(unending);
  std::memcpy(unending.data() + checksum_at, &checksum, sizeof checksum);
  put(unending);
  EXPECT_TRUE(has(attach_error(), {"name does not end"}));
}

}  // namespace
}  // namespace feral::shm
