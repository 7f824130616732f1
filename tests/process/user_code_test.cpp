// Jobs whose own functions fail.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::has;
using support::Program;

class UserCode : public support::JobTest {
 protected:
  // The job in that mode, with a report and up to three replacements.
  std::unique_ptr<Program> job(const std::string& name, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--report", path("report.json"), "--max-restarts", "3"});
    return std::make_unique<Program>(support::wayward_job, more, mode(name));
  }
  void expect_finished(Program& program) const {
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    EXPECT_EQ(report().at("samples_seen_per_epoch"), std::vector<int>(3, 1000));
    EXPECT_TRUE(program.processes().empty());
  }
};

TEST_F(UserCode, AModelThatThrowsIsAnErrorInItsOwnWords) {
  expect_failed(*job("model throws"), 2, {"weights.bin: no such file; download it"});
}

TEST_F(UserCode, AnErrorOfSeveralLinesIsShownInOne) {
  expect_failed(*job("model throws lines"), 2, {"weights.bin: no such file;", "download it"});
}

TEST_F(UserCode, OtherExceptionsAreErrorsToo) {
  expect_failed(*job("model throws another exception"), 2, {"unexpected exception: surprise"});
  expect_failed(*job("data throws another exception"), 2, {"loader 0", "unexpected exception: surprise"});
}

TEST_F(UserCode, AModelThatThrowsWhatIsNoExceptionIsADeath) {
  expect_failed(*job("model throws a number"), 1, {"evaluator", "SIGABRT"});
}

TEST_F(UserCode, AJobWithoutAModelSaysSo) {
  expect_failed(*job("no model"), 2, {"model"});
  expect_failed(*job("model is nothing"), 2, {"model", "returned nothing"});
  expect_failed(*job("model is empty"), 2, {"no parameters"});
}

TEST_F(UserCode, AModelThatCrashesWhileItIsBuiltNamesTheEvaluatorAndTheSignal) {
  expect_failed(*job("model segfaults"), 1, {"evaluator", "SIGSEGV", "built the model"});
}

TEST_F(UserCode, AModelThatLeavesWhileItIsBuiltIsADeath) {
  expect_failed(*job("model exits"), 1, {"evaluator", "exited with code 0"});
}

TEST_F(UserCode, AStepThatCrashesAtEveryBatchIsGivenUpWithTheReason) {
  const auto program = job("step segfaults");
  expect_failed(*program, 1, {"gave up", "worker", "SIGSEGV", "--max-restarts 3"});
  EXPECT_TRUE(has(program->output(), {"killed by SIGSEGV; replacing it"}));
}

TEST_F(UserCode, WithoutReplacementsTheFirstDeathEndsTheJob) {
  Program program(support::wayward_job, {"--max-restarts", "0"}, mode("step segfaults"));
  expect_failed(program, 1, {"gave up", "after 0 restarts"});
  EXPECT_EQ(program.output().find("replacing"), std::string::npos);
}

TEST_F(UserCode, AStepThatCrashesOnceIsRedone) {
  const auto program = job("step segfaults once");
  expect_finished(*program);
  EXPECT_EQ(report().at("worker_restarts"), 1);
  EXPECT_EQ(report().at("batches_redone"), 1);
}

TEST_F(UserCode, AStepThatLeavesIsADeath) {
  expect_failed(*job("step exits"), 1, {"gave up", "worker", "exited with code 0"});
}

TEST_F(UserCode, AStepThatLeavesOnceIsRedone) {
  const auto program = job("step exits once");
  expect_finished(*program);
  EXPECT_EQ(report().at("worker_restarts"), 1);
  EXPECT_EQ(report().at("batches_redone"), 1);
}

TEST_F(UserCode, AStepThatThrowsIsAnErrorThatNamesTheWorker) {
  expect_failed(*job("step throws"), 2, {"worker ", "step: the batch is wrong; look at it"});
}

TEST_F(UserCode, DataThatThrowsIsAnErrorThatNamesTheLoader) {
  expect_failed(*job("data throws"), 2, {"loader 0", "sample 17: cannot be read; mend the file"});
}

TEST_F(UserCode, DataThatCrashesAtASampleIsGivenUpWithTheReason) {
  // Workers and evaluator never look at that sample of the training data before they have a batch.
  expect_failed(*job("data segfaults", {"--workers", "1"}), 1, {"gave up", "SIGSEGV"});
}

TEST_F(UserCode, DataThatCrashesOnceIsLoadedAgain) {
  const auto program = job("data segfaults once");
  expect_finished(*program);
  EXPECT_EQ(report().at("loader_restarts"), 1);
  EXPECT_EQ(report().at("batches_redone"), 0);
}

TEST_F(UserCode, AnEvaluatorThatLeavesIsReplacedAndTheAccuracyIsStillMeasured) {
  const auto program = job("metric exits once");
  expect_finished(*program);
  EXPECT_TRUE(has(program->output(), {"evaluator", "exited with code 0", "replacing it"}));
  EXPECT_EQ(report().at("test_accuracy"), 1.0);
}

TEST_F(UserCode, DataThatCannotBeTrainedOnIsAnError) {
  expect_failed(*job("data is empty"), 2, {"empty"});
  expect_failed(*job("many fields"), 2, {"5003 fields"});
  expect_failed(*job("samples overflow"), 2, {"memory"});
}

TEST_F(UserCode, ABatchThatTakesMoreThanTheMemoryIsAnErrorWithTheNumbers) {
  expect_failed(*job("samples are huge"), 2, {"memory: the job needs", "TiB", "allows", "--batch"});
}

TEST_F(UserCode, LinesOfChildrenArriveWholeAndWithTheirName) {
  const auto program = job("step chats");
  expect_finished(*program);
  std::vector<int> lines(2, 0);
  for (const std::string& line : support::lines_of(program->output())) {
    if (line.find("line") == std::string::npos && line.find("pieces") == std::string::npos) continue;
    const bool first = line.starts_with("[worker 0] a line that comes in pieces ");
    const bool second = line.starts_with("[worker 1] a line that comes in pieces ");
    EXPECT_TRUE((first || second) && line.ends_with(".")) << line;
    ++lines[second ? 1 : 0];
  }
  EXPECT_EQ(lines[0] + lines[1], 2 * 300);
}

TEST_F(UserCode, AnErrorWithoutAWordIsStillAnError) {
  Program program(support::wayward_job, {}, mode("model throws without a word"));
  EXPECT_EQ(program.exit_code(), 2) << program.output() << program.errors();
  EXPECT_EQ(program.errors(), "feral: error: \n");
}

TEST_F(UserCode, AnEmptySetToTestOnIsFoundBeforeTraining) {
  Program program(support::wayward_job, {"--report", path("report.json")}, mode("test data is empty"));
  expect_failed(program, 2, {"to test on is empty", "Job::test_data"});
}

TEST_F(UserCode, ATargetAccuracyNeedsDataToTestOn) {
  Program program(support::wayward_job, {"--target-accuracy", "0.5"}, mode("no test data"));
  expect_failed(program, 2, {"--target-accuracy 0.5", "no data to test on"});
}

}  // namespace
}  // namespace feral
