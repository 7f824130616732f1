// What all optimizers share: parameter groups, the state and where it lies, the step.
//
// The state of an optimizer is one flat region, laid out like a model's parameters (nn/flat_parameters.hpp): the
// step counts of all parameters, one 64-bit word each, and then each kind of state (say exp_avg_sq, exp_avg) of all
// parameters one after the other, each on a boundary of tensor_alignment_bytes. It is private memory of this object
// until bind_state() puts it somewhere else: into the arena, where all workers share it.
//
// The order of writing. A step goes through the parameters in their order. Of each it
//   1. adds 1 to the parameter's step count (atomically when the state is shared);
//   2. goes through the elements in blocks of a vector, and of a block writes the states in the order of
//      state_kinds(): what the update divides by (second moments, sums of squares, norms, step sizes) before what
//      it divides (first moments, momentum);
//   3. writes the block of weights last.
// Each element is aligned and written once, so nobody ever reads a torn value (tensor/racy.hpp). A process killed
// between any two of these writes leaves a state that training goes on from:
//   - a count is at least 1 when a bias correction is made from it, and never below the number of updates that the
//     moments hold, so no correction divides by 0 and a step can only come out smaller than without the kill;
//   - no element's first moment holds a gradient that its second moment lacks, so none is divided by eps alone;
//   - weights that were not reached miss one update, as when two workers overwrite each other.
// Workers without a lock race on the elements as on the parameters: an update of a moment can be lost, and the two
// moments of an element may for a while be of two workers. Rules whose quotient that could make large hold it to
// what whole steps can give (adam_update.hpp, adamax.cpp). Whoever wants whole steps in some serial order takes the
// stripes of set_lock().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "optim/operands.hpp"
#include "shm/owner_lock.hpp"
#include "tensor/tensor.hpp"

namespace feral::optim {

// Parameters with options of their own.
template <class Options>
struct ParameterGroup {
  std::vector<Tensor> parameters;
  Options options = {};
};

// One kind of state that a rule keeps of each parameter, in the parameter's shape and type.
struct StateKind {
  const char* name;    // PyTorch's: "exp_avg"
  double initial = 0;  // every element before the first step
};

// A part of the state by name: "0.exp_avg" is that of parameter 0, "0.step" (int64, scalar) its count.
struct NamedState {
  std::string name;
  Tensor tensor;  // a view of the state, alive as long as the optimizer (or the region that it is bound to)
};

class Optimizer;

// What a worker of a job puts around every step of its optimizer (Optimizer::set_gate).
class StepGate {
 public:
  virtual ~StepGate() = default;
  // Before the first write of a step, with all gradients there, which it may change. false: the step is left out.
  virtual bool enter(Optimizer& optimizer) = 0;
  // After the last write of a step that was let in.
  virtual void leave(Optimizer& optimizer) = 0;
};

// Belongs to one thread. Neither copied nor moved: named states are views.
class Optimizer {
 public:
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer();

  // Updates the parameters in place from their gradients, which stay; parameters without one stay as they are and
  // their counts too, as in PyTorch. A sparse gradient alone updates its rows (step_rows); beside a dense one it is
  // added to that. The parameters may be live shared memory. Allocates nothing from the heap after the first call.
  // Throws feral::Error, before anything is written, for a gradient of a kind that the rule does not take.
  virtual void step();
  // Evaluates `closure`, which drops old gradients, computes the loss and its gradients, then steps. Returns the
  // loss. Rules that need several evaluations a step (LBFGS) have this form only.
  virtual Tensor step(const std::function<Tensor()>& closure);
  virtual bool needs_closure() const noexcept { return false; }

  // A step of one parameter whose gradient is known for some rows alone: rows, int64 [k], ascending and unique;
  // values [k, …] of the parameter's type, a row each. Costs what the rows cost. Only SGD without momentum, Adagrad
  // and SparseAdam have it, and none with weight decay: the others would change every row; they throw feral::Error.
  void step_rows(const Tensor& parameter, const Tensor& rows, const Tensor& values);

  void zero_grad();  // drops the gradients

  // --- groups and learning rates
  std::size_t group_count() const noexcept { return groups_.size(); }
  double lr(std::size_t group = 0) const { return checked(group).lr; }
  double initial_lr(std::size_t group = 0) const { return checked(group).initial_lr; }
  void set_lr(double lr);                     // of all groups
  void set_lr(std::size_t group, double lr);  // of one
  void set_lr_factor(double factor);          // every group's own initial rate, times `factor`
  // Momentum, or the first of betas, of all groups. Rules without either ignore it; has_momentum() says which.
  virtual void set_momentum(double) {}
  virtual bool has_momentum() const noexcept { return false; }
  std::span<const Tensor> parameters() const noexcept { return parameters_; }

  // --- state
  // How many steps parameter `index` has had: by all workers together when the state is shared.
  std::uint64_t step_count(std::size_t index = 0) const;
  std::size_t state_bytes() const noexcept { return state_bytes_; }
  // Writes the state that is there before the first step into `region` (state_bytes() long, zeroes).
  void initialize_state(std::span<std::byte> region) const;
  // From here on the state is what lies in `region` (state_bytes() long, aligned to tensor_alignment_bytes;
  // initialize_state() was called on it once, by whoever made it), which must outlive this object. With
  // Sharing::many others may be bound to it at the same time; with Sharing::one it is kept there for whoever comes
  // after.
  enum class Sharing { one, many };
  void bind_state(std::span<std::byte> region, Sharing sharing = Sharing::many);
  // All of the state. Copying every tensor and copying it back (load_state) restores it bit for bit.
  std::vector<NamedState> named_state();
  // Throws feral::Error, before anything is written, for a name that is missing, unknown, or has another shape or
  // type.
  void load_state(const std::map<std::string, Tensor>& state);

  // Makes every step() and step_rows() go through `stripes` as `owner`; empty: without (the default). The
  // parameters are spread over the stripes in their order, by elements, and a parameter is updated under its
  // stripe. A step takes them hand over hand, in ascending order and leaving out none: the next one before it lets
  // go of the last. So no step overtakes another, and all of them stand in one serial order, while several are
  // under way, each in another part of the parameters. All who share parameters must be given the same stripes.
  // LBFGS holds all of them for a whole step.
  void set_lock(std::span<shm::OwnerLock> stripes, shm::Owner owner = {}) noexcept;

  // Every step() and step_rows() asks the gate, which must outlive this object; nullptr: nobody (the default). The
  // gate is entered before a stripe is taken and left after all are free.
  void set_gate(StepGate* gate) noexcept { gate_ = gate; }

  // From here on every update of parameter `index` is counted in meters[index]; they must outlive this object.
  // Empty: none is (the default). Throws feral::Error for another number than there are parameters.
  void set_meters(std::span<UpdateMeter> meters);

 protected:
  // `name` is a literal, for messages.
  explicit Optimizer(const char* name) noexcept : name_(name) {}

  // For constructors. Throws feral::Error for parameters that cannot be updated in place, or stand here twice.
  void add_group(const std::vector<Tensor>& parameters, double lr, const std::vector<StateKind>& kinds);
  // State that belongs to no parameter. Returns its number for extra_state().
  std::size_t add_state(std::string name, const Shape& shape, DType dtype);

  // One parameter's part of a step, its `count`-th (from 1).
  virtual void update(std::size_t group, std::uint64_t count, const Operands& operands) = 0;
  // Why a gradient of some rows alone is refused; nothing when it is not.
  virtual const char* refuses_rows(std::size_t) const noexcept { return "it takes dense gradients only"; }
  virtual bool refuses_dense() const noexcept { return false; }

  void ensure_state();
  bool has_state() const noexcept { return state_ != nullptr; }
  Tensor extra_state(std::size_t number) const;  // after ensure_state()

  struct Group {
    double initial_lr;
    double lr;
  };
  const Group& group(std::size_t number) const noexcept { return groups_[number]; }
  const char* name() const noexcept { return name_; }

  // A step's way through the stripes of set_lock(), if there are any: begins in the first one.
  class LockScope {
   public:
    explicit LockScope(const Optimizer& optimizer) noexcept;
    // Lets go of what it holds.
    ~LockScope();
    LockScope(const LockScope&) = delete;
    LockScope& operator=(const LockScope&) = delete;

    // On to the stripe of that parameter; they must be asked for in their order.
    void go_to(std::size_t parameter) noexcept;
    // Takes all that are left and keeps them.
    void take_all() noexcept;

   private:
    const Optimizer& optimizer_;
    std::size_t first_ = 0;  // held: from here
    std::size_t last_ = 0;   // to here
  };

 private:
  struct Slot {
    std::size_t group;
    std::size_t states;  // how many
    DType dtype;         // of the parameter, when the state was laid out
    std::int64_t numel;
    std::int64_t elements_before;  // of the parameters before it
    std::size_t offsets[max_states];
    StateKind kinds[max_states];
  };
  struct Extra {
    std::string name;
    Shape shape;
    DType dtype;
    std::size_t offset;
  };

  // Throws feral::Error when there is no such group.
  const Group& checked(std::size_t group) const;
  void lay_out();
  void check_unchanged(std::size_t index) const;
  // The writing half of step(), under the stripes.
  void write_step();
  // Throws feral::Error when the rule or the parameter cannot take it.
  void check_rows(std::size_t index, const SparseGradient& gradient) const;
  void update_rows(std::size_t index, const SparseGradient& gradient);
  std::uint64_t count_step(std::size_t index) noexcept;
  std::uint64_t& count_of(std::size_t index) const noexcept;
  Operands operands_of(std::size_t index) const noexcept;

  const char* name_;
  std::vector<Group> groups_;
  std::vector<Tensor> parameters_;
  std::vector<Slot> slots_;  // one a parameter
  std::vector<Extra> extras_;
  std::size_t state_bytes_ = 0;
  Tensor private_state_;  // bytes; undefined before the first use and once bound
  std::byte* state_ = nullptr;
  bool shared_ = false;
  StepGate* gate_ = nullptr;
  std::span<shm::OwnerLock> stripes_;
  std::span<UpdateMeter> meters_;
  shm::Owner owner_;
};

// The groups with their options, for the rules.
template <class Options>
class GroupedOptimizer : public Optimizer {
 public:
  using Group = ParameterGroup<Options>;

  // As constructed, but for what set_momentum() changed; the learning rate is lr(group).
  const Options& options(std::size_t group = 0) const {
    static_cast<void>(lr(group));  // throws feral::Error when there is no such group
    return options_[group];
  }

  // Adds a group before the first use of the state, which it changes the layout of.
  void add_param_group(const Group& group) {
    check_(group.options);
    add_group(group.parameters, group.options.lr, kinds_(group.options));
    options_.push_back(group.options);
  }

 protected:
  using Check = void (*)(const Options&);
  using Kinds = std::vector<StateKind> (*)(const Options&);

  // `check` throws feral::Error for options out of range; `kinds` lists the state that they need.
  GroupedOptimizer(const char* name, Check check, Kinds kinds) noexcept
      : Optimizer(name), check_(check), kinds_(kinds) {}
  void add_groups(const std::vector<Group>& groups) {
    for (const Group& group : groups) add_param_group(group);
  }

  std::vector<Options> options_;

 private:
  Check check_;
  Kinds kinds_;
};

}  // namespace feral::optim
