// The name of the op that a process began last, kept where others can read it when the process is gone.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace feral {

// Zero bytes: none yet. Written by one process, word by word, relaxed; read by others at any time. Who reads while
// ops run may see two names mixed, and nothing worse.
struct LastOp {
  static constexpr std::size_t words = 3;
  using Name = std::array<std::uint64_t, words>;  // the first 24 bytes of a name

  std::array<std::atomic<std::uint64_t>, words> name;

  static constexpr Name pack(std::string_view text) {
    Name packed{};
    for (std::size_t i = 0; i < text.size() && i < words * 8; ++i) {
      packed[i / 8] |= std::uint64_t{static_cast<unsigned char>(text[i])} << (i % 8 * 8);
    }
    return packed;
  }

  void set(const Name& packed) noexcept {
    for (std::size_t i = 0; i < words; ++i) name[i].store(packed[i], std::memory_order_relaxed);
  }

  // Letters, digits and the like only, whatever lies there; empty for none.
  std::string read() const {
    std::string text;
    for (std::size_t i = 0; i < words * 8; ++i) {
      const auto c = static_cast<char>(name[i / 8].load(std::memory_order_relaxed) >> (i % 8 * 8));
      if (c == 0) break;
      text += c > ' ' && c < 127 ? c : '?';
    }
    return text;
  }
};

namespace detail {

// Where this process notes its ops; null outside of jobs. Set before the first op, by the thread that runs them.
inline LastOp* last_op = nullptr;

template <class Op>
void note_op() noexcept {
  static constexpr LastOp::Name packed = LastOp::pack(Op::name);
  if (last_op != nullptr) last_op->set(packed);
}

}  // namespace detail
}  // namespace feral
