// Jobs that are steered while they train: the real commands on a real job.
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <set>

#include "launcher/attach.hpp"
#include "launcher/control_client.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/jobs.hpp"

namespace feral {
namespace {

using support::eventually;
using support::has;
using support::Program;

class Control : public support::JobTest {
 protected:
  // A name that no other process uses.
  static std::string name() { return "test-" + std::to_string(::getpid()); }

  // `feral train mlp --data digits …` under that name.
  std::vector<std::string> job(std::vector<std::string> more) const {
    more.insert(more.end(), {"--name", name()});
    return digits(more);
  }

  // One that learns nothing and trains on until finish(): a rate at which it reaches its target ends it.
  std::vector<std::string> job_until_told(std::vector<std::string> more) const {
    more.insert(more.end(), {"--epochs", support::endless, "--lr", "1e-12", "--target-accuracy", "0.7", "--report",
                             path("report.json")});
    return job(std::move(more));
  }
  // Every batch of every epoch was trained on, but for those that others had in their hands when the target was
  // reached; nobody died.
  void finish(Program& program) {
    done({"set", name(), "lr=0.1"}, {"lr 0.1"});
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    const std::vector<int> seen = report().at("samples_seen_per_epoch");
    for (std::size_t epoch = 0; epoch + 2 < seen.size(); ++epoch) EXPECT_EQ(seen[epoch], 10'000) << epoch;
    EXPECT_GE(seen.size(), 3U);
    EXPECT_EQ(report().at("worker_restarts"), 0);
    EXPECT_EQ(report().at("loader_restarts"), 0);
    EXPECT_TRUE(program.processes().empty());
  }

  // A client of that user's job, which has said nothing yet.
  static shm::Fd connected_to(uid_t user, const std::string& job = name()) {
    shm::Fd client(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const JobAddress at = job_address(user, job);
    if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&at.address), at.bytes) != 0) client.reset();
    return client;
  }

  // `feral COMMAND …`: it ends well and says all `parts`.
  void done(std::vector<std::string> command, const std::vector<std::string>& parts) const {
    Program program(support::feral_program, command);
    EXPECT_EQ(program.exit_code(), 0) << program.errors();
    EXPECT_EQ(program.errors(), "");
    EXPECT_TRUE(has(program.output(), parts));
  }

  // It ends with one line that says all `parts`.
  void refused(std::vector<std::string> command, const std::vector<std::string>& parts) const {
    Program program(support::feral_program, command);
    expect_failed(program, 2, parts);
  }

  std::set<std::string> roles(const Program& program) const {
    std::set<std::string> found;
    for (const support::ProcessInfo& process : program.processes()) {
      if (process.name.starts_with("feral-w") || process.name.starts_with("feral-l")) found.insert(process.name);
    }
    return found;
  }

  // Whether nothing moves for as long as a waiting worker looks around a few times.
  static bool rests(const AttachedJob& job) {
    const std::uint64_t steps = job.steps();
    ::poll(nullptr, 0, 250);
    return job.steps() == steps;
  }

  std::vector<std::string> said_changes() const {
    std::vector<std::string> said;
    const nlohmann::json whole = report();
    for (const auto& change : whole.at("changes")) said.push_back(change.at("what"));
    return said;
  }
};

TEST_F(Control, AJobGrowsAndShrinksWhileItTrainsAndLosesNothing) {
  Program program(support::feral_program, job_until_told({"--max-workers", "4", "--max-loaders", "3"}));
  ASSERT_TRUE(trains(program));
  EXPECT_EQ(roles(program), (std::set<std::string>{"feral-loader-0", "feral-worker-0", "feral-worker-1"}));
  done({"scale", name(), "--workers", "4", "--loaders", "3"}, {"workers 2 -> 4, loaders 1 -> 3"});
  EXPECT_TRUE(eventually([&] { return roles(program).size() == 7; })) << program.output();
  done({"scale", name(), "--workers", "1", "--loaders", "1"}, {"workers 4 -> 1, loaders 3 -> 1"});
  EXPECT_TRUE(eventually([&] {
    return roles(program) == std::set<std::string>{"feral-loader-0", "feral-worker-0"};
  })) << program.output();
  done({"scale", std::to_string(program.pid()), "--workers", "3"}, {"workers 1 -> 3"});
  done({"scale", name(), "--workers", "3"}, {"nothing changed"});
  refused({"scale", name(), "--workers", "5"}, {"--workers 5", "1 to 4", "--max-workers"});
  refused({"scale", name(), "--loaders", "0"}, {"--loaders 0", "1 to 3"});
  refused({"scale", name(), "--workers", "-1"}, {"--workers -1"});
  finish(program);
  EXPECT_EQ(report().at("batches_redone"), 0);
  EXPECT_EQ(said_changes(),
            (std::vector<std::string>{"workers 2 -> 4, loaders 1 -> 3", "workers 4 -> 1, loaders 3 -> 1",
                                      "workers 1 -> 3", "lr 0.1"}));
  EXPECT_TRUE(has(program.output(), {"control: workers 2 -> 4, loaders 1 -> 3 (asked by pid "}));
}

// Up and down as fast as it can be asked for: processes that are still leaving are wanted again.
TEST_F(Control, AJobThatIsScaledAllTheTimeSeesEverySample) {
  const std::vector<std::vector<std::string>> ways = {
      {}, {"--publish-every", "4"}, {"--replicas", "per-node", "--nodes", "2"}};
  for (const std::vector<std::string>& way : ways) {
    std::vector<std::string> arguments = job_until_told({"--max-workers", "3", "--max-loaders", "2"});
    arguments.insert(arguments.end(), way.begin(), way.end());
    Program program(support::feral_program, arguments);
    ASSERT_TRUE(trains(program));
    ControlRequest request;
    request.kind = ControlRequest::Kind::scale;
    for (int i = 0; i < 30; ++i) {
      request.workers = 1 + i % 3;
      request.loaders = 1 + i % 2;
      EXPECT_EQ(support::error_of([&] { ask_job(name(), request); }), "");
    }
    finish(program);
    EXPECT_EQ(report().at("batches_redone"), 0);
  }
}

TEST_F(Control, ADeterministicJobKeepsItsWorkersAndCanBePaused) {
  Program program(support::feral_program, job({"--deterministic", "--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  const AttachedJob attached = attach(name());
  done({"set", name(), "pause"}, {"paused"});
  EXPECT_TRUE(eventually([&] { return rests(attached); }));
  refused({"scale", name(), "--workers", "1"}, {"--workers 1", "--deterministic"});
  done({"scale", name(), "--loaders", "2"}, {"loaders 1 -> 2"});
  done({"set", name(), "resume"}, {"resumed"});
  const std::uint64_t steps = attached.steps();
  EXPECT_TRUE(eventually([&] { return attached.steps() > steps + 100; }));
}

TEST_F(Control, AWorkerKilledAfterItWasAskedToLeaveIsNotReplacedAndItsBatchIsDoneAgain) {
  Program program(support::feral_program, job_until_told({"--workers", "2"}));
  ASSERT_TRUE(trains(program));
  const pid_t worker = program.wait_for("feral-worker-1");
  ASSERT_GT(worker, 0);
  ::kill(worker, SIGSTOP);  // so that it is there when it is asked
  done({"scale", name(), "--workers", "1"}, {"workers 2 -> 1"});
  ::kill(worker, SIGKILL);
  EXPECT_TRUE(eventually([&] { return program.find("feral-worker-1") < 0; }));
  finish(program);
}

TEST_F(Control, TheLearningRateIsSetAndGivenBack) {
  Program program(support::feral_program, job({"--epochs", support::endless, "--workers", "1"}));
  ASSERT_TRUE(trains(program));
  AttachedJob attached = attach(name());
  // A rate at which nothing moves any more.
  done({"set", name(), "lr=1e-30"}, {"lr 1e-30"});
  const Tensor& weight = attached.tensor("fc1.weight");
  const auto stands_still = [&] {
    const Tensor before = weight.clone();
    const std::uint64_t steps = attached.steps();
    EXPECT_TRUE(eventually([&] { return attached.steps() > steps + 20; }));
    return weight.equal(before);
  };
  EXPECT_TRUE(eventually(stands_still));
  done({"set", name(), "lr=auto"}, {"lr auto"});
  EXPECT_TRUE(eventually([&] { return !stands_still(); }));
  // A norm to which gradients are clipped does the same.
  done({"set", name(), "clip=1e-30"}, {"clip 1e-30"});
  EXPECT_TRUE(eventually(stands_still));
  done({"set", name(), "clip=off", "lr=0.25"}, {"lr 0.25, clip off"});
  EXPECT_TRUE(
      has(program.output(), {"control: lr 1e-30 (asked by pid ", "control: lr 0.25, clip off (asked by pid "}));
  program.signal(SIGTERM);
  EXPECT_EQ(program.exit_code(), 128 + SIGTERM);
  EXPECT_TRUE(eventually([&] { return !attached.running(); }));
  EXPECT_GT(weight.norm().item(), 0) << "the memory outlives the job";
}

TEST_F(Control, APausedJobTakesNoStepUntilItIsResumed) {
  Program program(support::feral_program, job_until_told({}));
  ASSERT_TRUE(trains(program));
  const AttachedJob attached = attach(name());
  done({"set", name(), "pause"}, {"paused"});
  EXPECT_TRUE(eventually([&] { return rests(attached); }));
  const std::uint64_t steps = attached.steps();
  done({"jobs"}, {name(), "paused", "mlp on digits"});
  done({"set", name(), "pause"}, {"nothing changed"});
  EXPECT_EQ(attached.steps(), steps);
  done({"set", name(), "resume"}, {"resumed"});
  finish(program);
  EXPECT_EQ(said_changes(), (std::vector<std::string>{"paused", "resumed", "lr 0.1"}));
}

TEST_F(Control, ACheckpointIsWrittenWhenItIsAskedForAlsoInAPause) {
  Program program(support::feral_program, job({"--epochs", support::endless, "--checkpoint", path("kept"),
                                               "--checkpoint-every", support::endless}));
  ASSERT_TRUE(trains(program));
  done({"set", name(), "pause", "checkpoint-now"}, {"paused, checkpoint asked for"});
  EXPECT_TRUE(eventually([&] {
    std::error_code absent;
    for (const auto& file : std::filesystem::directory_iterator(path("kept"), absent)) {
      if (file.path().extension() == ".safetensors") return true;
    }
    return false;
  }));
  program.signal(SIGKILL);
  EXPECT_TRUE(program.gone(std::chrono::seconds(10)));
  Program without(support::feral_program, job({"--epochs", support::endless}));
  ASSERT_TRUE(trains(without));
  refused({"set", name(), "checkpoint-now"}, {"checkpoint-now", name(), "--checkpoint DIR"});
}

TEST_F(Control, APausedJobStillStops) {
  Program program(support::feral_program, job({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  done({"set", name(), "pause"}, {"paused"});
  program.signal(SIGTERM);
  EXPECT_EQ(program.exit_code(), 128 + SIGTERM);
  EXPECT_TRUE(program.gone(support::gone_within));
}

TEST_F(Control, AttachListsLiveTensorsAndReadsThem) {
  Program program(support::feral_program, job({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  done({"attach", name()}, {"fc1.weight", "float32", "[128, 784]", "fc2.bias", "[10]", "norm"});
  AttachedJob attached = attach(name());
  EXPECT_EQ(attached.name(), name());
  EXPECT_TRUE(attached.running());
  EXPECT_GE(attached.epochs(), 1U);
  ASSERT_EQ(attached.tensors().size(), 4U);
  const Tensor& weight = attached.tensor("fc1.weight");
  const Tensor before = weight.clone();
  EXPECT_TRUE(eventually([&] { return !weight.equal(before); })) << "what workers write is seen here";
  EXPECT_TRUE(has(support::error_of([&] { attached.tensor("absent"); }), {name(), "'absent'"}));
  EXPECT_EQ(attached.state_dict().size(), 4U);
  // Nobody can write through it: the kernel has it mapped to read.
  EXPECT_EXIT(const_cast<float*>(weight.data<float>())[0] = 1, testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(Control, TheExampleEvaluatesAModelOfItsOwnWhileAnotherTrains) {
  Program program(support::feral_program,
                  train("lenet", "digits", {"--epochs", support::endless, "--name", name()}));
  ASSERT_TRUE(trains(program));
  Program again(support::binaries / "examples" / "watch", {name()});
  EXPECT_EQ(again.exit_code(), 0) << again.errors();
  EXPECT_TRUE(has(again.output(), {"conv1.weight", "[10, 1, 5, 5]", "norm ", "an empty image is a "}));
}

TEST_F(Control, NamesAreOfOneJobAtATime) {
  Program program(support::feral_program, job({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  EXPECT_TRUE(has(program.output(), {"job: " + name()}));
  refused(job({"--epochs", "1"}), {"--name " + name(), "another job has that name"});
  Program unnamed(support::feral_program, digits({"--epochs", support::endless}));
  ASSERT_TRUE(trains(unnamed));
  const std::string standard = "mlp-" + std::to_string(unnamed.pid());
  done({"jobs"}, {name(), standard, std::to_string(program.pid())});
}

// Clients that send nothing, nonsense, too much, or go away: the job trains on, and who asks properly is heard.
TEST_F(Control, SlowAndHostileClientsDisturbNobody) {
  Program program(support::feral_program, job({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  std::vector<shm::Fd> silent;
  for (int i = 0; i < 12; ++i) silent.push_back(connected_to(::geteuid()));
  for (const std::string& text :
       {std::string("{"), std::string("nonsense"), std::string(max_request_bytes + 1, '['),
        std::string(100'000, 'x'), std::string(1, '\0'),
        std::string(R"({"version":1,"do":"scale","workers":99999999999999999999})")}) {
    const shm::Fd client = connected_to(::geteuid());
    ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  const AttachedJob attached = [&] {
    std::optional<AttachedJob> job;
    EXPECT_TRUE(eventually([&] { return support::error_of([&] { job.emplace(attach(name())); }).empty(); }))
        << "those who say nothing are dropped";
    return std::move(*job);
  }();
  const std::uint64_t steps = attached.steps();
  EXPECT_TRUE(eventually([&] { return attached.steps() > steps + 50; }));
  EXPECT_EQ(program.errors(), "");
  program.signal(SIGTERM);
  EXPECT_EQ(program.exit_code(), 128 + SIGTERM);
}

TEST_F(Control, AnotherUserIsTurnedAway) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Program program(support::feral_program, job({"--epochs", support::endless}));
  ASSERT_TRUE(trains(program));
  const std::string mine = name();
  support::Forked other([&] {
    constexpr uid_t nobody = 65534;
    if (::setuid(nobody) != 0) return 1;
    const shm::Fd client = connected_to(0, mine);
    std::string answer(max_answer_bytes, '\0');
    const ssize_t bytes = ::recv(client.get(), answer.data(), answer.size(), 0);
    if (bytes <= 0) return 2;
    return has(decode_answer(answer.substr(0, static_cast<std::size_t>(bytes))).error, {"another user"}) ? 0 : 3;
  });
  EXPECT_EQ(other.wait(), 0);
  // And nobody is taken in by somebody who listens at a name of another user's.
  support::Forked squatter([&] {
    if (::setuid(65534) != 0) return 1;
    const shm::Fd listening(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    const JobAddress at = job_address(0, "squatted-" + mine);
    if (::bind(listening.get(), reinterpret_cast<const sockaddr*>(&at.address), at.bytes) != 0) return 2;
    if (::listen(listening.get(), 1) != 0) return 3;
    return ::pause();
  });
  EXPECT_TRUE(eventually([&] {
    const std::string message = support::error_of([&] { ask_job("squatted-" + mine, {}); });
    return message.find("belongs to another user") != std::string::npos;
  }));
}

TEST_F(Control, WhatIsNoJobOrNoChangeIsOneLine) {
  const std::string absent = name();
  refused({"scale", absent, "--workers", "2"}, {absent, "none of that name", "feral jobs"});
  refused({"set", absent, "lr=0.1"}, {absent, "none of that name"});
  refused({"attach", absent}, {absent, "none of that name"});
  refused({"attach", "1"}, {"job 1", "no launcher"});
  refused({"attach", "a/b"}, {"a/b", "letters, digits"});
  refused({"scale", absent}, {"--workers N", "--loaders M"});
  refused({"scale", absent, "--workers", "two"}, {"--workers", "two"});
  refused({"set", absent}, {"CHANGE"});
  refused({"set", absent, "lr=-1"}, {"lr=-1", "above 0"});
  refused({"set", absent, "lr=nan"}, {"lr=nan"});
  refused({"set", absent, "lr=0.1x"}, {"lr=0.1x"});
  refused({"set", absent, "momentum=0.9"}, {"momentum=0.9", "lr=X"});
  refused({"set", absent, "pause", "resume"}, {"resume", "twice"});
  refused(digits({"--name", "a b"}), {"--name 'a b'"});
  refused(digits({"--name", "123"}), {"--name '123'"});
}

}  // namespace
}  // namespace feral
