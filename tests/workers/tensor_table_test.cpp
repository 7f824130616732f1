#include "workers/tensor_table.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "nn/batch_norm.hpp"
#include "nn/linear.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

struct Net : nn::Module {
  nn::Linear first{3, 4};
  nn::BatchNorm1d norm{4};
  Net() {
    register_module("first", first);
    register_module("norm", norm);
  }
};

TEST(TensorTable, SaysWhereEveryParameterAndBufferLies) {
  const Net net;
  const nn::FlatLayout layout = nn::flat_layout(net);
  std::vector<TensorRecord> records(tensor_record_count(layout));
  write_tensor_table(layout, records);
  const std::vector<TensorEntry> entries = read_tensor_table(records, layout.size_bytes);
  ASSERT_EQ(entries.size(), 7U);
  EXPECT_EQ(entries[0].name, "first.weight");
  EXPECT_EQ(entries[0].shape.to_string(), "[4, 3]");
  EXPECT_EQ(entries[0].dtype, DType::float32);
  EXPECT_EQ(entries[0].offset_bytes, 0U);
  EXPECT_FALSE(entries[0].is_buffer);
  EXPECT_EQ(entries[1].offset_bytes, layout.offsets_bytes[1]);
  EXPECT_EQ(entries[4].name, "norm.running_mean");
  EXPECT_TRUE(entries[4].is_buffer);
  EXPECT_EQ(entries[6].name, "norm.num_batches_tracked");
  EXPECT_EQ(entries[6].shape.dims(), 0);
  EXPECT_EQ(entries[6].dtype, DType::int64);
  EXPECT_EQ(entries[6].offset_bytes, layout.buffer_offsets_bytes[2]);
}

TEST(TensorTable, OfALongNameKeepsTheEnd) {
  nn::FlatLayout layout;
  layout.parameters = {{std::string(300, 'x') + ".weight", Tensor::zeros({2})}};
  layout.offsets_bytes = {0};
  std::vector<TensorRecord> records(1);
  write_tensor_table(layout, records);
  const std::string name = read_tensor_table(records, 64)[0].name;
  EXPECT_EQ(name.size(), TensorRecord::name_bytes - 1);
  EXPECT_TRUE(name.ends_with("x.weight"));
}

TEST(TensorTable, OfAnotherModelThanPlannedIsRefused) {
  const Net net;
  std::vector<TensorRecord> records(3);
  EXPECT_TRUE(has(error_of([&] { write_tensor_table(nn::flat_layout(net), records); }), {"has 7", "with 3"}));
}

TEST(TensorTable, ARecordThatLiesIsRefused) {
  const Net net;
  const nn::FlatLayout layout = nn::flat_layout(net);
  std::vector<TensorRecord> records(tensor_record_count(layout));
  write_tensor_table(layout, records);
  const auto refused = [&](auto&& spoil) {
    std::vector<TensorRecord> spoilt = records;
    spoil(spoilt[1]);
    return error_of([&] { read_tensor_table(spoilt, layout.size_bytes); });
  };
  constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(refused([](TensorRecord&) {}), "");
  EXPECT_NE(refused([](TensorRecord& r) { r.name[0] = 0; }), "");
  EXPECT_NE(refused([](TensorRecord& r) { std::memset(r.name, 'x', sizeof r.name); }), "");
  EXPECT_NE(refused([](TensorRecord& r) { r.dims = -1; }), "");
  EXPECT_NE(refused([](TensorRecord& r) { r.dims = Shape::max_dims + 1; }), "");
  EXPECT_NE(refused([](TensorRecord& r) { r.sizes[0] = -4; }), "");
  EXPECT_NE(refused([](TensorRecord& r) { r.sizes[0] = huge; }), "");
  EXPECT_NE(refused([](TensorRecord& r) {
              r.dims = 3;
              r.sizes[0] = r.sizes[1] = r.sizes[2] = huge;
            }),
            "");
  EXPECT_NE(refused([](TensorRecord& r) { r.dtype = 200; }), "");
  EXPECT_NE(refused([](TensorRecord& r) { r.offset_bytes += 4; }), "");
  EXPECT_NE(refused([&](TensorRecord& r) { r.offset_bytes = layout.size_bytes; }), "");
  EXPECT_NE(refused([](TensorRecord& r) { r.offset_bytes = 0 - std::uint64_t{64}; }), "");
}

}  // namespace
}  // namespace feral
