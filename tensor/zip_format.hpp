// What the reader and the writer of .npz share: the records of a zip archive (PKWARE's APPNOTE 6.3), little-endian.
//
//   local header, name, extra fields, content     for each entry
//   central header, name, extra fields, comment   for each entry: the central directory
//   end record, comment
#pragma once

#include <cstddef>
#include <cstdint>

namespace feral::zip {

inline constexpr std::uint32_t local_signature = 0x04034b50;
inline constexpr std::uint32_t central_signature = 0x02014b50;
inline constexpr std::uint32_t end_signature = 0x06054b50;

inline constexpr std::size_t local_bytes = 30;
inline constexpr std::size_t central_bytes = 46;
inline constexpr std::size_t end_bytes = 22;
inline constexpr std::size_t max_comment_bytes = 65535;

// These values say that the true one stands in a ZIP64 field.
inline constexpr std::uint32_t zip64_size = 0xffffffff;
inline constexpr std::uint16_t zip64_count = 0xffff;

inline constexpr std::uint16_t stored = 0;
inline constexpr std::uint16_t deflated = 8;

inline constexpr std::uint16_t flag_encrypted = 1;
inline constexpr std::uint16_t flags_deflate_level = 2 | 4;
inline constexpr std::uint16_t flag_sizes_follow = 8;  // the local header has no sizes
inline constexpr std::uint16_t flag_utf8_name = 0x800;

// A match of 258 bytes takes at least two bits.
inline constexpr std::uint64_t max_deflate_ratio = 1032;

inline std::uint16_t get16(const std::byte* from) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(from[0]) | std::to_integer<unsigned>(from[1]) << 8);
}
inline std::uint32_t get32(const std::byte* from) noexcept {
  return get16(from) | static_cast<std::uint32_t>(get16(from + 2)) << 16;
}
inline void put16(std::byte* to, std::uint16_t value) noexcept {
  to[0] = static_cast<std::byte>(value & 0xff);
  to[1] = static_cast<std::byte>(value >> 8);
}
inline void put32(std::byte* to, std::uint32_t value) noexcept {
  put16(to, static_cast<std::uint16_t>(value & 0xffff));
  put16(to + 2, static_cast<std::uint16_t>(value >> 16));
}

}  // namespace feral::zip
