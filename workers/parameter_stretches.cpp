#include "workers/parameter_stretches.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <type_traits>

#include "core/error.hpp"
#include "core/sizes.hpp"
#include "tensor/cpu/visit_size.hpp"
#include "tensor/racy.hpp"

namespace feral {
namespace {

constexpr std::size_t line_bytes = tensor_alignment_bytes;
static_assert(line_bytes == 64);

// The words by which whole regions are copied: no element straddles two.
using Word = std::uint64_t;

bool same_line(const std::byte* a, const std::byte* b) noexcept {
  Word x[line_bytes / sizeof(Word)];
  Word y[line_bytes / sizeof(Word)];
  std::memcpy(x, a, line_bytes);
  std::memcpy(y, b, line_bytes);
  Word differences = 0;
  for (std::size_t i = 0; i < std::size(x); ++i) differences |= x[i] ^ y[i];
  return differences == 0;
}

// function(byte offset) for every line of the stretch that differs.
template <class Function>
void each_changed_line(std::size_t begin, std::size_t size, const std::byte* base, const std::byte* now,
                       const Function& function) noexcept {
  for (std::size_t at = begin; at < begin + size; at += line_bytes) {
    if (!same_line(base + at, now + at)) function(at);
  }
}

template <class T>
void add_line_racy(T* target, const T* base, const T* now) noexcept {
  constexpr std::size_t count = line_bytes / sizeof(T);
  T sums[count];  // apart from `target`: the compiler may take them all at once
  for (std::size_t i = 0; i < count; ++i) {
    const T live = racy_load(target + i);
    sums[i] = live == base[i] ? now[i] : static_cast<T>(live + (now[i] - base[i]));
  }
  for (std::size_t i = 0; i < count; ++i) racy_store(target + i, sums[i]);
}

template <class T>
void add_line_atomic(T* target, const T* base, const T* now) noexcept {
  for (std::size_t i = 0; i < line_bytes / sizeof(T); ++i) {
    if (now[i] == base[i]) continue;
    const T change = now[i] - base[i];
    std::atomic_ref<T> element(target[i]);
    static_assert(std::atomic_ref<T>::is_always_lock_free);
    T live = element.load(std::memory_order_relaxed);
    while (!element.compare_exchange_weak(live, live == base[i] ? now[i] : static_cast<T>(live + change),
                                          std::memory_order_relaxed)) {
    }
  }
}

// The common line first, then the replica, `seen` last: whoever is killed in between has made at most this line's
// change count twice.
template <class T>
void reconcile_line(T* replica, T* seen, T* common) noexcept {
  constexpr std::size_t count = line_bytes / sizeof(T);
  constexpr bool adds = !std::is_unsigned_v<T>;
  T own[count];
  T agreed[count];
  for (std::size_t i = 0; i < count; ++i) {
    own[i] = racy_load(replica + i);
    const T theirs = racy_load(common + i);
    if (own[i] == seen[i]) {
      agreed[i] = theirs;
    } else if (!adds || theirs == seen[i]) {
      agreed[i] = own[i];
    } else {
      agreed[i] = static_cast<T>(theirs + (own[i] - seen[i]));
    }
  }
  for (std::size_t i = 0; i < count; ++i) racy_store(common + i, agreed[i]);
  for (std::size_t i = 0; i < count; ++i) {
    const T now = racy_load(replica + i);  // may have moved on
    racy_store(replica + i, !adds || now == own[i] ? agreed[i] : static_cast<T>(now + (agreed[i] - own[i])));
  }
  for (std::size_t i = 0; i < count; ++i) racy_store(seen + i, agreed[i]);
}

// Elements that are not added to, as words of their size.
template <class T>
void replace_line(T* target, const T* base, const T* now) noexcept {
  for (std::size_t i = 0; i < line_bytes / sizeof(T); ++i) {
    if (now[i] != base[i]) racy_store(target + i, now[i]);
  }
}

// function of the type that stretches of that dtype are changed by: itself where it is added to.
template <class Function>
void visit_changes(DType dtype, bool adds, const Function& function) {
  if (adds) {
    switch (dtype) {
      case DType::float32:
        return function.template operator()<float>();
      case DType::float64:
        return function.template operator()<double>();
      case DType::int32:
        return function.template operator()<std::int32_t>();
      case DType::int64:
        return function.template operator()<std::int64_t>();
      default:
        break;
    }
  }
  cpu::visit_size(size_of(dtype), function);
}

bool is_added_to(DType dtype, bool is_parameter) {
  const bool floating = dtype == DType::float32 || dtype == DType::float64;
  return dtype == DType::int32 || dtype == DType::int64 || (floating && is_parameter);
}

}  // namespace

ParameterStretches::ParameterStretches(const nn::FlatLayout& layout) {
  const auto append = [&](const Tensor& tensor, std::size_t offset, bool is_parameter) {
    const bool adds = is_added_to(tensor.dtype(), is_parameter);
    if (!stretches_.empty() && stretches_.back().dtype == tensor.dtype() && stretches_.back().adds == adds) return;
    stretches_.push_back({offset, 0, tensor.dtype(), adds});
  };
  for (std::size_t i = 0; i < layout.parameters.size(); ++i) {
    append(layout.parameters[i].tensor, layout.offsets_bytes[i], true);
  }
  for (std::size_t i = 0; i < layout.buffers.size(); ++i) {
    append(layout.buffers[i].tensor, layout.buffer_offsets_bytes[i], false);
  }
  for (std::size_t i = 0; i < stretches_.size(); ++i) {
    const std::size_t end = i + 1 < stretches_.size() ? stretches_[i + 1].offset_bytes : layout.size_bytes;
    stretches_[i].size_bytes = end - stretches_[i].offset_bytes;
  }
}

void ParameterStretches::add_changes(std::span<std::byte> target, std::span<const std::byte> base,
                                     std::span<const std::byte> now, Adding adding) const noexcept {
  for (const Stretch& stretch : stretches_) {
    visit_changes(stretch.dtype, stretch.adds, [&]<class T>() {
      each_changed_line(stretch.offset_bytes, stretch.size_bytes, base.data(), now.data(), [&](std::size_t at) {
        auto* const to = reinterpret_cast<T*>(target.data() + at);
        const auto* const from = reinterpret_cast<const T*>(base.data() + at);
        const auto* const changed = reinterpret_cast<const T*>(now.data() + at);
        if constexpr (std::is_unsigned_v<T>) {
          replace_line(to, from, changed);
        } else if (adding == Adding::atomic) {
          add_line_atomic(to, from, changed);
        } else {
          add_line_racy(to, from, changed);
        }
      });
    });
  }
}

void ParameterStretches::reconcile(std::span<std::byte> replica, std::span<std::byte> seen,
                                   std::span<std::byte> common) const noexcept {
  for (const Stretch& stretch : stretches_) {
    visit_changes(stretch.dtype, stretch.adds, [&]<class T>() {
      for (std::size_t at = stretch.offset_bytes; at < stretch.offset_bytes + stretch.size_bytes;
           at += line_bytes) {
        reconcile_line(reinterpret_cast<T*>(replica.data() + at), reinterpret_cast<T*>(seen.data() + at),
                       reinterpret_cast<T*>(common.data() + at));
      }
    });
  }
}

void copy_live(std::span<std::byte> to, std::span<const std::byte> from) noexcept {
  FERAL_ASSERT(to.size() == from.size() && from.size() % sizeof(Word) == 0);
  auto* const out = reinterpret_cast<Word*>(to.data());
  const auto* const in = reinterpret_cast<const Word*>(from.data());
  for (std::size_t i = 0; i < from.size() / sizeof(Word); ++i) racy_store(out + i, racy_load(in + i));
}

std::uint64_t checksum(std::span<const std::byte> region) noexcept {
  // A word at a time, mixed by the constants and shifts of splitmix64's finalizer (Steele, Lea, Flood, "Fast
  // splittable pseudorandom number generators", 2014): with one product alone the highest bits of two words could
  // cancel.
  std::uint64_t sum = 0x9e3779b97f4a7c15ULL;
  for (std::size_t at = 0; at < region.size(); at += sizeof(Word)) {
    Word word = 0;
    std::memcpy(&word, region.data() + at, std::min(sizeof word, region.size() - at));
    sum = (sum ^ word) * 0xbf58476d1ce4e5b9ULL;
    sum = (sum ^ (sum >> 27)) * 0x94d049bb133111ebULL;
    sum ^= sum >> 31;
  }
  return sum;
}

}  // namespace feral
