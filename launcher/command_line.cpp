#include "launcher/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "core/log.hpp"
#include "launcher/catalog.hpp"

namespace feral {
namespace {

std::map<std::string, optim::Schedule> schedules_by_name() {
  std::map<std::string, optim::Schedule> names;
  for (int i = 0; i < optim::schedule_count; ++i) {
    const auto schedule = static_cast<optim::Schedule>(i);
    names.emplace(optim::name_of(schedule), schedule);
  }
  return names;
}

void add_train_options(CLI::App& app, TrainOptions& options) {
  app.add_option("--workers", options.workers, "Worker processes")->capture_default_str();
  app.add_option("--loaders", options.loaders, "Data-loader processes")->capture_default_str();
  app.add_option("--epochs", options.epochs, "Passes over the data, in total whatever the number of workers")
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Samples a step")->capture_default_str();
  app.add_option("--optimizer", "Update rule")->check(CLI::IsMember({"sgd"}))->default_str("sgd");
  app.add_option("--lr", options.lr, "Learning rate")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--momentum", options.momentum, "Momentum, 0 to below 1")
      ->check(CLI::Range(0.0, 0.999999))
      ->capture_default_str();
  app.add_flag("--shared-momentum", options.shared_momentum, "One momentum for all workers instead of one each");
  app.add_option("--weight-decay", options.weight_decay, "L2 penalty")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--schedule", options.schedule, "Learning rate over the run: constant, or falling to 0 by its end")
      ->transform(CLI::CheckedTransformer(schedules_by_name(), CLI::ignore_case))
      ->default_str(std::string(optim::name_of(options.schedule)))
      ->type_name("{constant,linear,cosine}");
  app.add_option("--seed", options.seed, "Of initial values, order and dropout")->capture_default_str();
  app.add_option("--policy", "How workers update the shared parameters")
      ->check(CLI::IsMember({"racy"}))
      ->default_str("racy");
  app.add_option("--target-accuracy", options.target_accuracy, "Stop when an epoch's test accuracy reaches it")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--report", options.report, "Write a JSON report to this file");
  app.add_option("--max-restarts", options.max_restarts, "Replace at most that many processes that died")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--keep-blas-env", options.keep_blas_env, "Hand OPENBLAS_* variables on to the processes");
}

// CLI11's messages may have several lines; ours have one.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

void parse(CLI::App& app, int argc, char** argv, const std::string& program, CommandLine& line) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    std::cout << (chosen.empty() ? app.help() : chosen.front()->help()) << std::flush;
    line.exit_code = 0;
  } catch (const CLI::CallForVersion&) {
    std::cout << "feral " << FERAL_VERSION << std::endl;
    line.exit_code = 0;
  } catch (const CLI::ParseError& error) {
    log::error("{}; '{} --help' lists what there is", one_line(error.what()), program);
    line.exit_code = 2;
  }
}

}  // namespace

CommandLine parse_feral_line(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Trains models with many lock-free processes on one set of parameters in shared memory (Hogwild).",
               "feral");
  app.set_version_flag("--version", FERAL_VERSION);
  app.require_subcommand(1);

  CLI::App* train = app.add_subcommand("train", "Train a model: feral train lenet --data fashion-mnist");
  train->add_option("MODEL", line.model, "One of: " + list_of_models())->required();
  train->add_option("--data", line.data, "One of " + list_of_datasets() + ", or a folder with MNIST's four files")
      ->required();
  add_train_options(*train, line.options);
  app.add_subcommand("doctor", "Show what this machine offers to a job, and what is in the way");

  parse(app, argc, argv, "feral", line);
  if (!line.exit_code) line.command = app.get_subcommands().front()->get_name();
  return line;
}

CommandLine parse_program_line(int argc, char** argv, const Job& job) {
  CommandLine line;
  line.options = job.defaults;
  line.command = "train";
  const std::string program = argc > 0 ? argv[0] : job.name;
  CLI::App app("Trains " + job.name + " with feral.", program);
  app.set_version_flag("--version", FERAL_VERSION);
  add_train_options(app, line.options);
  parse(app, argc, argv, program, line);
  return line;
}

}  // namespace feral
