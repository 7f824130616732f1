#include "launcher/job_checkpoints.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/fail.hpp"
#include "workers/resume.hpp"

namespace feral {
namespace {

namespace fs = std::filesystem;

std::string counted(std::uint64_t number, const char* noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace

JobCheckpoints::JobCheckpoints(const TrainOptions& options) : folder_(options.checkpoint) {
  if (!on()) return;
  if (options.resume && !fs::exists(folder_)) {
    fail("--resume: there is no folder {}; leave --resume out to begin anew", folder_.string());
  }
  open_folder();
  if (!options.resume) {
    const std::vector<std::uint64_t> steps = checkpoint_steps(folder_);
    if (steps.empty() && !fs::exists(best_checkpoint_path(folder_))) return;
    fail(
        "--checkpoint {}: holds the checkpoints of another run; --resume goes on from them, another folder begins "
        "anew",
        folder_.string());
  }
  CheckpointSearch search = newest_checkpoint(folder_);
  skipped_ = std::move(search.skipped);
  found_ = std::move(search.found);
  if (found_) return;
  if (skipped_.empty()) {
    fail("--resume: there is no checkpoint in {}; leave --resume out to begin anew", folder_.string());
  }
  fail("--resume: none of the {} in {} is whole; of the newest: {}", counted(skipped_.size(), "checkpoint"),
       folder_.string(), skipped_.front());
}

JobCheckpoints::~JobCheckpoints() {
  if (on() && lock_) remove_temporaries(folder_);
}

void JobCheckpoints::open_folder() {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (!fs::is_directory(folder_)) {
    fail("--checkpoint {}: {}", folder_.string(),
         fs::exists(folder_) ? "is a file, name a folder" : "cannot make that folder: " + error.message());
  }
  shm::Fd lock(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) fail_errno(fmt::format("--checkpoint {}: cannot open that folder", folder_.string()));
  // Some file systems have no locks: then nobody is kept out.
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    fail("--checkpoint {}: another job writes its checkpoints there", folder_.string());
  }
  remove_temporaries(folder_);
  const fs::path trial = folder_ / fmt::format(".feral-trial-{}.tmp", ::getpid());
  const shm::Fd file(::open(trial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) fail_errno(fmt::format("--checkpoint {}: cannot write there", folder_.string()));
  ::unlink(trial.c_str());
  lock_ = std::move(lock);
}

void JobCheckpoints::check(const JobBlock& block, const std::string& model) const {
  if (found_) check_resumable(found_->record, block, model, found_->path.string());
}

std::vector<std::string> JobCheckpoints::lines(const JobBlock& block) const {
  std::vector<std::string> lines;
  for (const std::string& reason : skipped_) lines.push_back("passed over " + reason);
  if (found_) {
    const std::uint64_t per_epoch = block.plan.batches_per_epoch();
    lines.push_back(fmt::format("goes on from {} ({}): {} of {} done, in epoch {}", found_->path.string(),
                                name_of(found_->record.mode), found_->step,
                                counted(per_epoch * block.epochs, "step"),
                                found_->record.position.low_water() / per_epoch + 1));
  }
  return lines;
}

std::uint64_t JobCheckpoints::restore(JobArena& arena) const {
  return found_ ? restore_position(found_->record, arena) : 0;
}

std::uint64_t JobCheckpoints::samples_before() const noexcept {
  std::uint64_t samples = 0;
  if (!found_) return samples;
  for (std::uint64_t epoch = 0; epoch < found_->record.epochs; ++epoch) {
    samples += found_->record.position.samples_done(found_->record.plan, epoch);
  }
  return samples;
}

std::uint64_t JobCheckpoints::epochs_evaluated() const noexcept {
  if (!found_ || found_->record.evaluations.empty()) return 0;
  return found_->record.evaluations.back().epoch + 1;
}

std::string JobCheckpoints::newest(JobArena& arena) const {
  const std::uint64_t newest = arena.checkpoint().newest.load();
  return newest == 0 ? "" : checkpoint_path(folder_, newest - 1).string();
}

std::string JobCheckpoints::what_is_kept(JobArena* arena) const {
  if (!on()) return "nothing was kept: --checkpoint DIR would have";
  if (arena == nullptr || arena->checkpoint().newest.load() == 0)
    return "nothing was kept: no checkpoint was written";
  const std::uint64_t behind = arena->ring().done_count() + 1 - arena->checkpoint().newest.load();
  if (arena->checkpoint().written.load() == 0) return fmt::format("no new checkpoint, {} stands", newest(*arena));
  return fmt::format("checkpoint written to {}{}", newest(*arena),
                     behind == 0 ? "" : fmt::format(", {} before", counted(behind, "step")));
}

}  // namespace feral
