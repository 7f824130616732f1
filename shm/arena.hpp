// The arena: one region of shared memory a job, divided into named regions by a table in its header.
//
// The launcher plans it (ArenaPlan), sizes, seals and reserves the memfd, and lays the header down (Arena::create);
// every other process attaches and checks the header before it believes a word of it (law 10).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral::shm {

// One named range of bytes of the arena, relative to its start.
struct Region {
  std::string name;
  std::size_t offset_bytes = 0;
  std::size_t size_bytes = 0;
};

// What the arena will hold, computed before any of it exists.
class ArenaPlan {
 public:
  // Adds a region; regions start on control_line_bytes. Throws feral::Error on a duplicate or too long name, on
  // too many regions, and on overflow.
  void add(std::string name, std::size_t size_bytes);

  const std::vector<Region>& regions() const noexcept { return regions_; }

  // Header and all regions.
  std::size_t total_bytes() const noexcept { return total_bytes_; }

  ArenaPlan();

 private:
  std::vector<Region> regions_;
  std::size_t total_bytes_;
};

enum class Access { read_write, read_only };

// A mapped arena. Movable; the mapping goes with the object, the memory with the last process that maps it.
class Arena {
 public:
  // Maps `memfd`, whose sealed size is plan.total_bytes(), and writes the header. Its regions are all zero bytes.
  static Arena create(int memfd, const ArenaPlan& plan);

  // Maps `memfd` and verifies magic, version, size, table and checksum. Throws feral::Error naming what is wrong.
  // Mapped read-only (a descriptor opened to read suffices), whatever is written through region() ends the process.
  static Arena attach(int memfd, Access access = Access::read_write);

  // The bytes of a region; throws feral::Error when there is none of that name.
  std::span<std::byte> region(std::string_view name) const;

  // The region as one T; throws feral::Error when its size is not that of T.
  template <class T>
  T& object(std::string_view name) const {
    const std::span<std::byte> bytes = region(name);
    if (bytes.size() != sizeof(T)) {
      fail("arena: region '{}' holds {} bytes, expected {}", name, bytes.size(), sizeof(T));
    }
    return *reinterpret_cast<T*>(bytes.data());
  }

  // The region as `count` of T; throws feral::Error when its size is not theirs.
  template <class T>
  std::span<T> array(std::string_view name, std::size_t count) const {
    const std::span<std::byte> bytes = region(name);
    if (bytes.size() != count * sizeof(T)) fail("arena: region '{}' has {} bytes", name, bytes.size());
    return {reinterpret_cast<T*>(bytes.data()), count};
  }

  std::size_t size_bytes() const noexcept;

  Arena(Arena&&) noexcept;
  Arena& operator=(Arena&&) noexcept;
  ~Arena();

 private:
  struct Mapping;
  explicit Arena(std::unique_ptr<Mapping> mapping);
  std::unique_ptr<Mapping> mapping_;
};

}  // namespace feral::shm
