#include "data/digits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace feral::data {
namespace {

constexpr std::size_t image_bytes = digit_rows * digit_columns;

std::span<const std::uint8_t> image(const LabelledImages& set, std::size_t index) {
  return set.images.span().subspan(index * image_bytes, image_bytes);
}

// FNV-1a, 64 bits.
std::uint64_t hash(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const std::uint8_t byte : bytes) value = (value ^ byte) * 0x100000001b3;
  return value;
}

TEST(Digits, HaveTheAnnouncedShape) {
  const LabelledImages set = generate_digits(37, 1);
  EXPECT_EQ(set.count, 37);
  EXPECT_EQ(set.rows, 28);
  EXPECT_EQ(set.columns, 28);
  EXPECT_EQ(set.images.size(), 37 * image_bytes);
  EXPECT_EQ(set.labels.size(), 37U);
}

TEST(Digits, AreTheSameOnEveryMachine) {
  // Pinned: results that people quote for a seed must not move when the code or the compiler does.
  const LabelledImages set = generate_digits(100, 1);
  EXPECT_EQ(hash(set.images.span()), 0xafcaaaed848ce39aULL);
  EXPECT_EQ(hash(set.labels), 0x86dce4981931b1c7ULL);
  EXPECT_EQ(std::vector<std::uint8_t>(set.labels.begin(), set.labels.begin() + 10),
            (std::vector<std::uint8_t>{1, 0, 5, 7, 4, 8, 6, 2, 9, 3}));
}

TEST(Digits, DoNotDependOnTheCount) {
  const LabelledImages few = generate_digits(13, 5);
  const LabelledImages many = generate_digits(200, 5);
  EXPECT_TRUE(std::equal(few.images.begin(), few.images.end(), many.images.begin()));
  EXPECT_TRUE(std::equal(few.labels.begin(), few.labels.end(), many.labels.begin()));
}

TEST(Digits, DependOnTheSeed) {
  std::set<std::uint64_t> images;
  std::set<std::uint64_t> labels;
  const std::vector<std::uint64_t> seeds = {0, 1, 2, 3, std::numeric_limits<std::uint64_t>::max()};
  for (const std::uint64_t seed : seeds) {
    const LabelledImages set = generate_digits(50, seed);
    images.insert(hash(set.images.span()));
    labels.insert(hash(set.labels));
  }
  EXPECT_EQ(images.size(), seeds.size());
  EXPECT_EQ(labels.size(), seeds.size());
}

TEST(Digits, ShowEveryClassOnceInEachTen) {
  const LabelledImages set = generate_digits(1000, 3);
  std::set<std::vector<std::uint8_t>> orders;
  for (auto ten = set.labels.begin(); ten != set.labels.end(); ten += 10) {
    std::vector<std::uint8_t> labels(ten, ten + 10);
    orders.insert(labels);
    std::sort(labels.begin(), labels.end());
    EXPECT_EQ(labels, (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
  EXPECT_GT(orders.size(), 95U) << "the order within ten is shuffled anew";
}

TEST(Digits, DifferFromEachOther) {
  const LabelledImages train = generate_digits(2000, 1);
  const LabelledImages test = generate_digits(2000, 2);
  std::set<std::uint64_t> hashes;
  for (std::size_t i = 0; i < 2000; ++i) {
    hashes.insert(hash(image(train, i)));
    hashes.insert(hash(image(test, i)));
  }
  EXPECT_EQ(hashes.size(), 4000U);
}

TEST(Digits, SpanTheRangeOnADarkBackground) {
  const LabelledImages set = generate_digits(500, 4);
  const auto [darkest, brightest] = std::minmax_element(set.images.begin(), set.images.end());
  EXPECT_EQ(*darkest, 0);
  EXPECT_EQ(*brightest, 255);
  for (std::size_t i = 0; i < 500; ++i) {
    const auto pixels = image(set, i);
    const auto ink = std::count_if(pixels.begin(), pixels.end(), [](std::uint8_t pixel) { return pixel > 100; });
    EXPECT_GE(ink, 15) << "image " << i << " shows a digit";
    EXPECT_LE(ink, 300) << "image " << i << " is mostly background";
  }
}

TEST(Digits, AreFarMoreLikeTheirOwnClassThanChance) {
  // The nearest of ten mean images already tells most digits apart, and is far from telling all: there is
  // something to learn.
  const LabelledImages train = generate_digits(4000, 1);
  const LabelledImages test = generate_digits(1000, 2);
  std::array<std::vector<std::int64_t>, label_classes> means;
  for (auto& mean : means) mean.resize(image_bytes);
  for (std::size_t i = 0; i < 4000; ++i) {
    const auto pixels = image(train, i);
    for (std::size_t k = 0; k < image_bytes; ++k) means[train.labels[i]][k] += pixels[k];
  }
  int right = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    std::size_t nearest = 0;
    for (std::size_t label = 0; label < means.size(); ++label) {
      std::int64_t distance = 0;
      for (std::size_t k = 0; k < image_bytes; ++k) {
        const std::int64_t difference = image(test, i)[k] - means[label][k] / 400;
        distance += difference * difference;
      }
      if (distance < least) {
        least = distance;
        nearest = label;
      }
    }
    if (nearest == test.labels[i]) ++right;
  }
  EXPECT_GT(right, 600);
  EXPECT_LT(right, 950);
}

TEST(Digits, RefuseACountOutOfRange) {
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
                                   max_generated_digits + 1, std::numeric_limits<std::int64_t>::max()}) {
    try {
      generate_digits(count, 1);
      ADD_FAILURE() << count << " was taken";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("count is " + std::to_string(count)), std::string::npos) << message;
      EXPECT_NE(message.find("1 to 10000000"), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace feral::data
