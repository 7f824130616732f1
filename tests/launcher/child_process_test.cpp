#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include "launcher/child_process.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace feral {
namespace {

TEST(ExitStatus, SaysHowAProcessEnded) {
  EXPECT_EQ((ExitStatus{.code = 0, .signal = SIGKILL, .resources = {}}.to_string()), "killed by SIGKILL");
  EXPECT_EQ((ExitStatus{.code = 0, .signal = SIGSEGV, .resources = {}}.to_string()), "killed by SIGSEGV");
  EXPECT_EQ((ExitStatus{.code = 3, .signal = 0, .resources = {}}.to_string()), "exited with code 3");
  EXPECT_EQ((ExitStatus{.code = 0, .signal = 64, .resources = {}}.to_string()), "killed by signal 64");
}

TEST(ExitStatus, OnlyCodeZeroWithoutASignalIsClean) {
  EXPECT_TRUE((ExitStatus{.code = 0, .signal = 0, .resources = {}}.clean()));
  EXPECT_FALSE((ExitStatus{.code = 1, .signal = 0, .resources = {}}.clean()));
  EXPECT_FALSE((ExitStatus{.code = 0, .signal = SIGTERM, .resources = {}}.clean()));
}

}  // namespace
}  // namespace feral
