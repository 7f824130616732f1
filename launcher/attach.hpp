// Looking at the parameters of a running job from another process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nn/module.hpp"
#include "tensor/tensor.hpp"

namespace feral {

// A parameter or buffer of the job's model. The tensor is a view of the job's memory, which the workers go on
// writing: each look at it reads what stands there then, every element whole. The memory is mapped to read: an
// operation that writes to it ends this process (SIGSEGV); clone() what is to be changed.
struct AttachedTensor {
  std::string name;  // PyTorch's: "hidden.weight"
  Tensor tensor;
  bool is_buffer = false;        // else a parameter
  std::size_t offset_bytes = 0;  // within the job's parameters
};

// A job that this process looks at. The tensors stay readable as long as one of them or this object is there, also
// when the job has ended: then with its last values. Looking costs the job's workers nothing.
class AttachedJob {
 public:
  const std::string& name() const noexcept { return name_; }

  const std::vector<AttachedTensor>& tensors() const noexcept { return tensors_; }
  // Throws feral::Error when there is none of that name.
  const Tensor& tensor(std::string_view name) const;
  // All of them under their names, for Module::load_state_dict: model->load_state_dict(job.state_dict()) gives the
  // model the values of this moment.
  nn::StateDict state_dict() const;

  std::uint64_t steps() const noexcept;   // batches trained on
  std::uint64_t epochs() const noexcept;  // whole ones
  // Whether its launcher lives.
  bool running() const noexcept;

  AttachedJob(AttachedJob&&) noexcept;
  AttachedJob& operator=(AttachedJob&&) noexcept;
  ~AttachedJob();

 private:
  struct Memory;
  AttachedJob(std::string name, std::shared_ptr<Memory> memory);
  friend AttachedJob attach(const std::string& job);

  std::string name_;
  std::shared_ptr<Memory> memory_;
  std::vector<AttachedTensor> tensors_;
};

// `job` is its name or the pid of its launcher. Throws feral::Error when there is none of this user, and before it
// trains.
AttachedJob attach(const std::string& job);

}  // namespace feral
