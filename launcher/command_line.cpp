#include "launcher/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "core/fail.hpp"
#include "core/log.hpp"
#include "launcher/catalog.hpp"
#include "workers/job_arena.hpp"

namespace feral {
namespace {

// An option that takes one of the names of an enumeration.
template <class Named>
CLI::Option* add_named(CLI::App& app, const char* option, Named& value, int count, const std::string& description) {
  return app
      .add_option_function<std::string>(
          option,
          [option, &value, count](const std::string& given) {
            std::string names;
            for (int i = 0; i < count; ++i) {
              const auto candidate = static_cast<Named>(i);
              if (name_of(candidate) == given) {
                value = candidate;
                return;
              }
              names += (i > 0 ? ", " : "") + std::string(name_of(candidate));
            }
            throw CLI::ValidationError(option, "'" + given + "' is none of: " + names);
          },
          description)
      ->option_text("NAME [" + std::string(name_of(value)) + "]");
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
  app.add_option("--max-workers", options.max_workers,
                 "Worker processes that the job may grow to while it runs (twice the cores)")
      ->option_text("N");
  app.add_option("--max-loaders", options.max_loaders, "The same of data-loader processes")->option_text("N");
  shown(app.add_option("--epochs", options.epochs, "Passes over the data, in total whatever the number of workers"),
        "N");
  shown(app.add_option("--batch", options.batch, "Samples a step"), "N");
  add_named(app, "--optimizer", options.optimizer, optim::rule_count, "Update rule: " + optim::list_of_rules());
  shown(app.add_option("--lr", options.lr, "Learning rate; some models, and another --optimizer, bring their own"),
        "X");
  add_named(app, "--schedule", options.schedule, optim::schedule_count,
            "Of the learning rate over the run: " + optim::list_of_schedules());
  app.add_option("--lr-gamma", options.lr_gamma,
                 "What step (0.1), exponential (0.95) and plateau (0.1) multiply by")
      ->option_text("X");
  shown(app.add_option("--lr-power", options.lr_power, "Of the polynomial schedule"), "X");
  app.add_option("--lr-period", options.lr_period,
                 "Epochs of a step or restart (a third of the run), patience of plateau (3)")
      ->option_text("N");
  app.add_option("--warmup", options.warmup, "Steps over which the rate rises first")->option_text("N");
  shown(app.add_option("--momentum", options.momentum, "Of sgd and rmsprop, from 0 to below 1"), "X");
  shown(app.add_option("--beta1", options.beta1, "Of adam and its kin: how much of itself the first moment keeps"),
        "X");
  shown(app.add_option("--beta2", options.beta2, "The same of the second moment"), "X");
  app.add_flag("--shared-state,--shared-momentum", options.shared_state,
               "One optimizer state for all workers instead of one each");
  shown(app.add_option("--weight-decay", options.weight_decay, "L2 penalty, or decoupled (adamw)"), "X");
  // CLI11 would take -1 for the largest number there is.
  const auto not_negative = [](const std::string& text) {
    return std::string(text.starts_with('-') ? text + " must not be negative" : "");
  };
  shown(app.add_option("--seed", options.seed, "Of initial values, order of samples and dropout")
            ->check(not_negative),
        "N");
  add_named(app, "--policy", options.policy, policy_count,
            "How workers update the shared parameters: racy, atomic-add, locked, snapshot");
  shown(app.add_option("--evaluate-every", options.evaluate_every,
                       "Epochs from one evaluation to the next; 0: only at the end"),
        "N");
  app.add_option("--target-accuracy", options.target_accuracy, "Stop when an epoch's test accuracy reaches it")
      ->option_text("A");
  app.add_option("--report", options.report, "Write a JSON report to this file")->option_text("FILE");
  shown(app.add_option("--max-restarts", options.max_restarts, "Replace at most that many processes that died"),
        "N");
  app.add_flag("--keep-blas-env", options.keep_blas_env, "Hand OPENBLAS_* variables on to the processes");
  app.add_option_function<std::string>(
         "--replicas",
         [&options](const std::string& given) {
           if (given != "none" && given != "per-node") {
             throw CLI::ValidationError("--replicas", "'" + given + "' is none of: none, per-node");
           }
           options.replicas = given == "per-node";
         },
         "Of the parameters: none, or one per NUMA node, which the workers bring together")
      ->option_text("NAME [none]");
  app.add_option("--nodes", options.nodes, "Take the machine for one of that many NUMA nodes")->option_text("N");
  shown(app.add_option(
            "--publish-every", options.publish_every,
            "Batches that a worker trains on before the shared parameters learn of them (racy, atomic-add)"),
        "K");
  app.add_flag("--deterministic", options.deterministic,
               "The same parameters, bit for bit, from every run with this seed and these workers; slower");
  app.add_flag("--staleness-scale", options.staleness_scale,
               "Divide the rate of a step by 1 + the number of updates since its parameters were read");
  add_named(app, "--on-nonfinite", options.on_nonfinite, on_nonfinite_count,
            "When gradients have NaN or infinities: drop the step, rollback to good parameters after too many, "
            "stop the run");
  shown(app.add_option("--nonfinite-limit", options.nonfinite_limit,
                       "Steps of a worker dropped in a row that are too many; 0: never"),
        "N");

  shown(app.add_option("--hang-timeout", options.hang_timeout,
                       "Replace a process that has made no progress for that long; 0: never"),
        "SECONDS");
  shown(app.add_option("--grace", options.grace,
                       "Time in which all processes leave after Ctrl-C, SIGTERM or the launcher's death"),
        "SECONDS");
  app.add_option("--checkpoint", options.checkpoint,
                 "Write checkpoints to this folder, the last one when the run ends")
      ->option_text("DIR");
  shown(app.add_option("--checkpoint-every", options.checkpoint_every, "Epochs from one to the next"), "N");
  shown(
      app.add_option("--checkpoint-keep", options.checkpoint_keep, "How many of the newest stay, beside the best"),
      "N");
  add_named(app, "--checkpoint-mode", options.checkpoint_mode, checkpoint_mode_count,
            "fuzzy: nobody waits; quiesced: workers pause while the values are copied");
  app.add_flag("--resume", options.resume, "Go on from the newest whole checkpoint in that folder");
  app.add_option("--name", options.name, "Of the job, for feral scale, set and attach (MODEL-PID)")
      ->option_text("NAME");
  app.add_flag("--dry-run", options.dry_run, "Print the whole plan, with every byte of memory, and train nothing");
}

// Whoever names another rule than the job's wants that rule's own rates, not those chosen for the first one.
void take_defaults_of_rule(const CLI::App& app, optim::Rule before, TrainOptions& options) {
  if (options.optimizer == before) return;
  const optim::RuleOptions own = optim::default_options(options.optimizer);
  if (app.count("--lr") == 0) options.lr = own.lr;
  if (app.count("--momentum") == 0) options.momentum = own.momentum;
  if (app.count("--weight-decay") == 0) options.weight_decay = own.weight_decay;
  if (app.count("--beta1") == 0) options.beta1 = own.beta1;
  if (app.count("--beta2") == 0) options.beta2 = own.beta2;
}

// What the command line leaves open is as the model wants it. Answers the model's rule.
optim::Rule take_defaults_of_model(const CLI::App& app, const std::string& model, TrainOptions& options) {
  const TrainOptions own = defaults_of_model(model);
  if (app.count("--optimizer") == 0) options.optimizer = own.optimizer;
  if (app.count("--lr") == 0) options.lr = own.lr;
  if (app.count("--momentum") == 0) options.momentum = own.momentum;
  return own.optimizer;
}

// CLI11's messages may have several lines; ours have one.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// The commands for jobs that run already.
void add_steering_commands(CLI::App& app, CommandLine& line, std::vector<std::string>& changes) {
  const auto add_job = [&line](CLI::App* command) {
    command->add_option("JOB", line.job, "The name of a running job, or the pid of its launcher")
        ->required()
        ->option_text(" ");
  };
  app.add_subcommand("jobs", "List the jobs of this user that run");
  CLI::App* scale = app.add_subcommand("scale", "Give a running job more or fewer processes");
  add_job(scale);
  CLI::Option* workers = scale->add_option("--workers", line.request.workers, "Worker processes, at least 1");
  CLI::Option* loaders = scale->add_option("--loaders", line.request.loaders, "Loader processes, at least 1");
  workers->option_text("N");
  loaders->option_text("N");
  CLI::App* set = app.add_subcommand("set", "Change how a running job trains");
  add_job(set);
  set->add_option(
         "CHANGE", changes,
         "lr=X, lr=auto (as scheduled), clip=X (norm of gradients), clip=off, pause, resume, checkpoint-now")
      ->required()
      ->option_text("...");
  add_job(app.add_subcommand("attach", "List the live tensors of a running job"));
}

// What the line asks of a running job.
void finish_request(CommandLine& line, const std::vector<std::string>& changes) {
  if (line.command == "set") line.request = parse_changes(changes);
  if (line.command != "scale") return;
  line.request.kind = ControlRequest::Kind::scale;
  if (!line.request.workers && !line.request.loaders) fail("scale: say how many: --workers N, --loaders M");
}

void parse(CLI::App& app, const CLI::App& training, int argc, char** argv, const std::string& program,
           CommandLine& line) {
  optim::Rule rule = line.options.optimizer;
  try {
    app.parse(argc, argv);
    if (!line.model.empty()) rule = take_defaults_of_model(training, line.model, line.options);
    take_defaults_of_rule(training, rule, line.options);
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
  train
      ->add_option("--data", line.data,
                   "One of " + list_of_datasets() +
                       ", or a folder with MNIST's four files; for lstm and embedding_bag a text file")
      ->required()
      ->option_text("NAME|PATH (required)");
  add_train_options(*train, line.options);
  app.add_subcommand("doctor", "Show what this machine offers to a job, and what is in the way");

  std::vector<std::string> changes;
  add_steering_commands(app, line, changes);

  const bool training = argc > 1 && std::string_view(argv[1]) == "train";
  parse(app, *train, argc, argv, training ? "feral train" : "feral", line);
  if (line.exit_code) return line;
  line.command = app.get_subcommands().front()->get_name();
  try {
    finish_request(line, changes);
  } catch (const Error& error) {
    log::error("{}", error.what());
    line.exit_code = 2;
  }
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
  parse(app, app, argc, argv, program, line);
  return line;
}

}  // namespace feral
