#include "launcher/attach.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "core/fail.hpp"
#include "launcher/control_client.hpp"
#include "workers/job_arena.hpp"

namespace feral {

struct AttachedJob::Memory {
  mutable JobArena arena;  // nothing of it is written
  shm::Fd launcher;        // a pidfd
};

AttachedJob::AttachedJob(std::string name, std::shared_ptr<Memory> memory)
    : name_(std::move(name)), memory_(std::move(memory)) {
  const std::span<std::byte> parameters = memory_->arena.parameters();
  for (TensorEntry& entry : read_tensor_table(memory_->arena.tensors(), parameters.size())) {
    tensors_.push_back({.name = std::move(entry.name),
                        .tensor = Tensor::from_blob(parameters.data() + entry.offset_bytes, entry.shape,
                                                    entry.dtype, [keep = memory_](void*) {}),
                        .is_buffer = entry.is_buffer,
                        .offset_bytes = entry.offset_bytes});
  }
}

AttachedJob::AttachedJob(AttachedJob&&) noexcept = default;
AttachedJob& AttachedJob::operator=(AttachedJob&&) noexcept = default;
AttachedJob::~AttachedJob() = default;

const Tensor& AttachedJob::tensor(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &AttachedTensor::name);
  if (found == tensors_.end()) fail("job {}: it has no tensor '{}'", name_, name);
  return found->tensor;
}

nn::StateDict AttachedJob::state_dict() const {
  nn::StateDict state;
  for (const AttachedTensor& one : tensors_) state.emplace(one.name, one.tensor);
  return state;
}

std::uint64_t AttachedJob::steps() const noexcept { return memory_->arena.ring().done_count(); }

std::uint64_t AttachedJob::epochs() const noexcept {
  return memory_->arena.ring().low_water() / memory_->arena.job().plan.batches_per_epoch();
}

bool AttachedJob::running() const noexcept {
  pollfd end{.fd = memory_->launcher.get(), .events = POLLIN, .revents = 0};
  return end.fd >= 0 && ::poll(&end, 1, 0) == 0;
}

AttachedJob attach(const std::string& job) {
  ControlRequest request;
  request.kind = ControlRequest::Kind::attach;
  ControlAnswer answer = ask_job(job, request);
  if (!answer.arena) fail("job {}: it sent no memory with its answer", answer.status.name);
  const auto pid = static_cast<pid_t>(answer.status.pid);
  auto memory = std::make_shared<AttachedJob::Memory>(AttachedJob::Memory{
      JobArena::attach_to_read(answer.arena.get()), shm::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))});
  if (memory->arena.control().published.load(std::memory_order_acquire) == 0) {
    fail("job {}: it has not begun to train; ask again in a moment", answer.status.name);
  }
  return AttachedJob(answer.status.name, std::move(memory));
}

}  // namespace feral
