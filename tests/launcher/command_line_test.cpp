#include "launcher/command_line.hpp"

#include <gtest/gtest.h>

#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::has;

struct Parsed {
  CommandLine line;
  std::string output;
  std::string errors;
};

template <class Parse>
Parsed parsed(std::vector<std::string> arguments, Parse&& parse) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  Parsed result;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  result.line = parse(static_cast<int>(arguments.size()), argv.data());
  result.output = testing::internal::GetCapturedStdout();
  result.errors = testing::internal::GetCapturedStderr();
  return result;
}

Parsed feral_line(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "feral");
  return parsed(std::move(arguments), parse_feral_line);
}

Parsed program_line(std::vector<std::string> arguments, const Job& job) {
  arguments.insert(arguments.begin(), "./prog");
  return parsed(std::move(arguments), [&](int argc, char** argv) { return parse_program_line(argc, argv, job); });
}

// An error: exit code 2, one line on stderr with all `parts`, nothing on stdout.
testing::AssertionResult refused(const Parsed& p, const std::vector<std::string>& parts) {
  if (p.line.exit_code != 2) return testing::AssertionFailure() << "it is accepted";
  if (support::lines_of(p.errors).size() != 1 || !p.output.empty()) {
    return testing::AssertionFailure() << "not one line: '" << p.errors << "', '" << p.output << "'";
  }
  if (!p.errors.starts_with("feral: error: ")) return testing::AssertionFailure() << p.errors;
  return has(p.errors, parts);
}

TEST(FeralLine, OfTrainSetsEveryOption) {
  const Parsed p = feral_line({"train",
                               "lenet",
                               "--data",
                               "digits",
                               "--workers",
                               "5",
                               "--loaders",
                               "3",
                               "--epochs",
                               "7",
                               "--batch",
                               "20",
                               "--optimizer",
                               "sgd",
                               "--lr",
                               "0.5",
                               "--momentum",
                               "0.25",
                               "--shared-momentum",
                               "--weight-decay",
                               "0.125",
                               "--seed",
                               "9",
                               "--policy",
                               "racy",
                               "--target-accuracy",
                               "0.75",
                               "--report",
                               "r.json",
                               "--max-restarts",
                               "4",
                               "--keep-blas-env",
                               "--name",
                               "mine",
                               "--dry-run",
                               "--hang-timeout",
                               "2.5",
                               "--grace",
                               "0.25"});
  ASSERT_FALSE(p.line.exit_code) << p.errors;
  EXPECT_EQ(p.line.command, "train");
  EXPECT_EQ(p.line.model, "lenet");
  EXPECT_EQ(p.line.data, "digits");
  const TrainOptions& o = p.line.options;
  EXPECT_EQ(o.workers, 5);
  EXPECT_EQ(o.loaders, 3);
  EXPECT_EQ(o.epochs, 7);
  EXPECT_EQ(o.batch, 20);
  EXPECT_EQ(o.lr, 0.5);
  EXPECT_EQ(o.momentum, 0.25);
  EXPECT_TRUE(o.shared_state);
  EXPECT_EQ(o.weight_decay, 0.125);
  EXPECT_EQ(o.seed, 9U);
  EXPECT_EQ(o.target_accuracy, 0.75);
  EXPECT_EQ(o.report, "r.json");
  EXPECT_EQ(o.max_restarts, 4);
  EXPECT_TRUE(o.keep_blas_env);
  EXPECT_EQ(o.name, "mine");
  EXPECT_TRUE(o.dry_run);
  EXPECT_EQ(o.hang_timeout, 2.5);
  EXPECT_EQ(o.grace, 0.25);
}

TEST(FeralLine, OfTrainChoosesRuleScheduleAndPolicy) {
  const Parsed p =
      feral_line({"train",      "lenet", "--data",         "digits",   "--optimizer", "adamw",
                  "--beta1",    "0.8",   "--beta2",        "0.95",     "--schedule",  "cosine-restarts",
                  "--lr-gamma", "0.5",   "--lr-period",    "4",        "--lr-power",  "3",
                  "--warmup",   "100",   "--shared-state", "--policy", "locked"});
  ASSERT_FALSE(p.line.exit_code) << p.errors;
  const TrainOptions& o = p.line.options;
  EXPECT_EQ(o.optimizer, optim::Rule::adamw);
  EXPECT_EQ(o.beta1, 0.8);
  EXPECT_EQ(o.beta2, 0.95);
  EXPECT_EQ(o.schedule, optim::Schedule::cosine_restarts);
  EXPECT_EQ(o.lr_gamma, 0.5);
  EXPECT_EQ(o.lr_period, 4);
  EXPECT_EQ(o.lr_power, 3);
  EXPECT_EQ(o.warmup, 100);
  EXPECT_EQ(o.policy, Policy::locked);
  EXPECT_TRUE(o.shared_state);
}

TEST(FeralLine, EveryPolicyHasItsName) {
  const auto with = [](const std::vector<std::string>& more) {
    std::vector<std::string> line = {"train", "mlp", "--data", "digits"};
    line.insert(line.end(), more.begin(), more.end());
    return feral_line(line);
  };
  EXPECT_EQ(with({"--policy", "racy"}).line.options.policy, Policy::racy);
  EXPECT_EQ(with({"--policy", "atomic-add"}).line.options.policy, Policy::atomic_add);
  EXPECT_EQ(with({"--policy", "snapshot"}).line.options.policy, Policy::snapshot);
  EXPECT_TRUE(has(with({"--policy", "atomic"}).errors, {"'atomic'", "racy, atomic-add, locked, snapshot"}));
  EXPECT_EQ(with({"--publish-every", "4"}).line.options.publish_every, 4);
  EXPECT_TRUE(with({"--deterministic"}).line.options.deterministic);
  EXPECT_EQ(with({"--publish-every", "4", "--policy", "locked"}).line.exit_code, 2);
}

TEST(FeralLine, AnotherRuleBringsItsOwnRates) {
  const auto with = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"train", "mlp", "--data", "digits"});
    return feral_line(more).line.options;
  };
  EXPECT_EQ(with({}).lr, 0.05);
  EXPECT_EQ(with({"--optimizer", "sgd"}).momentum, 0.5) << "the same rule";
  EXPECT_EQ(with({"--optimizer", "adam"}).lr, 1e-3);
  EXPECT_EQ(with({"--optimizer", "adam", "--lr", "0.25"}).lr, 0.25);
  EXPECT_EQ(with({"--optimizer", "rmsprop"}).momentum, 0);
  EXPECT_EQ(with({"--optimizer", "rmsprop", "--momentum", "0.25"}).momentum, 0.25);
  EXPECT_EQ(with({"--optimizer", "adamw"}).weight_decay, 0.01);
}

TEST(FeralLine, OfTrainNeedsAModelAndData) {
  EXPECT_TRUE(refused(feral_line({}), {"--help"}));
  EXPECT_TRUE(refused(feral_line({"train"}), {"MODEL"}));
  EXPECT_TRUE(refused(feral_line({"train", "lenet"}), {"--data"}));
  EXPECT_TRUE(refused(feral_line({"train", "--data", "digits"}), {"MODEL"}));
  EXPECT_TRUE(refused(feral_line({"fly"}), {"subcommand", "--help"}));
}

TEST(FeralLine, RefusesWhatItDoesNotKnowByName) {
  const auto with = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"train", "mlp", "--data", "digits"});
    return feral_line(more);
  };
  EXPECT_TRUE(refused(with({"--wrkers", "3"}), {"--wrkers"}));
  EXPECT_TRUE(refused(with({"extra"}), {"extra"}));
  EXPECT_TRUE(refused(with({"--optimizer", "lion"}), {"--optimizer", "lion", "sgd, adam, adamw"}));
  EXPECT_TRUE(refused(with({"--policy", "sometimes"}), {"--policy", "sometimes", "racy"}));
  EXPECT_TRUE(refused(with({"--policy", "careful"}), {"--policy", "careful", "racy"}));
  EXPECT_TRUE(refused(with({"--workers", "two"}), {"--workers", "two"}));
  EXPECT_TRUE(refused(with({"--workers"}), {"--workers"}));
  EXPECT_TRUE(refused(with({"--batch", "1.5"}), {"--batch", "1.5"}));
  EXPECT_TRUE(refused(with({"--lr", "-1"}), {"--lr"}));
  EXPECT_TRUE(refused(with({"--lr", "0"}), {"--lr"}));
  EXPECT_TRUE(refused(with({"--momentum", "1"}), {"--momentum"}));
  EXPECT_TRUE(refused(with({"--weight-decay", "-0.1"}), {"--weight-decay"}));
  EXPECT_TRUE(refused(with({"--beta1", "1"}), {"--beta1"}));
  EXPECT_TRUE(refused(with({"--beta2", "-1"}), {"--beta2"}));
  EXPECT_TRUE(refused(with({"--schedule", "sine"}), {"--schedule", "sine", "constant, linear, cosine"}));
  EXPECT_TRUE(refused(with({"--lr-gamma", "-1"}), {"--lr-gamma"}));
  EXPECT_TRUE(refused(with({"--lr-period", "-1"}), {"--lr-period"}));
  EXPECT_TRUE(refused(with({"--warmup", "-1"}), {"--warmup"}));
  EXPECT_TRUE(refused(with({"--optimizer", "lbfgs"}), {"--optimizer lbfgs", "--workers 2", "synchronous mode"}));
  EXPECT_TRUE(refused(with({"--seed", "-1"}), {"--seed"}));
  EXPECT_TRUE(refused(with({"--target-accuracy", "1.5"}), {"--target-accuracy"}));
  EXPECT_TRUE(refused(with({"--max-restarts", "-1"}), {"--max-restarts"}));
  EXPECT_TRUE(refused(with({"--hang-timeout", "0.1"}), {"--hang-timeout 0.1", "0 (never) or 0.5 to"}));
  EXPECT_TRUE(refused(with({"--hang-timeout", "-1"}), {"--hang-timeout -1"}));
  EXPECT_TRUE(refused(with({"--hang-timeout", "nan"}), {"--hang-timeout"}));
  EXPECT_EQ(with({"--hang-timeout", "0"}).errors, "");
  EXPECT_TRUE(refused(with({"--grace", "-0.5"}), {"--grace -0.5"}));
}

TEST(FeralLine, HelpAndVersionGoToStdout) {
  const Parsed help = feral_line({"train", "--help"});
  EXPECT_EQ(help.line.exit_code, 0);
  EXPECT_TRUE(has(help.output, {"--workers", "--report", "lenet, mlp", "fashion-mnist, digits"}));
  EXPECT_EQ(help.errors, "");
  const Parsed version = feral_line({"--version"});
  EXPECT_EQ(version.line.exit_code, 0);
  EXPECT_TRUE(has(version.output, {FERAL_VERSION}));
}

TEST(FeralLine, DoctorIsACommand) { EXPECT_EQ(feral_line({"doctor"}).line.command, "doctor"); }

TEST(FeralLine, OfSteeringNamesAJobAndWhatToChange) {
  const Parsed scale = feral_line({"scale", "lenet-12", "--workers", "4"});
  ASSERT_FALSE(scale.line.exit_code) << scale.errors;
  EXPECT_EQ(scale.line.command, "scale");
  EXPECT_EQ(scale.line.job, "lenet-12");
  EXPECT_EQ(scale.line.request.kind, ControlRequest::Kind::scale);
  EXPECT_EQ(scale.line.request.workers, 4);
  EXPECT_FALSE(scale.line.request.loaders);
  const Parsed set = feral_line({"set", "lenet-12", "lr=0.5", "clip=off", "pause"});
  ASSERT_FALSE(set.line.exit_code) << set.errors;
  EXPECT_EQ(set.line.request.kind, ControlRequest::Kind::set);
  EXPECT_EQ(set.line.request.lr, 0.5);
  EXPECT_EQ(set.line.request.clip, unset);
  EXPECT_EQ(set.line.request.paused, true);
  EXPECT_EQ(feral_line({"attach", "123"}).line.job, "123");
  EXPECT_EQ(feral_line({"jobs"}).line.command, "jobs");
  EXPECT_TRUE(refused(feral_line({"scale", "x"}), {"--workers N"}));
  EXPECT_TRUE(refused(feral_line({"scale"}), {"JOB"}));
  EXPECT_TRUE(refused(feral_line({"set", "x", "lr"}), {"lr: is none of"}));
}

TEST(ProgramLine, StartsFromTheDefaultsOfTheJob) {
  Job job;
  job.name = "spirals";
  job.defaults.epochs = 60;
  job.defaults.batch = 32;
  job.defaults.lr = 0.125;
  const Parsed p = program_line({"--batch", "16", "--workers", "4"}, job);
  ASSERT_FALSE(p.line.exit_code) << p.errors;
  EXPECT_EQ(p.line.command, "train");
  EXPECT_EQ(p.line.options.epochs, 60);
  EXPECT_EQ(p.line.options.lr, 0.125);
  EXPECT_EQ(p.line.options.batch, 16);
  EXPECT_EQ(p.line.options.workers, 4);
}

TEST(ProgramLine, ErrorsNameTheProgram) {
  EXPECT_TRUE(refused(program_line({"--nonsense"}, {}), {"--nonsense", "'./prog --help'"}));
}

TEST(ProgramLine, HelpShowsTheDefaultsOfTheJob) {
  Job job;
  job.defaults.epochs = 61;
  const Parsed p = program_line({"--help"}, job);
  EXPECT_EQ(p.line.exit_code, 0);
  EXPECT_TRUE(has(p.output, {"61"}));
}

}  // namespace
}  // namespace feral
