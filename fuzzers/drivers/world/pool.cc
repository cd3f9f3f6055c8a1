// See pool.h.
#include "fuzzers/drivers/world/pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzzers/drivers/world/told.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "impl/kernel/platform.h"
#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {
namespace {

// Apart from the pool by more than any length that is likely to be off.
void* const kUnreadable =
    reinterpret_cast<void*>(kKiWindowsZone + kKiWindowsZoneBytes + (size_t{64} << 20));
// Guarded pages lie behind that.
void* const kPages = static_cast<char*>(kUnreadable) + (size_t{64} << 20);
#if defined(CANCELSAFE_SANITIZER_ADDRESS) || defined(CANCELSAFE_SANITIZER_THREAD)
constexpr bool kHasPages = false;
#else
constexpr bool kHasPages = !memory::kHooked;
#endif
constexpr size_t kGuard = 16;
static_assert(kGuard == GuardedPages::kBefore);
constexpr unsigned char kGuardByte = 0xab;
constexpr unsigned char kFreshByte = 0xcd;
constexpr unsigned char kFreedByte = 0xdd;

// Not memset: its interceptor would show these bytes to TSan as accesses.
void Fill(void* at, unsigned char byte, size_t bytes) {
  asm volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
}

// Not seen by ASan: it looks at what nothing else may touch.
__attribute__((no_sanitize("address"))) bool Holds(const char* at, unsigned char byte,
                                                   size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    if (static_cast<unsigned char>(at[i]) != byte) return false;
  }
  return true;
}

[[noreturn]] void Exhausted(size_t room, size_t bytes) {
  fprintf(stderr,
          "cancelsafe: a fiber of the driver needs more than %zu bytes of pool (%zu more)\n", room,
          bytes);
  abort();
}

// What a block takes up, in bytes; a guarded one at least 16, so that it begins on its own page.
size_t RoomOf(size_t bytes, bool guarded) {
  return std::max((bytes + 15) / 16 * 16, guarded ? size_t{16} : 0);
}

void Watch(const char* begin, size_t bytes, memory::State state) {
  if (memory::kHooked) memory::SetState(begin, bytes, state);
}

// The first block that begins behind the address.
std::vector<PoolBlock>::const_iterator After(const std::vector<PoolBlock>& blocks, const char* at) {
  return std::upper_bound(blocks.begin(), blocks.end(), at,
                          [](const char* a, const PoolBlock& b) { return a < b.begin; });
}

}  // namespace

Pool& Pool::Get() {
  static Pool* const pool = new Pool;
  return *pool;
}

// At a fixed address: addresses may decide what a driver does.
Pool::Pool() {
  constexpr size_t kPoolBytes = kParts * kPartBytes;
  void* const wanted = reinterpret_cast<void*>(kKiWindowsZone + kKiWindowsZoneBytes);
  void* const got = mmap(wanted, kPoolBytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != wanted) {
    fprintf(stderr, "cancelsafe: the system does not map the pool of drivers at %p\n", wanted);
    abort();
  }
  // Kept, so that the system maps nothing else there.
  if (mmap(kUnreadable, kUnreadableBytes, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
           0) != kUnreadable) {
    fprintf(stderr, "cancelsafe: the system does not keep the memory at %p free\n", kUnreadable);
    abort();
  }
  if (kHasPages && !pages_.Reserve(kPages, kGuardByte)) {
    fprintf(stderr, "cancelsafe: the system does not keep the memory at %p free\n", kPages);
    abort();
  }
  memory_ = static_cast<char*>(got);
  Fill(memory_, kGuardByte, kPoolBytes);
  std::fill(std::begin(used_), std::end(used_), kGuard);
  if (memory::kHooked) {
    memory::WatchMemory(memory_, kPoolBytes);
    memory::SetState(memory_, kPoolBytes, memory::State::kUnallocated);
  }
  PoisonMemory(memory_, kPoolBytes);
}

void Pool::Reset(bool guarded) {
  guarded_ = guarded && kHasPages;
  pages_.Reset();
  closed_damage_.clear();
  for (size_t part = 0; part < kParts; ++part) {
    char* const begin = memory_ + part * kPartBytes;
    size_t& used = used_[part];
    if (used == kGuard) continue;
    UnpoisonMemory(begin, used);
#ifdef CANCELSAFE_SANITIZER_THREAD
    // New pages are the only ones whose accesses TSan does not remember. All of them lose the
    // guard's pattern, also behind what was used.
    const size_t changed = (used + 4095) / 4096 * 4096;
    if (mmap(begin, changed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) != begin) {
      abort();
    }
#else
    const size_t changed = used;
#endif
    Fill(begin, kGuardByte, changed);
    Watch(begin, used / 8 * 8, memory::State::kUnallocated);
    PoisonMemory(begin, used);
    used = kGuard;
  }
  blocks_.clear();
}

void* Pool::Allocate(size_t bytes, uint32_t tag, PoolUse use, bool zero, const void* caller) {
  const size_t part = ki_platform->processor()->id % kParts;
  char* begin = guarded_ ? pages_.Take(part, RoomOf(bytes, true)) : nullptr;
  if (begin == nullptr) {
    const size_t room = RoomOf(bytes, false);
    size_t& used = used_[part];
    if (bytes > kPartBytes || used + room + kGuard > kPartBytes) Exhausted(kPartBytes, bytes);
    begin = memory_ + part * kPartBytes + used;
    used += room + kGuard;
  }
  UnpoisonMemory(begin, bytes);
  Fill(begin, zero ? 0 : kFreshByte, bytes);
  Watch(begin, (bytes + 7) / 8 * 8, memory::State::kLive);
  const PoolBlock block = {begin, static_cast<uint32_t>(bytes), tag, caller, use, false, nullptr};
  blocks_.insert(After(blocks_, begin), block);
  return begin;
}

PoolBlock* Pool::FindLive(const void* address, PoolUse use, std::string* why) {
  auto* block = const_cast<PoolBlock*>(Holding(address));
  TellLife(address, false);
  if (block == nullptr) {
    *why = "it is not memory of the pool";
  } else if (block->freed) {
    *why = absl::StrCat("it was freed already (tag ", TagText(block->tag), ")");
  } else if (block->begin != address) {
    *why = absl::StrCat("it lies ", static_cast<const char*>(address) - block->begin,
                        " bytes behind the beginning of an allocation");
  } else if (block->use != use) {
    *why = "it was obtained by another routine";
  } else {
    return block;
  }
  return nullptr;
}

void Pool::Free(PoolBlock* block, const void* caller) {
  TellLife(block->begin, true);
  const bool guarded = IsGuarded(*block);
  // It cannot be looked at later.
  if (guarded && closed_damage_.empty()) closed_damage_ = DamageOf(*block);
  block->freed = true;
  block->freed_by = caller;
  if (guarded) {
    pages_.Close(block->begin);
    return;
  }
  const size_t words = (block->bytes + 7) / 8 * 8;
  if (memory::kHooked) memory::DrainStores();
  Fill(block->begin, kFreedByte, block->bytes);
  if (memory::kHooked && words != 0) {
    memory::EndObject(block->begin, words, memory::State::kFreed,
                      reinterpret_cast<uintptr_t>(caller));
  }
  PoisonMemory(block->begin, block->bytes);
}

const PoolBlock* Pool::Holding(const volatile void* address) const {
  const auto* const at = const_cast<const char*>(static_cast<const volatile char*>(address));
  const auto holds = [at](const PoolBlock& block) {
    return at >= block.begin && at < block.begin + std::max(block.bytes, 1u);
  };
  // A device's extension is asked for again and again.
  if (last_held_ < blocks_.size() && holds(blocks_[last_held_])) return &blocks_[last_held_];
  auto after = After(blocks_, at);
  if (after == blocks_.begin() || !holds(*--after)) return nullptr;
  last_held_ = static_cast<size_t>(after - blocks_.begin());
  return &*after;
}

const PoolBlock* Pool::InFrontOf(const volatile void* address) const {
  if (!pages_.IsBehind(address)) return nullptr;
  const auto* const at = const_cast<const char*>(static_cast<const volatile char*>(address));
  return &*(After(blocks_, at) - 1);
}

const PoolBlock* Pool::FreedBeside(const volatile void* address) const {
  if (!pages_.IsClosed(address)) return nullptr;
  // The only block that begins on its page ends with it.
  const uintptr_t last = reinterpret_cast<uintptr_t>(address) | (GuardedPages::kPageBytes - 1);
  return &*(After(blocks_, reinterpret_cast<const char*>(last)) - 1);
}

std::string Pool::DamageOf(const PoolBlock& block) const {
  const char* what = nullptr;
  const bool guarded = IsGuarded(block);
  const size_t behind = RoomOf(block.bytes, guarded) - block.bytes + (guarded ? 0 : kGuard);
  if (!Holds(block.begin + block.bytes, kGuardByte, behind)) {
    what = "the bytes behind it were written to";
  } else if (!Holds(block.begin - kGuard, kGuardByte, kGuard)) {
    what = "the bytes before it were written to";
  } else if (block.freed && !Holds(block.begin, kFreedByte, block.bytes)) {
    what = "it was written to after it was freed";
  }
  if (what == nullptr) return "";
  return absl::StrCat("pool of ", block.bytes, " bytes, tag ", TagText(block.tag), ": ", what);
}

std::string Pool::Damage() const {
  if (!closed_damage_.empty()) return closed_damage_;
  for (const PoolBlock& block : blocks_) {
    if (block.freed && IsGuarded(block)) continue;
    std::string what = DamageOf(block);
    if (!what.empty()) return what;
  }
  return "";
}

bool IsUserAddress(const volatile void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  return at < kKiWindowsZone || at - reinterpret_cast<uintptr_t>(kUnreadable) < kUnreadableBytes;
}

void* UnreadableUserMemory() { return kUnreadable; }

std::string TagText(uint32_t tag) {
  std::string text = "'";
  for (int i = 0; i < 4; ++i) {
    const char c = static_cast<char>(tag >> i * 8);
    if (c < 0x20 || c > 0x7e) return absl::StrFormat("0x%08x", tag);
    text += c;
  }
  return text + "'";
}

}  // namespace cancelsafe::drivers
