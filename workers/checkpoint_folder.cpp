#include "workers/checkpoint_folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <system_error>

#include "core/fail.hpp"
#include "tensor/safetensors.hpp"

namespace feral {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "step-";
constexpr std::string_view suffix = ".safetensors";
constexpr std::string_view temporary_prefix = ".feral-";  // as OutputFile has it
constexpr std::string_view temporary_suffix = ".tmp";

std::optional<std::uint64_t> step_of(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  name.remove_suffix(std::min(suffix.size(), name.size()));
  std::uint64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return step;
}

template <class Function>
void each_name(const fs::path& folder, const Function& function) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    function(it->path().filename().string());
  }
}

FoundCheckpoint look_at(const fs::path& folder, std::uint64_t step) {
  FoundCheckpoint found{.path = checkpoint_path(folder, step), .step = step, .record = {}};
  const std::string file = found.path.string();
  const SafetensorsFile content = check_safetensors(found.path);
  if (!content.checked) fail("{}: has no checksums: it was written by another program", file);
  found.record = record_of(content.metadata, file);
  if (found.record.position.done_count() != step) {
    fail("{}: is the checkpoint of step {}", file, found.record.position.done_count());
  }
  return found;
}

}  // namespace

fs::path checkpoint_path(const fs::path& folder, std::uint64_t step) {
  return folder / fmt::format("{}{:012}{}", prefix, step, suffix);
}

fs::path best_checkpoint_path(const fs::path& folder) { return folder / "best.safetensors"; }

std::vector<std::uint64_t> checkpoint_steps(const fs::path& folder) {
  std::vector<std::uint64_t> steps;
  each_name(folder, [&](const std::string& name) {
    const std::optional<std::uint64_t> step = step_of(name);
    if (step && checkpoint_path(folder, *step).filename() == name) steps.push_back(*step);
  });
  std::ranges::sort(steps);
  return steps;
}

void remove_temporaries(const fs::path& folder) noexcept {
  try {
    each_name(folder, [&](const std::string& name) {
      if (name.starts_with(temporary_prefix) && name.ends_with(temporary_suffix)) {
        ::unlink((folder / name).c_str());
      }
    });
  } catch (const std::exception&) {  // no memory: they stay for the next one
  }
}

void prune_checkpoints(const fs::path& folder, std::uint64_t newest, std::int64_t keep) noexcept {
  try {
    std::int64_t kept = 0;
    for (const std::uint64_t step : checkpoint_steps(folder) | std::views::reverse) {
      if (step <= newest && ++kept > keep) ::unlink(checkpoint_path(folder, step).c_str());
    }
  } catch (const std::exception&) {
  }
}

void keep_as_best(const fs::path& folder, std::uint64_t step) {
  const fs::path best = best_checkpoint_path(folder);
  const fs::path temporary = folder / fmt::format("{}best-{}{}", temporary_prefix, ::getpid(), temporary_suffix);
  std::error_code error;
  fs::remove(temporary, error);
  fs::create_hard_link(checkpoint_path(folder, step), temporary, error);
  if (error) fs::copy_file(checkpoint_path(folder, step), temporary, error);
  if (!error) fs::rename(temporary, best, error);
  std::error_code ignored;
  fs::remove(temporary, ignored);  // a rename onto another name of the same file does nothing
  if (error) fail("{}: cannot write the file: {}", best.string(), error.message());
}

CheckpointSearch newest_checkpoint(const fs::path& folder) {
  CheckpointSearch search;
  for (const std::uint64_t step : checkpoint_steps(folder) | std::views::reverse) {
    try {
      search.found = look_at(folder, step);
      return search;
    } catch (const Error& error) {
      search.skipped.emplace_back(error.what());
    }
  }
  return search;
}

}  // namespace feral
