#include "workers/job_meters.hpp"

#include <cstring>

#include "core/fail.hpp"
#include "workers/job_arena.hpp"

namespace feral {
namespace {

constexpr int worker_shift = 40;
constexpr int what_shift = 56;
constexpr std::uint64_t item_mask = (std::uint64_t{1} << worker_shift) - 1;

}  // namespace

void JobMeters::plan(shm::ArenaPlan& plan, const JobBlock& block) {
  plan.add("updates", sizeof(UpdateCounter));
  plan.add("trouble", sizeof(TroubleWord));
  plan.add("meters", checked_multiply(block.max_workers, sizeof(WorkerMeters)));
  plan.add("lost_updates",
           checked_multiply(checked_multiply(block.max_workers, block.tensor_count), sizeof(LostRecord)));
  plan.add("tensor_names", block.tensor_name_bytes);
}

JobMeters::JobMeters(const shm::Arena& arena, const JobBlock& block)
    : updates_(&arena.object<UpdateCounter>("updates")),
      trouble_(&arena.object<TroubleWord>("trouble")),
      workers_(arena.array<WorkerMeters>("meters", block.max_workers)),
      lost_(arena.array<LostRecord>("lost_updates", checked_multiply(block.max_workers, block.tensor_count))),
      names_(arena.array<char>("tensor_names", block.tensor_name_bytes)),
      tensor_count_(block.tensor_count) {}

std::size_t JobMeters::tensor_name_bytes(const std::vector<std::string>& names) noexcept {
  std::size_t bytes = 0;
  for (const std::string& name : names) bytes += name.size() + 1;
  return bytes;
}

void JobMeters::set_tensor_names(const std::vector<std::string>& names) noexcept {
  if (tensor_name_bytes(names) != names_.size()) return;
  char* to = names_.data();
  for (const std::string& name : names) {
    std::memcpy(to, name.c_str(), name.size() + 1);
    to += name.size() + 1;
  }
}

std::string_view JobMeters::tensor_name(std::size_t tensor) const noexcept {
  std::string_view rest(names_.data(), names_.size());
  for (;;) {
    const std::string_view name = rest.substr(0, rest.find('\0'));
    if (tensor == 0 || name.size() + 1 >= rest.size()) return tensor == 0 ? name : "?";
    rest.remove_prefix(name.size() + 1);
    --tensor;
  }
}

void JobMeters::raise(const TroubleReport& report) noexcept {
  std::uint64_t expected = 0;
  trouble_->word.compare_exchange_strong(expected,
                                         static_cast<std::uint64_t>(report.what) << what_shift |
                                             std::uint64_t{report.worker} << worker_shift |
                                             (report.item & item_mask),
                                         std::memory_order_relaxed);
}

std::optional<TroubleReport> JobMeters::trouble() const noexcept {
  const std::uint64_t word = trouble_->word.load(std::memory_order_relaxed);
  if (word == 0) return std::nullopt;
  return TroubleReport{.what = static_cast<Trouble>(word >> what_shift),
                       .worker = static_cast<std::uint16_t>(word >> worker_shift),
                       .item = word & item_mask};
}

}  // namespace feral
