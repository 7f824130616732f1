#include "data/labelled_text.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "core/fail.hpp"
#include "tensor/files.hpp"

namespace feral::data {
namespace {

constexpr std::string_view label_prefix = "__label__";
constexpr std::size_t test_every = 10;

constexpr std::uint32_t fnv_start = 2166136261U;

// Fowler, Noll and Vo's hash, FNV-1a in 32 bits, continued from `hash`.
std::uint32_t fnv1a(std::string_view bytes, std::uint32_t hash) noexcept {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  return hash;
}

std::int64_t bucket(std::uint32_t hash, std::int64_t vocabulary) noexcept {
  return 1 + static_cast<std::int64_t>(hash) % (vocabulary - 1);
}

// Takes the first word off `line`; empty at its end.
std::string_view next_word(std::string_view& line) noexcept {
  const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  line.remove_prefix(begin);
  const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(word.size());
  return word;
}

std::string whole_file(const std::filesystem::path& path) {
  const FileSource file(path, "a text file with a labelled sample a line");
  std::string text(file.size(), '\0');
  file.read(0, reinterpret_cast<std::byte*>(text.data()), text.size());
  return text;
}

// Calls function(line, its label) for every line that has a word.
template <class Function>
void for_each_line(const std::filesystem::path& path, std::string_view text, Function&& function) {
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view rest = line;
    std::string_view word = next_word(rest);
    if (word.empty()) continue;
    while (!word.empty() && !word.starts_with(label_prefix)) word = next_word(rest);
    word.remove_prefix(std::min(label_prefix.size(), word.size()));
    if (word.empty()) {
      fail("{}: line {} has no label; begin it with {}NAME", path.string(), number, label_prefix);
    }
    function(line, word);
  }
}

std::vector<std::string> sorted_labels(const std::filesystem::path& path, std::string_view text) {
  std::set<std::string, std::less<>> found;
  for_each_line(path, text, [&](std::string_view, std::string_view label) {
    if (!found.contains(label)) found.emplace(label);
  });
  if (found.empty()) fail("{}: no labelled line in it", path.string());
  return {found.begin(), found.end()};
}

}  // namespace

std::int64_t word_number(std::string_view word, std::int64_t vocabulary) noexcept {
  return bucket(fnv1a(word, fnv_start), vocabulary);
}

std::vector<std::string> labels_of(const std::filesystem::path& path) {
  return sorted_labels(path, whole_file(path));
}

LabelledText::LabelledText(const std::filesystem::path& path, Part part, LabelledTextOptions options)
    : options_(options) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (options.words < 1 || options.vocabulary < 2 || options.vocabulary > most || options.word_ngrams < 1 ||
      options.word_ngrams > 2) {
    fail("LabelledText: {} words a sample, a vocabulary of {}, n-grams of {}: expected at least 1, 2 to {}, 1 or 2",
         options.words, options.vocabulary, options.word_ngrams, most);
  }
  text_ = whole_file(path);
  labels_ = sorted_labels(path, text_);
  std::size_t count = 0;
  for_each_line(path, text_, [&](std::string_view line, std::string_view label) {
    const bool for_test = count++ % test_every == test_every - 1;
    if (for_test != (part == Part::test)) return;
    samples_.emplace_back(line, std::ranges::lower_bound(labels_, label) - labels_.begin());
  });
  if (samples_.empty()) {
    fail("{}: {} labelled lines are too few, every {}th is for testing", path.string(), count, test_every);
  }
}

std::vector<Field> LabelledText::fields() const {
  return {{"data", DType::int64, {options_.words}}, {"target", DType::int64, {}}};
}

void LabelledText::get(std::int64_t index, Sample& into) const {
  const auto& [line, label] = samples_[static_cast<std::size_t>(index)];
  const std::span<std::int64_t> numbers = into.field<std::int64_t>(0);
  std::string_view rest = line;
  std::size_t filled = 0;
  bool labelled = false;
  std::uint32_t before = 0;  // hash of the word before, 0 at the beginning
  for (std::string_view word = next_word(rest); !word.empty() && filled < numbers.size(); word = next_word(rest)) {
    if (!labelled && word.starts_with(label_prefix)) {
      labelled = true;
      continue;
    }
    const std::uint32_t hash = fnv1a(word, fnv_start);
    numbers[filled++] = bucket(hash, options_.vocabulary);
    if (options_.word_ngrams == 2 && before != 0 && filled < numbers.size()) {
      numbers[filled++] = bucket(fnv1a(word, fnv1a(" ", before)), options_.vocabulary);
    }
    before = hash;
  }
  std::ranges::fill(numbers.subspan(filled), 0);
  into.field<std::int64_t>(1)[0] = label;
}

}  // namespace feral::data
