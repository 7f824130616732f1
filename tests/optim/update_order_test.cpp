// The order of writing that optimizer.hpp promises, seen instruction by instruction.
#include <gtest/gtest.h>

#include <cmath>

#include "optim/adam.hpp"
#include "tests/support/shared_memory.hpp"
#include "tests/support/stepped.hpp"

namespace feral::optim {
namespace {

#ifdef FERAL_TEST_CAN_STEP

constexpr std::int64_t elements = 37;

struct Memory {
  alignas(64) float parameter[elements];
};

// After every instruction of a first step: a moment is there only with the count, a first moment only with the
// second one, a changed weight only with both.
TEST(UpdateOrder, OfAdamIsCountSecondMomentFirstMomentWeight) {
  if (!support::stepping_is_allowed()) GTEST_SKIP() << "ptrace is not allowed here";
  const support::Shared<Memory> memory;
  const Tensor parameter = Tensor::borrow(memory->parameter, {elements}, DType::float32);
  parameter.set_grad(Tensor::ones({elements}));
  Adam optimizer({parameter});
  const support::SharedMemory state(optimizer.state_bytes());
  optimizer.bind_state(state.bytes());
  const auto* count = reinterpret_cast<const std::uint64_t*>(state.bytes().data());
  const auto* second = reinterpret_cast<const float*>(state.bytes().data() + 64);
  const auto* first = second + 48;  // 37 floats take 192 bytes
  support::Stepped child([&] {
    optimizer.step();
    return 0;
  });
  int seen_between = 0;
  std::uint64_t instructions = 0;
  do {
    ++instructions;
    for (std::int64_t e = 0; e < elements; ++e) {
      ASSERT_TRUE(second[e] == 0 || *count == 1) << instructions;
      ASSERT_TRUE(first[e] == 0 || second[e] != 0) << instructions << ": element " << e;
      ASSERT_TRUE(memory->parameter[e] == 0 || first[e] != 0) << instructions << ": element " << e;
      seen_between += second[e] != 0 && first[e] == 0 ? 1 : 0;
    }
  } while (child.step() && instructions < 200'000 && memory->parameter[elements - 1] == 0);
  EXPECT_NE(memory->parameter[elements - 1], 0);
  EXPECT_GT(seen_between, 0) << "the test looked too seldom";
}

#endif

}  // namespace
}  // namespace feral::optim
