// What an instrumented driver's accesses mean (fuzzers/drivers/image/access_hooks.h makes them):
// outside the model flavour, where the memory engine sees it by itself, that freed pool is not
// used; and a preemption point where a run asks for that.
#include "fuzzers/drivers/world/access.h"

#include "fuzzers/drivers/image/access_hooks.h"
#include "fuzzers/drivers/world/exceptions.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

AccessOptions options;

// An access of the driver's own: its fiber's stack is private.
inline bool IsShared(const volatile void* address) {
  const State& state = TheState();
  return Pool::Get().Contains(address) ||
         (state.image != nullptr && state.image->Contains(address));
}

// What is shared the engine tells of; stacks are private but where their owner hands out an
// address.
inline void TellAccess(const volatile void* address, size_t size, bool write) {
  if (!IsShared(address)) TellMemory(address, size, write);
  TellLife(address, false);
}

// The preemption point before an access, where the run wants one.
void PointBefore(const volatile void* address, size_t size, bool write,
                 [[maybe_unused]] const void* caller) {
  if (options.points && IsShared(address)) {
#ifdef CANCELSAFE_SANITIZER_MODEL
    memory::FlushSome(reinterpret_cast<uintptr_t>(caller));
#endif
    ki_platform->point(kPointAccess, address);
  }
  if (__builtin_expect(telling, 0)) TellAccess(address, size, write);
}

void CheckFreed([[maybe_unused]] const volatile void* address, [[maybe_unused]] bool write) {
#ifndef CANCELSAFE_SANITIZER_MODEL
  if (!Pool::Get().Contains(address)) return;
  const PoolBlock* block = Pool::Get().Holding(address);
  if (block == nullptr || !block->freed) return;
  Report("used-after-free", write ? "a store" : "a load", "accesses " + DescribeAddress(address));
#endif
}

struct DriverWatch {
  using Passes = PassesExceptions;
  [[maybe_unused]] static constexpr bool kByTsan = false;
  static void Access(const volatile void* address, size_t size, bool write, const void* caller) {
    door_caller = caller;
    PointBefore(address, size, write, caller);
    CheckFreed(address, write);
  }
  static void BeforeAtomic(const volatile void* address, size_t size, bool write,
                           const void* caller) {
    Access(address, size, write, caller);
  }
  // An update is an Interlocked routine of the driver's.
  static void BeforeUpdate(const volatile void* address, size_t size, const void* caller) {
    door_caller = caller;
    ki_platform->point(kPointInterlocked, address);
    if (__builtin_expect(telling, 0)) TellAccess(address, size, true);
    CheckFreed(address, true);
  }
  static void Copies(const void* from, size_t size) { TellMemory(from, size, false); }
  static void Covered(uint32_t number) {
    if (options.covered != nullptr) options.covered(number);
  }
  static void Compared(uint64_t a, uint64_t b, size_t bytes, const void* site) {
    if (options.compared != nullptr) options.compared(a, b, bytes, site);
  }
};
using DriverHooks = AccessHooks<DriverWatch>;

#define CANCELSAFE_HOOK_ROW(Hooks, name, member) \
  {#name, reinterpret_cast<const void*>(&Hooks::member), PASSIVE_LEVEL, HIGH_LEVEL, false},

// What makes the driver's access itself: a fault in it is one of the driver.
#define CANCELSAFE_HOOK_ROW_PASSING(Hooks, name, member)                                      \
  {#name, reinterpret_cast<const void*>(&KeepingEntry<&Hooks::member>::Enter), PASSIVE_LEVEL, \
   HIGH_LEVEL, false},

const Service kServices[] = {
    CANCELSAFE_ACCESS_HOOKS(CANCELSAFE_HOOK_ROW, CANCELSAFE_HOOK_ROW_PASSING, DriverHooks)};

}  // namespace

void SetAccessOptions(const AccessOptions& wanted) { options = wanted; }

ServiceList AccessServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
