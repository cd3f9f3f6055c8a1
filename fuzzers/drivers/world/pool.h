// The memory of one run: what the driver allocates, and the kernel's objects that it sees.
// Memory is not used again within a run, so that a use after free is seen whatever was
// allocated since. Freed memory is poisoned, the bytes around an object are checked.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_POOL_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_POOL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/drivers/world/guarded_pages.h"

namespace cancelsafe::drivers {

enum class PoolUse : uint8_t {
  kDriver,  // ExAllocatePool and relatives
  kDevice,
  kMdl,
  kIrp,  // allocated by the driver
  kWorkItem,
  kFilter,   // of FltRegisterFilter
  kContext,  // of FltAllocateContext
  kHost,     // requests, files, threads: not the driver's to give back
};

struct PoolBlock {
  char* begin;
  uint32_t bytes;
  uint32_t tag;
  const void* caller;
  PoolUse use;
  bool freed;
  const void* freed_by;
};

class Pool {
 public:
  static Pool& Get();

  // Everything is forgotten. On the main context. O(bytes used). `guarded`: what fits a page gets
  // one of its own from now on (guarded_pages.h), in builds without a sanitizer.
  void Reset(bool guarded = false);
  // 16-byte aligned; where it lies depends on what the same fiber has allocated before, and not on
  // the others. Never fails; a run that wants more than there is ends the process with
  // a message. Filled with a pattern, or with zeros.
  void* Allocate(size_t bytes, uint32_t tag, PoolUse use, bool zero, const void* caller);
  // Null if `address` is not the beginning of a live block of that use; `*why` says what it
  // is instead.
  PoolBlock* FindLive(const void* address, PoolUse use, std::string* why);
  void Free(PoolBlock* block, const void* caller);
  bool Contains(const volatile void* address) const {
    const uintptr_t at =
        reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(memory_);
    return (at < kParts * kPartBytes && at % kPartBytes < used_[at / kPartBytes]) ||
           pages_.Contains(address);
  }
  // The block that holds the address, freed or not, or null. O(log blocks).
  const PoolBlock* Holding(const volatile void* address) const;
  // Of guarded pages: the block that ends where the page of this address begins, which is not
  // there, or the freed block on whose page it is; null for other addresses. O(log blocks).
  const PoolBlock* InFrontOf(const volatile void* address) const;
  const PoolBlock* FreedBeside(const volatile void* address) const;
  const std::vector<PoolBlock>& blocks() const { return blocks_; }
  // Describes the first block whose surroundings, or whose freed memory, were written to.
  std::string Damage() const;

 private:
  Pool();
  bool IsGuarded(const PoolBlock& block) const { return pages_.Contains(block.begin); }
  std::string DamageOf(const PoolBlock& block) const;
  // One part for each fiber.
  static constexpr size_t kParts = GuardedPages::kParts;
  static constexpr size_t kPartBytes = 512u << 10;

  char* memory_ = nullptr;
  size_t used_[kParts];
  std::vector<PoolBlock> blocks_;  // ascending
  mutable size_t last_held_ = 0;   // the block that Holding has found last, or another one
  bool guarded_ = false;
  GuardedPages pages_;
  std::string closed_damage_;  // of the first block that was damaged when its page was closed
};

// Memory of programs, as a driver sees it: below all images and the pool; or the range of which
// buffers are made that are not there.
bool IsUserAddress(const volatile void* address);
// An address of that range. Any access to it, and to kUnreadableBytes behind it, faults.
inline constexpr size_t kUnreadableBytes = 1u << 20;
void* UnreadableUserMemory();

// "'Test'", or its number where it is not text.
std::string TagText(uint32_t tag);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_POOL_H_
