#include "shm/arena.hpp"

#include <algorithm>
#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cstring>

#include "shm/memfd.hpp"

namespace feral::shm {
namespace {

namespace ipc = boost::interprocess;

constexpr std::uint64_t arena_magic = 0x616e657261'4c46ULL;  // "FLarena" in memory order
constexpr std::uint32_t arena_version = 1;
constexpr std::size_t max_regions = 32;
constexpr std::size_t max_name_bytes = 40;

// The layout of the first bytes of every arena. Written once by the creator before any other process attaches,
// read-only afterwards.
struct RegionEntry {
  char name[max_name_bytes];  // ends with a zero byte
  std::uint64_t offset_bytes;
  std::uint64_t size_bytes;
};

struct Header {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t region_count;
  std::uint64_t total_bytes;
  std::uint64_t checksum;  // of the header with this field 0
  RegionEntry regions[max_regions];
};

static_assert(std::is_trivially_copyable_v<Header>);
static_assert(sizeof(RegionEntry) == 56 && sizeof(Header) == 32 + 56 * max_regions);

// FNV-1a; it guards against a wrong or half-written header, not against an adversary.
std::uint64_t checksum(Header header) {
  header.checksum = 0;
  unsigned char bytes[sizeof(Header)];
  std::memcpy(bytes, &header, sizeof(Header));
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3ULL;
  return hash;
}

// What mapped_region wants to see of a descriptor.
struct MemfdHandle {
  int memfd;
  ipc::mapping_handle_t get_mapping_handle() const noexcept { return {memfd, false}; }
};

std::string checked_name(const RegionEntry& entry) {
  const std::size_t length = ::strnlen(entry.name, max_name_bytes);
  if (length == 0 || length == max_name_bytes) fail("arena: corrupt header: a region's name does not end");
  return std::string(entry.name, length);
}

std::vector<Region> verified_regions(const Header& header, std::size_t size_bytes) {
  if (header.magic != arena_magic) fail("arena: this memory is no feral arena (magic {:#x})", header.magic);
  if (header.version != arena_version) {
    fail("arena: version {} of the layout, this program speaks {}; start the job with one version of feral",
         header.version, arena_version);
  }
  if (header.total_bytes != size_bytes) {
    fail("arena: corrupt header: it says {} bytes, the memory has {}", header.total_bytes, size_bytes);
  }
  if (header.region_count > max_regions) fail("arena: corrupt header: {} regions", header.region_count);
  if (header.checksum != checksum(header)) fail("arena: corrupt header: its checksum does not match");
  std::vector<Region> regions;
  std::size_t end = sizeof(Header);
  for (std::size_t i = 0; i < header.region_count; ++i) {
    const RegionEntry& entry = header.regions[i];
    if (entry.offset_bytes < end || entry.offset_bytes % control_line_bytes != 0 ||
        entry.offset_bytes > size_bytes || entry.size_bytes > size_bytes - entry.offset_bytes) {
      fail("arena: corrupt header: region {} lies at {} + {} of {} bytes", i, entry.offset_bytes, entry.size_bytes,
           size_bytes);
    }
    end = entry.offset_bytes + entry.size_bytes;
    regions.push_back({checked_name(entry), entry.offset_bytes, entry.size_bytes});
  }
  return regions;
}

}  // namespace

ArenaPlan::ArenaPlan() : total_bytes_(align_up(sizeof(Header), control_line_bytes)) {}

void ArenaPlan::add(std::string name, std::size_t size_bytes) {
  if (name.empty() || name.size() >= max_name_bytes) fail("arena: region name '{}' is empty or too long", name);
  if (regions_.size() == max_regions) fail("arena: more than {} regions", max_regions);
  if (std::ranges::find(regions_, name, &Region::name) != regions_.end()) {
    fail("arena: region '{}' is planned twice", name);
  }
  const std::size_t offset = total_bytes_;
  total_bytes_ = align_up(checked_add(offset, size_bytes), control_line_bytes);
  regions_.push_back({std::move(name), offset, size_bytes});
}

struct Arena::Mapping {
  ipc::mapped_region memory;
  std::vector<Region> regions;

  static std::unique_ptr<Mapping> map(int memfd, std::size_t size_bytes, Access access) {
    const ipc::mode_t mode = access == Access::read_only ? ipc::read_only : ipc::read_write;
    try {
      return std::make_unique<Mapping>(Mapping{ipc::mapped_region(MemfdHandle{memfd}, mode, 0, size_bytes), {}});
    } catch (const ipc::interprocess_exception& error) {
      fail("arena: cannot map {} of shared memory: {}", human_bytes(size_bytes), error.what());
    }
  }

  std::byte* base() const { return static_cast<std::byte*>(memory.get_address()); }
};

Arena::Arena(std::unique_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}
Arena::Arena(Arena&&) noexcept = default;
Arena& Arena::operator=(Arena&&) noexcept = default;
Arena::~Arena() = default;

Arena Arena::create(int memfd, const ArenaPlan& plan) {
  const std::size_t size_bytes = sealed_size(memfd);
  if (size_bytes != plan.total_bytes()) {
    fail("arena: the memory has {} bytes, the plan {}", size_bytes, plan.total_bytes());
  }
  auto mapping = Mapping::map(memfd, size_bytes, Access::read_write);
  Header header{};
  header.magic = arena_magic;
  header.version = arena_version;
  header.region_count = static_cast<std::uint32_t>(plan.regions().size());
  header.total_bytes = size_bytes;
  for (std::size_t i = 0; i < plan.regions().size(); ++i) {
    const Region& region = plan.regions()[i];
    std::memcpy(header.regions[i].name, region.name.data(), region.name.size());
    header.regions[i].offset_bytes = region.offset_bytes;
    header.regions[i].size_bytes = region.size_bytes;
  }
  header.checksum = checksum(header);
  std::memcpy(mapping->base(), &header, sizeof(Header));
  mapping->regions = plan.regions();
  return Arena(std::move(mapping));
}

Arena Arena::attach(int memfd, Access access) {
  const std::size_t size_bytes = sealed_size(memfd);
  if (size_bytes < sizeof(Header)) fail("arena: {} bytes are too few for a header", size_bytes);
  auto mapping = Mapping::map(memfd, size_bytes, access);
  Header header;
  std::memcpy(&header, mapping->base(), sizeof(Header));
  mapping->regions = verified_regions(header, size_bytes);
  return Arena(std::move(mapping));
}

std::span<std::byte> Arena::region(std::string_view name) const {
  for (const Region& region : mapping_->regions) {
    if (region.name == name) return {mapping_->base() + region.offset_bytes, region.size_bytes};
  }
  fail("arena: there is no region '{}'", name);
}

std::size_t Arena::size_bytes() const noexcept { return mapping_->memory.get_size(); }

}  // namespace feral::shm
