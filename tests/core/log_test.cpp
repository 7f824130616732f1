#include "core/log.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/messages.hpp"

namespace feral {
namespace {

// What `action` writes to stderr.
template <class Action>
std::string written_by(Action&& action) {
  testing::internal::CaptureStderr();
  action();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, LinesSayWhoSpeaksAndHowBadItIs) {
  EXPECT_EQ(written_by([] { log::info("{} epochs", 3); }), "feral: 3 epochs\n");
  EXPECT_EQ(written_by([] { log::warning("slow"); }), "feral: warning: slow\n");
  EXPECT_EQ(written_by([] { log::error("no {}", "way"); }), "feral: error: no way\n");
}

TEST(Log, AMessageIsOneLineWhateverStandsInIt) {
  // File names may hold line breaks, and messages quote file names.
  EXPECT_EQ(written_by([] { log::error("{}: no such file", "a\nb\r\nc"); }),
            "feral: error: a b  c: no such file\n");
}

TEST(Log, DebugLinesAreNotWrittenUnlessAskedFor) {
  ASSERT_EQ(::getenv("FERAL_LOG"), nullptr) << "this test looks at the default";
  EXPECT_EQ(log::threshold(), log::Level::info);
  EXPECT_EQ(written_by([] { log::debug("detail"); }), "");
}

TEST(Log, LinesOfSeveralThreadsNeverMix) {
  constexpr int threads = 4;
  constexpr int lines = 500;
  const std::string all = written_by([] {
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([t] {
        for (int i = 0; i < lines; ++i) log::info("{}", std::string(200, static_cast<char>('a' + t)));
      });
    }
    for (std::thread& writer : writers) writer.join();
  });
  const std::vector<std::string> found = support::lines_of(all);
  ASSERT_EQ(found.size(), static_cast<std::size_t>(threads * lines));
  for (const std::string& line : found) {
    ASSERT_EQ(line, "feral: " + std::string(200, line.back()));
  }
}

}  // namespace
}  // namespace feral
