// What the accesses of an implementation in a PE image mean, which are what those of a shared
// object mean: to the memory engine, to TSan, or to ASan, in the builds that have them; and access
// points where a run wants them.
#include "fuzzers/drivers/implementation/guest_access.h"

#include "fuzzers/drivers/image/access_hooks.h"
#include "impl/kernel/platform.h"

extern "C" {
// What a shared object that is compiled for access points calls. Not in every host.
void __sanitizer_cov_load8(uint64_t* address) __attribute__((weak));

#ifdef CANCELSAFE_SANITIZER_THREAD
#define CANCELSAFE_TSAN_PLAIN(size)                \
  void __tsan_read##size##_pc(void* at, void* pc); \
  void __tsan_write##size##_pc(void* at, void* pc);
CANCELSAFE_TSAN_PLAIN(1)
CANCELSAFE_TSAN_PLAIN(2)
CANCELSAFE_TSAN_PLAIN(4)
CANCELSAFE_TSAN_PLAIN(8)
#undef CANCELSAFE_TSAN_PLAIN
void __tsan_read_range_pc(void* at, size_t size, void* pc);
void __tsan_write_range_pc(void* at, size_t size, void* pc);
#endif

#ifdef CANCELSAFE_SANITIZER_ADDRESS
void* __asan_region_is_poisoned(void* begin, size_t size);
void __asan_report_error(void* pc, void* frame, void* stack, void* address, int is_write,
                         size_t access_size);
#endif
}

namespace cancelsafe::drivers {
namespace {

#ifdef CANCELSAFE_SANITIZER_THREAD
inline void TellTsan(void* at, size_t size, bool write, void* pc) {
  switch (size) {
    case 1:
      return write ? __tsan_write1_pc(at, pc) : __tsan_read1_pc(at, pc);
    case 2:
      return write ? __tsan_write2_pc(at, pc) : __tsan_read2_pc(at, pc);
    case 4:
      return write ? __tsan_write4_pc(at, pc) : __tsan_read4_pc(at, pc);
    case 8:
      return write ? __tsan_write8_pc(at, pc) : __tsan_read8_pc(at, pc);
    default:
      return write ? __tsan_write_range_pc(at, size, pc) : __tsan_read_range_pc(at, size, pc);
  }
}
#endif

inline void CheckAddress([[maybe_unused]] void* at, [[maybe_unused]] size_t size,
                         [[maybe_unused]] bool write, [[maybe_unused]] const void* caller) {
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  void* const poisoned = __asan_region_is_poisoned(at, size);
  if (__builtin_expect(poisoned == nullptr, 1)) return;
  void* const frame = __builtin_frame_address(0);
  __asan_report_error(const_cast<void*>(caller), frame, frame, poisoned, write, size);
#endif
}

// kPoints: an update is an Interlocked routine that the image has not announced.
template <bool kPoints>
struct GuestWatch {
  struct Passes {};
  [[maybe_unused]] static constexpr bool kByTsan = true;
  static inline void Access(const volatile void* address, size_t size, bool write,
                            const void* caller) {
    BeforeAtomic(address, size, write, caller);
#ifdef CANCELSAFE_SANITIZER_THREAD
    TellTsan(const_cast<void*>(address), size, write, const_cast<void*>(caller));
#endif
  }
  // The memory engine makes access points by itself.
  static inline void BeforeAtomic([[maybe_unused]] const volatile void* address,
                                  [[maybe_unused]] size_t size, [[maybe_unused]] bool write,
                                  [[maybe_unused]] const void* caller) {
#ifndef CANCELSAFE_SANITIZER_MODEL
    void* const at = const_cast<void*>(address);
    if (__sanitizer_cov_load8 != nullptr) __sanitizer_cov_load8(static_cast<uint64_t*>(at));
    CheckAddress(at, size, write, caller);
#endif
  }
  static inline void BeforeUpdate(const volatile void* address, size_t, const void* caller) {
    if (kPoints) ki_platform->point(kPointInterlocked, address);
    CheckAddress(const_cast<void*>(address), 1, true, caller);
  }
  static inline void Copies(const void*, size_t) {}
  static inline void Covered(uint32_t) {}
  static inline void Compared(uint64_t, uint64_t, size_t, const void*) {}
};
using Announced = AccessHooks<GuestWatch<false>>;
using Unannounced = AccessHooks<GuestWatch<true>>;

#define CANCELSAFE_HOOK_ROW(Hooks, name, member) \
  {#name, reinterpret_cast<const void*>(&Hooks::member)},
const GuestService kAnnounced[] = {
    CANCELSAFE_ACCESS_HOOKS(CANCELSAFE_HOOK_ROW, CANCELSAFE_HOOK_ROW, Announced)};
const GuestService kUnannounced[] = {
    CANCELSAFE_ACCESS_HOOKS(CANCELSAFE_HOOK_ROW, CANCELSAFE_HOOK_ROW, Unannounced)};
#undef CANCELSAFE_HOOK_ROW

}  // namespace

GuestServiceList GuestAccessHooks(bool announces) {
  return announces ? GuestServiceList{kAnnounced, std::size(kAnnounced)}
                   : GuestServiceList{kUnannounced, std::size(kUnannounced)};
}

}  // namespace cancelsafe::drivers
