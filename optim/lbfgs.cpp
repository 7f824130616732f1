#include "optim/lbfgs.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"
#include "optim/check_options.hpp"
#include "tensor/racy.hpp"

namespace feral::optim {
namespace {

// The numbers among the state, float64.
enum Number { iterations, evaluations_done, stored, newest, step_length, scale, number_count };

// The order in which the constructor adds the state.
enum State { direction, last_gradient, gradient_changes, weight_changes, curvatures, numbers };

// Vectors of a step: gradients at up to four points of a line, the weights where it starts, and coefficients.
constexpr std::int64_t gradient_buffers = 4;
constexpr std::int64_t work_vectors = gradient_buffers + 1;

// A point of the line that is searched: its distance, loss, slope, and which buffer has its gradient.
struct Point {
  double t = 0;
  double loss = 0;
  double slope = 0;
  int gradient = 0;
};

// Where the cubic through both points, with their slopes, is smallest, within [low, high].
double cubic_minimum(const Point& a, const Point& b, double low, double high) {
  const Point& left = a.t <= b.t ? a : b;
  const Point& right = a.t <= b.t ? b : a;
  const double d1 = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.t - right.t);
  const double square = d1 * d1 - left.slope * right.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double at = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return std::min(std::max(at, low), high);
}

double cubic_minimum(const Point& a, const Point& b) {
  return cubic_minimum(a, b, std::min(a.t, b.t), std::max(a.t, b.t));
}

}  // namespace

// One step, on elements of T.
template <class T>
class LBFGS::Solver {
 public:
  Solver(LBFGS& own, const std::function<Tensor()>& closure)
      : own_(own),
        options_(own.options_),
        closure_(closure),
        n_(static_cast<std::size_t>(own.elements_)),
        direction_(own.extra_state(direction).data<T>()),
        last_gradient_(own.extra_state(last_gradient).data<T>()),
        changes_(own.extra_state(gradient_changes).data<T>()),
        moves_(own.extra_state(weight_changes).data<T>()),
        curvatures_(own.extra_state(curvatures).data<double>()),
        numbers_(own.extra_state(numbers).data<double>()),
        work_(own.work_.data<T>()),
        start_(work_ + gradient_buffers * own.elements_) {}

  Tensor run() {
    const int max_eval = options_.max_eval.value_or(options_.max_iter * 5 / 4);
    const double lr = own_.lr();
    Tensor first;
    double loss = evaluate(gradient_, &first);
    int evaluations = 1;
    if (largest(gradient()) <= options_.tolerance_grad) return first;
    for (int iteration = 1; iteration <= options_.max_iter; ++iteration) {
      numbers_[iterations] += 1;
      choose_direction();
      std::copy_n(gradient(), n_, last_gradient_);
      const double loss_before = loss;
      double t = numbers_[iterations] == 1 ? std::min(1.0, 1 / sum_of_magnitudes(gradient())) * lr : lr;
      const double slope = dot(gradient(), direction_);
      if (slope > -options_.tolerance_change) break;
      int used = 0;
      if (options_.line_search_fn == LineSearch::strong_wolfe) {
        const Point found = search(t, {0, loss, slope, gradient_}, max_eval - evaluations, used);
        t = found.t;
        loss = found.loss;
        gradient_ = found.gradient;
        place(t);
      } else {
        keep_start();
        place(t);
        if (iteration != options_.max_iter) {
          loss = evaluate(gradient_);
          used = 1;
        }
      }
      numbers_[step_length] = t;
      evaluations += used;
      if (iteration == options_.max_iter || evaluations >= max_eval) break;
      if (largest(gradient()) <= options_.tolerance_grad) break;
      if (std::abs(t) * largest(direction_) <= options_.tolerance_change) break;
      if (std::abs(loss - loss_before) < options_.tolerance_change) break;
    }
    return first;
  }

 private:
  T* buffer(int number) const { return work_ + static_cast<std::size_t>(number) * n_; }
  const T* gradient() const { return buffer(gradient_); }

  double dot(const T* a, const T* b) const {
    constexpr std::size_t parts = 8;  // sums that do not wait for each other
    double sums[parts] = {};
    std::size_t i = 0;
    for (; i + parts <= n_; i += parts) {
      for (std::size_t k = 0; k < parts; ++k) {
        sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
      }
    }
    for (; i < n_; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    double sum = 0;
    for (const double part : sums) sum += part;
    return sum;
  }
  void add_scaled(T* to, double factor, const T* what) const {
    const T f = static_cast<T>(factor);
    for (std::size_t i = 0; i < n_; ++i) to[i] += f * what[i];
  }
  double largest(const T* values) const {
    double result = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      const double magnitude = std::abs(static_cast<double>(values[i]));
      if (!(magnitude <= result)) result = magnitude;  // a NaN wins
    }
    return result;
  }
  double sum_of_magnitudes(const T* values) const {
    double sum = 0;
    for (std::size_t i = 0; i < n_; ++i) sum += std::abs(static_cast<double>(values[i]));
    return sum;
  }

  // Loss (negated to maximize) and gradient where the parameters are.
  double evaluate(int into, Tensor* as_given = nullptr) {
    Tensor loss;
    {
      const GradModeGuard recording(true);
      loss = closure_();
    }
    numbers_[evaluations_done] += 1;
    const T sign = options_.maximize ? T{-1} : T{1};
    T* to = buffer(into);
    for (const Tensor& parameter : own_.parameters()) {
      if (parameter.sparse_grad().defined())
        fail("LBFGS: a parameter has a sparse gradient, but it takes dense ones");
      const Tensor given = parameter.grad();
      const auto count = static_cast<std::size_t>(parameter.numel());
      if (given.defined()) {
        const Tensor whole = given.contiguous();
        for (std::size_t i = 0; i < count; ++i) to[i] = sign * whole.data<T>()[i];
      } else {
        std::fill_n(to, count, T{0});
      }
      to += count;
    }
    if (as_given != nullptr) *as_given = loss;
    return static_cast<double>(sign) * loss.item();
  }

  void keep_start() {
    T* to = start_;
    for (const Tensor& parameter : own_.parameters()) {
      const auto count = static_cast<std::size_t>(parameter.numel());
      racy_copy(to, parameter.data<T>(), count);
      to += count;
    }
  }
  // The parameters at distance t from the start.
  void place(double t) {
    const T factor = static_cast<T>(t);
    const T* from = start_;
    const T* along = direction_;
    for (const Tensor& parameter : own_.parameters()) {
      T* to = parameter.data<T>();
      for (std::int64_t i = 0; i < parameter.numel(); ++i) racy_store(to + i, *from++ + factor * *along++);
      parameter.touch();
    }
  }

  // The pair of changes that was stored `age` iterations ago.
  std::size_t pair(int age) const {
    const int size = options_.history_size;
    return static_cast<std::size_t>((static_cast<int>(numbers_[newest]) - age + size) % size);
  }

  void remember() {
    // What the gradient changed by, kept where the next pair goes once it is found worth keeping.
    const auto next = (numbers_[stored] == 0) ? std::size_t{0} : pair(-1);
    const double t = numbers_[step_length];
    double ys = 0;
    double yy = 0;
    const T length = static_cast<T>(t);
    for (std::size_t i = 0; i < n_; ++i) {
      const T y = gradient()[i] - last_gradient_[i];
      ys += static_cast<double>(y) * static_cast<double>(direction_[i] * length);
      yy += static_cast<double>(y) * static_cast<double>(y);
    }
    if (!(ys > 1e-10)) return;
    T* change = changes_ + next * n_;
    T* move = moves_ + next * n_;
    for (std::size_t i = 0; i < n_; ++i) {
      change[i] = gradient()[i] - last_gradient_[i];
      move[i] = direction_[i] * length;
    }
    curvatures_[next] = 1 / ys;
    numbers_[newest] = static_cast<double>(next);
    numbers_[stored] = std::min(numbers_[stored] + 1, static_cast<double>(options_.history_size));
    numbers_[scale] = ys / yy;
  }

  // Minus the gradient times the approximate inverse of the Hessian: the two loops of L-BFGS.
  void choose_direction() {
    if (numbers_[iterations] == 1) {
      numbers_[scale] = 1;
    } else {
      remember();
    }
    for (std::size_t i = 0; i < n_; ++i) direction_[i] = -gradient()[i];
    const int count = static_cast<int>(numbers_[stored]);
    auto* coefficients = curvatures_ + options_.history_size;
    for (int age = 0; age < count; ++age) {
      const std::size_t k = pair(age);
      coefficients[k] = dot(moves_ + k * n_, direction_) * curvatures_[k];
      add_scaled(direction_, -coefficients[k], changes_ + k * n_);
    }
    const T initial = static_cast<T>(numbers_[scale]);
    for (std::size_t i = 0; i < n_; ++i) direction_[i] *= initial;
    for (int age = count - 1; age >= 0; --age) {
      const std::size_t k = pair(age);
      const double beta = dot(changes_ + k * n_, direction_) * curvatures_[k];
      add_scaled(direction_, coefficients[k] - beta, moves_ + k * n_);
    }
  }

  static int free_buffer(std::initializer_list<int> taken) {
    int number = 0;
    while (std::ranges::find(taken, number) != taken.end()) ++number;
    return number;
  }

  Point at(double t, int into) {
    place(t);
    const double loss = evaluate(into);
    return {t, loss, dot(buffer(into), direction_), into};
  }

  // A point from `origin` along the direction that fulfils the strong Wolfe conditions, or the best that was found.
  Point search(double t, const Point& origin, int max_rounds, int& evaluations) {
    constexpr double decrease = 1e-4;
    constexpr double flatness = 0.9;
    keep_start();
    const auto too_high = [&](const Point& p) { return p.loss > origin.loss + decrease * p.t * origin.slope; };
    const auto flat = [&](const Point& p) { return std::abs(p.slope) <= -flatness * origin.slope; };
    Point before = origin;
    Point now = at(t, free_buffer({origin.gradient}));
    evaluations = 1;
    Point low;
    Point high;
    int round = 0;
    bool bracketed = false;
    for (; round < max_rounds; ++round) {
      if (too_high(now) || (round > 1 && now.loss >= before.loss) || (!flat(now) && now.slope >= 0)) {
        bracketed = true;
        break;
      }
      if (flat(now)) return now;
      const double next = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
      before = now;
      now = at(next, free_buffer({origin.gradient, before.gradient}));
      ++evaluations;
    }
    if (!bracketed) before = origin;
    const bool first_is_low = before.loss <= now.loss;
    low = first_is_low ? before : now;
    high = first_is_low ? now : before;

    // Narrow the bracket. `low` is the best point so far that decreases the loss enough.
    const double length = largest(direction_);
    bool stuck = false;
    while (bracketed && round < max_rounds) {
      if (std::abs(high.t - low.t) * length < options_.tolerance_change) break;
      double next = cubic_minimum(low, high);
      const double left = std::min(low.t, high.t);
      const double right = std::max(low.t, high.t);
      const double margin = 0.1 * (right - left);
      // Too near to an end twice, or on it: move inside.
      if (std::min(right - next, next - left) < margin) {
        if (stuck || next >= right || next <= left) {
          next = std::abs(next - right) < std::abs(next - left) ? right - margin : left + margin;
          stuck = false;
        } else {
          stuck = true;
        }
      } else {
        stuck = false;
      }
      const Point trial = at(next, free_buffer({low.gradient, high.gradient}));
      ++evaluations;
      ++round;
      if (too_high(trial) || trial.loss >= low.loss) {
        high = trial;
        if (high.loss < low.loss) std::swap(low, high);
      } else {
        const bool done = flat(trial);
        if (!done && trial.slope * (high.t - low.t) >= 0) high = low;
        low = trial;
        if (done) break;
      }
    }
    return low;
  }

  LBFGS& own_;
  const LBFGSOptions& options_;
  const std::function<Tensor()>& closure_;
  std::size_t n_;
  T* direction_;
  T* last_gradient_;
  T* changes_;
  T* moves_;
  double* curvatures_;  // [history_size], and as many coefficients of the two loops
  double* numbers_;
  T* work_;
  T* start_;
  int gradient_ = 0;  // which buffer has the gradient at the parameters
};

LBFGS::LBFGS(const std::vector<Tensor>& parameters, LBFGSOptions options) : Optimizer("LBFGS"), options_(options) {
  check_not_negative("LBFGS", "the learning rate", options.lr);
  check_not_negative("LBFGS", "tolerance_grad", options.tolerance_grad);
  check_not_negative("LBFGS", "tolerance_change", options.tolerance_change);
  if (options.max_iter < 1) fail("LBFGS: max_iter must be at least 1, got {}", options.max_iter);
  if (options.history_size < 1) fail("LBFGS: history_size must be at least 1, got {}", options.history_size);
  add_group(parameters, options.lr, {});
  if (parameters.empty()) fail("LBFGS: it has no parameters");
  const DType dtype = parameters[0].dtype();
  for (const Tensor& parameter : parameters) {
    if (parameter.dtype() != dtype)
      fail("LBFGS: parameters of {} and {}", name_of(dtype), name_of(parameter.dtype()));
    elements_ += parameter.numel();
  }
  add_state("d", {elements_}, dtype);
  add_state("prev_flat_grad", {elements_}, dtype);
  add_state("old_dirs", {options.history_size, elements_}, dtype);
  add_state("old_stps", {options.history_size, elements_}, dtype);
  add_state("ro", {2, options.history_size}, DType::float64);
  add_state("numbers", {number_count}, DType::float64);
}

void LBFGS::step() { fail("LBFGS: step() needs a closure that computes the loss and its gradients anew"); }

Tensor LBFGS::step(const std::function<Tensor()>& closure) {
  const NoGradGuard no_grad;
  ensure_state();
  for (const Tensor& parameter : parameters()) {
    if (parameter.dtype() != parameters()[0].dtype() || !parameter.is_contiguous()) {
      fail("LBFGS: a parameter has become {}; make the optimizer after converting the model",
           parameter.to_string());
    }
  }
  LockScope locked(*this);
  locked.take_all();
  if (!work_.defined()) work_ = Tensor::empty({work_vectors * elements_}, parameters()[0].dtype());
  return visit_floating(work_.dtype(), [&]<class T>() { return Solver<T>(*this, closure).run(); });
}

std::uint64_t LBFGS::evaluations() const {
  return has_state() ? static_cast<std::uint64_t>(extra_state(numbers).data<double>()[evaluations_done]) : 0;
}

void LBFGS::update(std::size_t, std::uint64_t, const Operands&) {}

}  // namespace feral::optim
