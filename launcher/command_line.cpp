#include "launcher/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "core/error.hpp"
#include "core/log.hpp"
#include "launcher/catalog.hpp"
#include "workers/job_arena.hpp"

namespace feral {
namespace {

optim::Schedule schedule_named(const std::string& name) {
  std::string names;
  for (int i = 0; i < optim::schedule_count; ++i) {
    const auto schedule = static_cast<optim::Schedule>(i);
    if (optim::name_of(schedule) == name) return schedule;
    names += (i > 0 ? ", " : "") + std::string(optim::name_of(schedule));
  }
  throw CLI::ValidationError("--schedule", "'" + name + "' is none of: " + names);
}

// Accepts one value: the names are there for what later versions will offer beside it.
CLI::Option* only(CLI::App& app, const char* option, const std::string& value, const char* description) {
  return app
      .add_option_function<std::string>(
          option,
          [option, value](const std::string& given) {
            if (given != value)
              throw CLI::ValidationError(option, "'" + given + "' is not in this version: " + value + " is");
          },
          description)
      ->default_str(value);
}

// How an option's value shows in the help: "N [2]", in the place of CLI11's account of types and checks.
CLI::Option* shown(CLI::Option* option, const std::string& value) {
  option->capture_default_str();
  const std::string standard = option->get_default_str();
  return option->option_text(standard.empty() ? value : value + " [" + standard + "]");
}

void add_train_options(CLI::App& app, TrainOptions& options) {
  shown(app.add_option("--workers", options.workers, "Worker processes"), "N");
  shown(app.add_option("--loaders", options.loaders, "Data-loader processes"), "N");
  shown(app.add_option("--epochs", options.epochs, "Passes over the data, in total whatever the number of workers"),
        "N");
  shown(app.add_option("--batch", options.batch, "Samples a step"), "N");
  shown(only(app, "--optimizer", "sgd", "Update rule"), "NAME");
  shown(app.add_option("--lr", options.lr, "Learning rate"), "X");
  app.add_option_function<std::string>(
         "--schedule", [&options](const std::string& name) { options.schedule = schedule_named(name); },
         "Of the learning rate over the run: constant, linear or cosine")
      ->option_text("NAME [" + std::string(optim::name_of(options.schedule)) + "]");
  shown(app.add_option("--momentum", options.momentum, "From 0 to below 1"), "X");
  app.add_flag("--shared-momentum", options.shared_momentum, "One momentum for all workers instead of one each");
  shown(app.add_option("--weight-decay", options.weight_decay, "L2 penalty"), "X");
  // CLI11 would take -1 for the largest number there is.
  const auto not_negative = [](const std::string& text) {
    return std::string(text.starts_with('-') ? text + " must not be negative" : "");
  };
  shown(app.add_option("--seed", options.seed, "Of initial values, order of samples and dropout")
            ->check(not_negative),
        "N");
  shown(only(app, "--policy", "racy", "How workers update the shared parameters"), "NAME");
  app.add_option("--target-accuracy", options.target_accuracy, "Stop when an epoch's test accuracy reaches it")
      ->option_text("A");
  app.add_option("--report", options.report, "Write a JSON report to this file")->option_text("FILE");
  shown(app.add_option("--max-restarts", options.max_restarts, "Replace at most that many processes that died"),
        "N");
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
    check_options(line.options);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    std::cout << (chosen.empty() ? app.help() : chosen.front()->help("feral " + chosen.front()->get_name()))
              << std::flush;
    line.exit_code = 0;
  } catch (const CLI::CallForVersion&) {
    std::cout << "feral " << FERAL_VERSION << std::endl;
    line.exit_code = 0;
  } catch (const Error& error) {
    log::error("{}", error.what());
    line.exit_code = 2;
  } catch (const CLI::ExtrasError&) {
    std::string unknown;
    for (const std::string& argument : app.remaining(true)) unknown += " " + argument;
    log::error("unknown here:{}; '{} --help' lists what there is", unknown, program);
    line.exit_code = 2;
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
  train->add_option("MODEL", line.model, "One of: " + list_of_models())->required()->option_text(" ");
  train->add_option("--data", line.data, "One of " + list_of_datasets() + ", or a folder with MNIST's four files")
      ->required()
      ->option_text("NAME|FOLDER (required)");
  add_train_options(*train, line.options);
  app.add_subcommand("doctor", "Show what this machine offers to a job, and what is in the way");

  const bool training = argc > 1 && std::string_view(argv[1]) == "train";
  parse(app, argc, argv, training ? "feral train" : "feral", line);
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
