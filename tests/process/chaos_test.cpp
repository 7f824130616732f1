// Kills at random instants while a job trains (law 1). The short form runs by itself; FERAL_LONG=1 kills a thousand
// processes and a hundred launchers, FERAL_SEED=N repeats a run's choices (docs/reliability.md).
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>

#include "data/fashion_mnist.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/onlooker.hpp"

namespace feral {
namespace {

using std::chrono::milliseconds;
using support::Onlooker;
using support::Program;
using Clock = std::chrono::steady_clock;

// What a run is to withstand.
struct Plan {
  int samples = 0;
  int epochs = 0;
  int kills = 0;
  int launcher_kills = 0;
};

bool long_form() { return std::getenv("FERAL_LONG") != nullptr; }

Plan plan() {
  if (long_form()) return {60'000, 25, 1000, 100};
  return {10'000, 6, 24, 5};
}

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

std::string spread(std::vector<Clock::duration> times) {
  if (times.empty()) return "none";
  std::ranges::sort(times);
  return fmt::format("{}, median {:.0f} ms, 90% within {:.0f} ms, longest {:.0f} ms", times.size(),
                     ms(times[times.size() / 2]), ms(times[times.size() * 9 / 10]), ms(times.back()));
}

std::uint64_t resident_kib(pid_t pid) {
  std::istringstream status(support::content_of("/proc/" + std::to_string(pid) + "/status"));
  std::string word;
  while (status >> word && word != "VmRSS:") {
  }
  std::uint64_t kib = 0;
  status >> kib;
  return kib;
}

class Chaos : public support::JobTest {
 protected:
  static constexpr int workers = 3;
  static constexpr int loaders = 2;
  static constexpr std::size_t children = workers + loaders + 1;
  // As the launcher has it: one that lived that long is replaced without delay.
  static constexpr std::chrono::seconds settled{5};
  const milliseconds hang_timeout{long_form() ? 1000 : 500};
  static constexpr milliseconds longest_backoff{1000};

  Chaos() {
    const char* given = std::getenv("FERAL_SEED");
    seed_ = given != nullptr ? std::stoul(given) : std::random_device{}();
    random_.seed(seed_);
    std::cout << "seed " << seed_ << std::endl;
  }

  // The real images lie compressed; a loader that starts would spend its time on that.
  std::string data() const {
    if (!long_form()) return "digits";
    for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                             "t10k-labels-idx1-ubyte"}) {
      const std::string command =
          fmt::format("gunzip -c '{}/{}.gz' > '{}'", data::fashion_mnist_folder().string(), name, path(name));
      if (!std::filesystem::exists(path(name)) && std::system(command.c_str()) != 0) return "fashion-mnist";
    }
    return path("");
  }

  std::vector<std::string> arguments(const std::string& report) const {
    return train("lenet", data(),
                 {"--epochs", std::to_string(plan().epochs), "--workers", std::to_string(workers), "--loaders",
                  std::to_string(loaders), "--max-restarts", "1000000", "--hang-timeout",
                  std::to_string(ms(hang_timeout) / 1000), "--report", path(report)});
  }

  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  // A living child, by chance.
  std::optional<support::ProcessInfo> pick(const Program& program) {
    std::vector<support::ProcessInfo> found = program.processes();
    std::erase_if(found, [&](const auto& process) { return !process.name.starts_with("feral-"); });
    if (found.empty()) return std::nullopt;
    return found[below(found.size())];
  }

  // Kills one, or stops it; one that was stopped is dead when the launcher has noticed.
  void strike(Program& program, Onlooker& onlooker) {
    std::optional<support::ProcessInfo> victim;
    support::eventually([&] {
      onlooker.look();
      return (victim = pick(program)).has_value() || program.wait(milliseconds(0));
    });
    if (!victim) return;
    const bool stop = below(25) == 0;
    const Clock::time_point now = Clock::now();
    if (::kill(victim->pid, stop ? SIGSTOP : SIGKILL) != 0) return;
    ++strikes_;
    if (stop) {
      ++stops_;
      return;
    }
    if (!victim->name.starts_with("feral-worker-")) return;
    ++worker_kills_;
    const std::size_t index = std::stoul(victim->name.substr(std::string("feral-worker-").size()));
    support::eventually([&] {
      const char state = support::process_info(victim->pid).state;
      return state == '?' || state == 'Z' || state == 'X';
    });
    const bool lived_long = !last_death_.contains(index) || now - last_death_[index] > settled + milliseconds(500);
    last_death_[index] = now;
    onlooker.worker_died(index, now, lived_long);
  }

  // Lets the time of the job go on while looking at it.
  static void look_for(Program& program, Onlooker& onlooker, milliseconds time) {
    const Clock::time_point end = Clock::now() + time;
    while (Clock::now() < end && !program.wait(milliseconds(1))) onlooker.look();
  }

  std::uint64_t seed_ = 0;
  std::mt19937_64 random_;
  int strikes_ = 0;
  int stops_ = 0;
  int worker_kills_ = 0;
  std::map<std::size_t, Clock::time_point> last_death_;
};

TEST_F(Chaos, KillsAtRandomInstantsCostNoSampleAndNoWaitLongerThanTheBackoff) {
  Program program(support::feral_program, arguments("report.json"));
  Onlooker onlooker(program);
  EXPECT_TRUE(support::eventually([&] { return program.processes().size() == children + 1; }));
  const std::size_t descriptors = support::descriptors_of(program.pid()).size();
  const std::uint64_t resident = resident_kib(program.pid());

  // At moments of the first nine tenths of the job's progress, whatever its speed.
  const std::uint64_t items = onlooker.arena().ring().item_count();
  std::vector<std::uint64_t> moments;
  for (int i = 0; i < plan().kills; ++i) moments.push_back(onlooker.done() + below(items * 9 / 10));
  std::ranges::sort(moments);
  for (const std::uint64_t moment : moments) {
    while (onlooker.done() < moment && !program.wait(milliseconds(0))) {
      onlooker.look();
      ::poll(nullptr, 0, 1);
    }
    // And some right after another, when the replacement has hardly begun.
    look_for(program, onlooker, milliseconds(below(3) == 0 ? below(60) : 0));
    strike(program, onlooker);
  }
  const bool all_back = support::eventually([&] {
    onlooker.look();
    return program.wait(milliseconds(0)) || program.processes().size() == children + 1;
  });
  EXPECT_TRUE(all_back);
  if (!program.wait(milliseconds(0))) {
    EXPECT_TRUE(support::eventually([&] {
      onlooker.look();
      return program.wait(milliseconds(0)) || support::descriptors_of(program.pid()).size() == descriptors;
    })) << testing::PrintToString(support::descriptors_of(program.pid()));
  }
  const std::uint64_t resident_after = resident_kib(program.pid());
  while (!program.wait(milliseconds(1))) onlooker.look();

  ASSERT_EQ(program.exit_code(), 0) << program.errors();
  EXPECT_TRUE(program.processes().empty());
  const nlohmann::json end = report();
  EXPECT_EQ(end.at("samples_seen_per_epoch"), std::vector<int>(plan().epochs, plan().samples));
  EXPECT_EQ(end.at("steps"), items);
  EXPECT_LE(end.at("batches_redone").get<int>(), end.at("worker_restarts").get<int>());
  EXPECT_GE(strikes_, plan().kills * 9 / 10) << "there was nobody to kill";
  if (resident_after != 0) {
    EXPECT_LT(resident_after, resident + 4096) << "KiB of the launcher";
  }

  std::cout << fmt::format(
      "{} strikes ({} of them SIGSTOP), {} workers and {} loaders replaced, {} batches redone, {} steps\n"
      "longest time without a batch finished: {:.0f} ms\n"
      "from a kill to the first batch of the replacement: {}\n"
      "the same with the restart backoff before it: {}\n"
      "launcher: {} KiB before, {} KiB after; test accuracy {:.4f}\n",
      strikes_, stops_, end.at("worker_restarts").get<int>(), end.at("loader_restarts").get<int>(),
      end.at("batches_redone").get<int>(), end.at("steps").get<int>(), ms(onlooker.longest_standstill()),
      spread(onlooker.restarts()), spread(onlooker.restarts_after_backoff()), resident, resident_after,
      end.at("test_accuracy").get<double>());
  // All workers at once in their backoff, or stopped and the backoff after it; and a start on a busy machine.
  EXPECT_LT(onlooker.longest_standstill(), 2 * hang_timeout + longest_backoff + milliseconds(1000));

  if (!long_form()) {
    EXPECT_GE(end.at("test_accuracy"), 0.95);
    return;
  }
  Program undisturbed(support::feral_program, arguments("undisturbed.json"));
  ASSERT_EQ(undisturbed.exit_code(std::chrono::minutes(30)), 0);
  const auto same = nlohmann::json::parse(support::content_of(path("undisturbed.json")));
  std::cout << fmt::format("undisturbed: test accuracy {:.4f}, {:.0f} samples/s; with the kills {:.0f} samples/s\n",
                           same.at("test_accuracy").get<double>(), same.at("samples_per_second").get<double>(),
                           end.at("samples_per_second").get<double>());
  EXPECT_NEAR(end.at("test_accuracy").get<double>(), same.at("test_accuracy").get<double>(), 0.01);
}

TEST_F(Chaos, NobodyOutlivesALauncherKilledAtARandomInstant) {
  const auto within = support::gone_within;
  std::vector<Clock::duration> times;
  for (int i = 0; i < plan().launcher_kills; ++i) {
    Program program(support::feral_program,
                    train("lenet", data(), {"--epochs", support::endless, "--workers", "2"}));
    const auto until = Clock::now() + std::chrono::microseconds(below(700'000));
    support::eventually([&] { return Clock::now() >= until; });
    // Now and then one of the children is stopped as well.
    if (below(4) == 0) {
      if (const auto victim = pick(program)) ::kill(victim->pid, SIGSTOP);
    }
    program.signal(SIGKILL);
    const Clock::time_point killed = Clock::now();
    ASSERT_TRUE(program.gone(within)) << "launcher " << i;
    times.push_back(Clock::now() - killed);
  }
  std::cout << "until all were gone: " << spread(times) << "\n";
}

}  // namespace
}  // namespace feral
