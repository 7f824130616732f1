// Lines of a gradient, summed by the row of the table that they belong to.
#include <bit>
#include <cstdint>
#include <cstring>

#include "tensor/cpu/add_rows.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/sort_entries.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {
namespace {

template <class Entry>
std::int64_t merge(const Tensor& merged, const Tensor& sums, const Tensor& rows, const Tensor& source,
                   const Tensor& scales, const Tensor& lines, std::int64_t padding) {
  const std::int64_t* row = rows.data<std::int64_t>();
  const auto most = static_cast<std::size_t>(rows.numel());
  const Workspace memory(2 * most * sizeof(Entry));
  auto* entries = reinterpret_cast<Entry*>(memory.get());
  std::int64_t count = 0;
  std::uint64_t bits = 0;  // that any of the rows has
  for (std::int64_t i = 0; i < rows.numel(); ++i) {
    if (row[i] == padding) continue;
    const auto key = static_cast<std::uint64_t>(row[i]);
    bits |= key;
    entries[count++] = Entry::make(key, i);
  }
  entries = sort_entries(entries, entries + most, count, (std::bit_width(bits) + 7) / 8);

  const std::int64_t d = lines.shape()[1];
  const std::size_t bytes = static_cast<std::size_t>(d) * size_of(lines.dtype());
  const AddRow add = pick_add_row(lines.dtype());
  const std::int64_t* from = source.defined() ? source.data<std::int64_t>() : nullptr;
  std::int64_t* out_rows = merged.data<std::int64_t>();
  std::byte* out = sums.raw_data();
  std::int64_t last = -1;
  std::int64_t written = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t position = entries[i].position();
    const auto key = static_cast<std::int64_t>(entries[i].key());
    const std::byte* line =
        lines.raw_data() + static_cast<std::size_t>(from != nullptr ? from[position] : position) * bytes;
    double scale = 1;
    if (scales.defined()) {
      scale = scales.dtype() == DType::float32 ? static_cast<double>(scales.data<float>()[position])
                                               : scales.data<double>()[position];
    }
    if (key != last) {
      out_rows[written] = last = key;
      if (written++ != 0) out += bytes;
      if (!scales.defined()) {
        std::memcpy(out, line, bytes);
        continue;
      }
      std::memset(out, 0, bytes);
    }
    add(out, line, d, scale);
  }
  return written;
}

}  // namespace

std::int64_t merge_rows(const Tensor& merged, const Tensor& sums, const Tensor& rows, const Tensor& source,
                        const Tensor& scales, const Tensor& lines, std::int64_t padding) {
  if (rows.numel() == 0) return 0;
  std::int64_t largest = 0;
  for (std::int64_t i = 0; i < rows.numel(); ++i) largest = std::max(largest, rows.data<std::int64_t>()[i]);
  constexpr std::int64_t narrow = std::int64_t{1} << 32;
  return largest < narrow && rows.numel() < narrow
             ? merge<NarrowEntry>(merged, sums, rows, source, scales, lines, padding)
             : merge<WideEntry>(merged, sums, rows, source, scales, lines, padding);
}

}  // namespace feral::cpu
