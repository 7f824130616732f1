// Labelled lines of text, as fastText reads them: "__label__sports The match ended two to one".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/dataset.hpp"
#include "data/part.hpp"

namespace feral::data {

struct LabelledTextOptions {
  std::int64_t words = 64;            // of a sample; longer texts are cut, shorter ones padded
  std::int64_t vocabulary = 100'000;  // numbers that words are hashed into, the padding among them
  int word_ngrams = 1;                // 2: pairs of neighbouring words count as words, too
};

// Every line is a sample: its label is the first of its words that begins with "__label__", the other words, parted
// by spaces or tabs, are its text. Every tenth line is for testing, the others are for training. Lines without a
// word are passed over.
//
// Fields: "data" int64 [words], the words' numbers in [1, vocabulary), then 0 for padding; "target" int64 [], the
// place of the label in labels(). A word's number is its FNV-1a hash, which is the same everywhere; two words may
// share one (Weinberger et al., "Feature hashing for large scale multitask learning", 2009).
//
// Errors are feral::Error in one line that begins with the file's name, and its line where that matters.
class LabelledText : public Dataset {
 public:
  LabelledText(const std::filesystem::path& path, Part part, LabelledTextOptions options = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(samples_.size()); }
  std::vector<Field> fields() const override;
  void get(std::int64_t index, Sample& into) const override;

  // All labels of the file, of both parts, in alphabetical order, without "__label__".
  const std::vector<std::string>& labels() const noexcept { return labels_; }

 private:
  LabelledTextOptions options_;
  std::string text_;  // the whole file
  std::vector<std::string> labels_;
  std::vector<std::pair<std::string_view, std::int64_t>> samples_;  // lines in text_, and their labels
};

// labels() of the file at `path`.
std::vector<std::string> labels_of(const std::filesystem::path& path);

// The number of a word, or of a pair of words, in [1, vocabulary).
std::int64_t word_number(std::string_view word, std::int64_t vocabulary) noexcept;

}  // namespace feral::data
