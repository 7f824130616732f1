// The steps of a random program that make views.
#pragma once

#include <algorithm>
#include <utility>

#include "tests/tensor/random_program_state.hpp"

namespace feral::testing_support {

class ProgramViews : public ProgramState {
 public:
  using ProgramState::ProgramState;

 protected:
  Sizes factors_of(std::int64_t count) {
    Sizes result;
    while (count > 1 && result.size() < 4) {
      std::int64_t factor = 1 + pick(count);
      while (count % factor != 0) --factor;
      result.push_back(factor);
      count /= factor;
    }
    if (count != 1 || pick(3) == 0) result.push_back(count);
    return result;
  }

  // reshape and view: a view exactly where one exists.
  void reshape(const Pair& x) {
    const Sizes target = factors_of(x.tensor.numel());
    Shape asked(std::span{target});
    if (!target.empty() && x.tensor.numel() > 0 && pick(3) == 0) {
      asked[static_cast<int>(pick(static_cast<std::int64_t>(target.size())))] = -1;
    }
    const ModelView model = reshaped(x.model, target);
    const bool regular = is_regular(target, model.places);
    if (pick(2) == 0) {
      note(fmt::format("view {} of {} strides {}", asked.to_string(), x.tensor.to_string(),
                       x.tensor.strides().to_string()));
      if (!regular) return expect_error("view", [&] { (void)x.tensor.view(asked); });
      return take("view", x.tensor.view(asked), model);
    }
    const Tensor result = x.tensor.reshape(asked);
    if (regular != (result.impl()->storage == x.tensor.impl()->storage)) {
      complain(fmt::format("reshape to {} of {} strides {}: {}", asked.to_string(), x.tensor.to_string(),
                           x.tensor.strides().to_string(), regular ? "copied" : "did not copy"));
    }
    if (regular) return take("reshape", result, model);
    copied("reshape", result, model);
  }

  void change_view() {
    const Pair x = any();
    const Sizes& shape = x.model.shape;
    const auto dims = static_cast<std::int64_t>(shape.size());
    const std::int64_t d = pick(dims);
    const auto at = static_cast<std::size_t>(d);
    const std::int64_t asked = pick(2) == 0 ? d : d - dims;  // the dimension, perhaps from the end
    const std::int64_t size = dims == 0 ? 0 : shape[at];
    const std::int64_t choice = pick(22);
    if (dims == 0 && choice < 15) return;
    Sizes changed = shape;
    switch (choice) {
      case 0:
      case 1: {  // narrow
        const std::int64_t start = pick(size + 1);
        changed[at] = pick(size - start + 1);
        return take("narrow", x.tensor.narrow(asked, start, changed[at]),
                    viewed(x.model, changed, [&](Sizes index) {
                      index[at] += start;
                      return index;
                    }));
      }
      case 2:
      case 3:
      case 4: {  // slice: Python's rule by walking
        const std::int64_t start = pick(2 * size + 5) - size - 2;
        const std::int64_t stop = pick(3) == 0 ? INT64_MAX : pick(2 * size + 5) - size - 2;
        const std::int64_t step = 1 + pick(3);
        Sizes taken;
        std::int64_t from = start < 0 ? start + size : start;
        if (from < 0) from = 0;
        for (std::int64_t i = from; i < size && i < (stop < 0 ? stop + size : stop); i += step) taken.push_back(i);
        changed[at] = static_cast<std::int64_t>(taken.size());
        return take("slice", x.tensor.slice(asked, start, stop, step), viewed(x.model, changed, [&](Sizes index) {
                      index[at] = taken[static_cast<std::size_t>(index[at])];
                      return index;
                    }));
      }
      case 5:
      case 6: {  // select
        if (size == 0) return expect_error("select", [&] { (void)x.tensor.select(d, 0); });
        const std::int64_t i = pick(size);
        changed.erase(changed.begin() + d);
        return take("select", x.tensor.select(asked, pick(2) == 0 ? i : i - size),
                    viewed(x.model, changed, [&](Sizes index) {
                      index.insert(index.begin() + d, i);
                      return index;
                    }));
      }
      case 7:
      case 8: {  // transpose
        const std::int64_t e = pick(dims);
        std::swap(changed[at], changed[static_cast<std::size_t>(e)]);
        return take("transpose", x.tensor.transpose(asked, e), viewed(x.model, changed, [&](Sizes index) {
                      std::swap(index[at], index[static_cast<std::size_t>(e)]);
                      return index;
                    }));
      }
      case 9: {  // permute
        std::vector<std::int64_t> order(shape.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
        std::shuffle(order.begin(), order.end(), engine_);
        for (std::size_t i = 0; i < order.size(); ++i) changed[i] = shape[static_cast<std::size_t>(order[i])];
        Dims named;
        for (const std::int64_t from : order) named.push_back(pick(2) == 0 ? from : from - dims);
        return take("permute", x.tensor.permute(named), viewed(x.model, changed, [&](const Sizes& index) {
                      Sizes from = index;
                      for (std::size_t i = 0; i < order.size(); ++i)
                        from[static_cast<std::size_t>(order[i])] = index[i];
                      return from;
                    }));
      }
      case 10: {  // movedim
        const std::int64_t to = pick(dims);
        changed.erase(changed.begin() + d);
        changed.insert(changed.begin() + to, size);
        return take("movedim", x.tensor.movedim(asked, to), viewed(x.model, changed, [&](Sizes index) {
                      const std::int64_t moved = index[static_cast<std::size_t>(to)];
                      index.erase(index.begin() + to);
                      index.insert(index.begin() + d, moved);
                      return index;
                    }));
      }
      case 11:
      case 12: {  // unfold
        const std::int64_t window = pick(size + 1);
        const std::int64_t step = 1 + pick(3);
        if (dims == 5) return;
        changed[at] = 0;
        while (changed[at] * step + window <= size) ++changed[at];
        changed.push_back(window);
        if (count_of(changed) > most_elements) return;
        return take("unfold", x.tensor.unfold(asked, window, step), viewed(x.model, changed, [&](Sizes index) {
                      index[at] = index[at] * step + index.back();
                      index.pop_back();
                      return index;
                    }));
      }
      case 13: {  // diagonal
        const std::int64_t e = pick(dims);
        const std::int64_t offset = pick(7) - 3;
        if (e == d) return expect_error("diagonal", [&] { (void)x.tensor.diagonal(offset, d, e); });
        const std::int64_t other = shape[static_cast<std::size_t>(e)];
        Sizes rows;
        for (std::int64_t i = 0; i < size; ++i) {
          if (i + offset >= 0 && i + offset < other) rows.push_back(i);
        }
        changed.erase(changed.begin() + std::max(d, e));
        changed.erase(changed.begin() + std::min(d, e));
        changed.push_back(static_cast<std::int64_t>(rows.size()));
        return take("diagonal", x.tensor.diagonal(offset, asked, e), viewed(x.model, changed, [&](Sizes index) {
                      const std::int64_t row = rows[static_cast<std::size_t>(index.back())];
                      index.pop_back();
                      index.insert(index.begin() + std::min(d, e), d < e ? row : row + offset);
                      index.insert(index.begin() + std::max(d, e), d < e ? row + offset : row);
                      return index;
                    }));
      }
      case 14: {  // one of several
        const std::int64_t length = 1 + pick(size);
        const std::vector<Tensor> parts = x.tensor.split(length, asked);
        const std::int64_t i = pick(static_cast<std::int64_t>(parts.size()));
        changed[at] = std::min(length, size - i * length);
        return take("split", parts[static_cast<std::size_t>(i)], viewed(x.model, changed, [&](Sizes index) {
                      index[at] += i * length;
                      return index;
                    }));
      }
      case 15: {  // expand, a new dimension before or a size of one
        Dims named(std::span<const std::int64_t>{shape});
        for (std::size_t i = 0; i < shape.size(); ++i) {
          if (shape[i] == 1 && pick(2) == 0) changed[i] = named[static_cast<int>(i)] = pick(4);
          if (pick(4) == 0 && changed[i] == shape[i]) named[static_cast<int>(i)] = -1;
        }
        Shape wide;
        const bool longer = dims < 5 && pick(2) == 0;
        if (longer) {
          changed.insert(changed.begin(), pick(3));
          wide.push_back(changed[0]);
        }
        for (const std::int64_t named_size : named) wide.push_back(named_size);
        if (count_of(changed) > most_elements) return;
        return take("expand", x.tensor.expand(wide), viewed(x.model, changed, [&](Sizes index) {
                      if (longer) index.erase(index.begin());
                      for (std::size_t i = 0; i < shape.size(); ++i) {
                        if (shape[i] == 1) index[i] = 0;
                      }
                      return index;
                    }));
      }
      case 16: {  // squeeze, all or one
        const bool all = dims == 0 || pick(2) == 0;
        changed.clear();
        for (std::size_t i = 0; i < shape.size(); ++i) {
          if (shape[i] != 1 || !(all || i == at)) changed.push_back(shape[i]);
        }
        return take("squeeze", all ? x.tensor.squeeze() : x.tensor.squeeze(asked), reshaped(x.model, changed));
      }
      case 17: {  // unsqueeze
        if (dims == 5) return;
        const std::int64_t place = pick(dims + 1);
        changed.insert(changed.begin() + place, 1);
        return take("unsqueeze", x.tensor.unsqueeze(pick(2) == 0 ? place : place - dims - 1),
                    reshaped(x.model, changed));
      }
      case 18: {  // as_strided: anywhere in the storage
        if (x.model.places.empty()) return;
        const std::int64_t first = x.model.places[0];
        const auto all = static_cast<std::int64_t>(x.model.storage->elements.size());
        changed.clear();
        Sizes strides;
        for (std::int64_t count = pick(4); count > 0; --count) {
          changed.push_back(1 + pick(3));
          strides.push_back(pick(6));
        }
        const std::int64_t offset = pick(all + 4) - first - 2;
        ModelView model{x.model.storage, changed, {}};
        bool within = true;
        for_each_index(changed, [&](const Sizes& index) {
          std::int64_t place = first + offset;
          for (std::size_t i = 0; i < index.size(); ++i) place += index[i] * strides[i];
          model.places.push_back(place);
          within = within && place >= 0 && place < all;
        });
        const auto call = [&] {
          return x.tensor.as_strided(Shape(std::span(changed)), Shape(std::span(strides)), offset);
        };
        if (!within) return expect_error("as_strided", call);
        return take("as_strided", call(), model);
      }
      case 19:
        return copied("clone", x.tensor.clone(), x.model);
      default:
        return reshape(x);
    }
  }
};

}  // namespace feral::testing_support
