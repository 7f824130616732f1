// The one place where our own code touches memory that other processes write without a lock (law 4;
// docs/memory-model.md).
//
// Shared parameters are read and written element by element, each element aligned to its size: a value can be
// overwritten by another process, never torn. Hardware gives that for plain aligned loads and stores, which is what
// an optimized build uses. Under ThreadSanitizer, where the processes become threads, the same functions use
// relaxed atomics, which is what the C++ memory model asks for; everything else in the program stays visible to the
// tool.
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__SANITIZE_THREAD__)
#define FERAL_RACY_ATOMICS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FERAL_RACY_ATOMICS 1
#endif
#endif

namespace feral {

// T is a number.
template <class T>
T racy_load(const T* from) noexcept {
#ifdef FERAL_RACY_ATOMICS
  T value;
  __atomic_load(from, &value, __ATOMIC_RELAXED);
  return value;
#else
  return *from;
#endif
}

template <class T>
void racy_store(T* to, T value) noexcept {
#ifdef FERAL_RACY_ATOMICS
  __atomic_store(to, &value, __ATOMIC_RELAXED);
#else
  *to = value;
#endif
}

// Copies `count` elements of live shared memory into private memory.
template <class T>
void racy_copy(T* to, const T* from, std::size_t count) noexcept {
#ifdef FERAL_RACY_ATOMICS
  for (std::size_t i = 0; i < count; ++i) to[i] = racy_load(from + i);
#else
  if (count != 0) std::memcpy(to, from, count * sizeof(T));
#endif
}

}  // namespace feral
