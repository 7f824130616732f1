// Sorting and selecting by radix and quickselect on (key, position) entries.
#include <algorithm>
#include <limits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/lines.hpp"
#include "tensor/cpu/sort_entries.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {
namespace {

// Room for `count` entries.
template <class Entry>
class Entries {
 public:
  explicit Entries(std::int64_t count) : workspace_(static_cast<std::size_t>(count) * sizeof(Entry)) {}
  Entry* get() const { return reinterpret_cast<Entry*>(workspace_.get()); }

 private:
  Workspace workspace_;
};

template <class Entry, class T>
void fill_entries(Entry* entries, const T* x, std::int64_t n, std::int64_t step, bool descending) {
  for (std::int64_t i = 0; i < n; ++i) entries[i] = Entry::make(ordered_key(x[i * step], descending), i);
}

// The first k of the order among n elements, sorted, into `kept`, which has room for `room` > k entries. Keeps what
// is below the largest of the best k so far; when the room is used up the best k of it stay.
template <class Entry, class T>
void select_first(Entry* kept, std::int64_t room, std::int64_t k, const T* x, std::int64_t n, std::int64_t step,
                  bool descending) {
  std::int64_t count = std::min(room, n);
  fill_entries(kept, x, count, step, descending);
  if (k < count) std::nth_element(kept, kept + k - 1, kept + count);
  // Later elements come after their equals, so keys alone decide.
  std::uint64_t limit = kept[k - 1].key();
  std::int64_t i = count;
  count = k;
  const auto take = [&](std::int64_t at) {
    const std::uint64_t key = ordered_key(x[at * step], descending);
    if (key >= limit) return;
    kept[count++] = Entry::make(key, at);
    if (count < room) return;
    std::nth_element(kept, kept + k - 1, kept + count);
    limit = kept[k - 1].key();
    count = k;
  };
  if (step == 1) {
    // Most blocks of a long line have nothing to take: one answer for all of them, without branches.
    constexpr std::int64_t block = 32;
    using Key = UnsignedOf<sizeof(T)>;
    for (; i + block <= n; i += block) {
      const Key flip = descending ? static_cast<Key>(~Key{0}) : Key{0};
      const Key below = static_cast<Key>(limit);
      unsigned any = 0;
      for (std::int64_t j = 0; j < block; ++j) any |= static_cast<Key>(sort_key(x[i + j]) ^ flip) < below ? 1U : 0U;
      if (any == 0) continue;
      for (std::int64_t j = 0; j < block; ++j) take(i + j);
    }
  }
  for (; i < n; ++i) take(i);
  if (k < count) std::nth_element(kept, kept + k - 1, kept + count);
  std::sort(kept, kept + k);
}

}  // namespace

void argsort(const Tensor& out, const Tensor& x, int dim, bool descending) {
  if (x.numel() == 0) return;
  const std::int64_t n = x.shape()[dim];
  const std::int64_t out_step = out.strides()[dim];
  const std::int64_t step = x.strides()[dim];
  std::int64_t* const to = out.data<std::int64_t>();
  visit_dtype(x.dtype(), [&]<class T>() {
    visit_entry<T>(n, [&]<class Entry>() {
      const Entries<Entry> entries(n);
      const Entries<Entry> spare(n);
      for_each_line(out, x, dim, [&](std::int64_t out_offset, std::int64_t offset) {
        fill_entries(entries.get(), reinterpret_cast<const T*>(x.raw_data()) + offset, n, step, descending);
        const Entry* sorted = sort_entries(entries.get(), spare.get(), n, static_cast<int>(sizeof(T)));
        for (std::int64_t i = 0; i < n; ++i) to[out_offset + i * out_step] = sorted[i].position();
      });
    });
  });
}

void topk(const Tensor& out, const Tensor& x, int dim, bool largest) {
  if (out.numel() == 0) return;
  const std::int64_t n = x.shape()[dim];
  const std::int64_t k = out.shape()[dim];
  const std::int64_t out_step = out.strides()[dim];
  const std::int64_t room = std::min(n, std::max<std::int64_t>(2 * k, 1024));
  std::int64_t* const to = out.data<std::int64_t>();
  visit_dtype(x.dtype(), [&]<class T>() {
    visit_entry<T>(n, [&]<class Entry>() {
      const Entries<Entry> entries(room);
      for_each_line(out, x, dim, [&](std::int64_t out_offset, std::int64_t offset) {
        select_first(entries.get(), room, k, reinterpret_cast<const T*>(x.raw_data()) + offset, n, x.strides()[dim],
                     largest);
        for (std::int64_t i = 0; i < k; ++i) to[out_offset + i * out_step] = entries.get()[i].position();
      });
    });
  });
}

void kthvalue(const Tensor& out, const Tensor& x, int dim, std::int64_t k) {
  if (out.numel() == 0) return;
  const std::int64_t n = x.shape()[dim];
  std::int64_t* const to = out.data<std::int64_t>();
  visit_dtype(x.dtype(), [&]<class T>() {
    visit_entry<T>(n, [&]<class Entry>() {
      const Entries<Entry> entries(n);
      for_each_line(out, x, dim, [&](std::int64_t out_offset, std::int64_t offset) {
        Entry* const all = entries.get();
        fill_entries(all, reinterpret_cast<const T*>(x.raw_data()) + offset, n, x.strides()[dim], false);
        std::nth_element(all, all + k, all + n);
        to[out_offset] = all[k].position();
      });
    });
  });
}

void unique(const Tensor& out, const Tensor& x) {
  const std::int64_t n = x.numel();
  std::int64_t* const inverse = out.data<std::int64_t>();
  std::int64_t* const first = inverse + n;
  std::int64_t* const counts = first + n;
  std::int64_t groups = 0;
  fill(out, 0);
  visit_dtype(x.dtype(), [&]<class T>() {
    visit_entry<T>(n, [&]<class Entry>() {
      const Entries<Entry> entries(n);
      const Entries<Entry> spare(n);
      std::int64_t filled = 0;
      StridedLoop<1>({&x}).for_each_row([&](const auto& offsets, std::int64_t length, const auto& strides) {
        const T* row = reinterpret_cast<const T*>(x.raw_data()) + offsets[0];
        for (std::int64_t i = 0; i < length; ++i, ++filled) {
          entries.get()[filled] = Entry::make(sort_key(row[i * strides[0]]), filled);
        }
      });
      const Entry* sorted = sort_entries(entries.get(), spare.get(), n, static_cast<int>(sizeof(T)));
      constexpr std::uint64_t nan = std::numeric_limits<UnsignedOf<sizeof(T)>>::max();
      for (std::int64_t i = 0; i < n; ++i) {
        const std::uint64_t key = sorted[i].key();
        if (i == 0 || key != sorted[i - 1].key() || (has_nan<T> && key == nan))
          first[groups++] = sorted[i].position();
        ++counts[groups - 1];
        inverse[sorted[i].position()] = groups - 1;
      }
    });
  });
  counts[n] = groups;
}

void searchsorted(const Tensor& out, const Tensor& sorted, const Tensor& values, bool right) {
  const int last = out.dims() - 1;
  const std::int64_t n = sorted.shape()[sorted.dims() - 1];
  const std::int64_t step = sorted.strides()[sorted.dims() - 1];
  const std::int64_t m = values.shape()[last];
  const std::int64_t values_step = values.strides()[last];
  std::int64_t* const to = out.data<std::int64_t>();
  if (n == 0) {
    fill(out, 0);
    return;
  }
  if (out.numel() == 0) return;
  const Tensor out_starts = line_starts(out, last);
  const Tensor sorted_starts = line_starts(sorted, sorted.dims() - 1);
  const Tensor values_starts = line_starts(values, last);
  visit_dtype(sorted.dtype(), [&]<class T>() {
    // Halves the rest without branches; the first element that does not pass is where the value belongs.
    const auto search = [&](const T* line, T value) {
      const auto wanted = sort_key(value);
      const auto passes = [&](std::int64_t at) {
        const auto key = sort_key(line[at * step]);
        return right ? key <= wanted : key < wanted;
      };
      std::int64_t at = 0;
      for (std::int64_t rest = n; rest > 1;) {
        const std::int64_t half = rest / 2;
        at += passes(at + half - 1) ? half : 0;
        rest -= half;
      }
      return at + (passes(at) ? 1 : 0);
    };
    StridedLoop<3>({&out_starts, &sorted_starts, &values_starts})
        .for_each_row([&](const auto& offsets, std::int64_t lines, const auto& strides) {
          for (std::int64_t i = 0; i < lines; ++i) {
            std::int64_t* const out_line = to + offsets[0] + i * strides[0];
            const T* line = reinterpret_cast<const T*>(sorted.raw_data()) + offsets[1] + i * strides[1];
            const T* value = reinterpret_cast<const T*>(values.raw_data()) + offsets[2] + i * strides[2];
            for (std::int64_t j = 0; j < m; ++j) out_line[j] = search(line, value[j * values_step]);
          }
        });
  });
}

}  // namespace feral::cpu
