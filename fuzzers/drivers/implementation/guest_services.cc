// See guest_services.h.
#include "fuzzers/drivers/implementation/guest_services.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "fuzzers/drivers/implementation/guest_access.h"
#include "impl/kernel/platform.h"
#include "impl/kernel/services.h"
#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {
namespace {

// A service of the host's with the other calling convention.
template <auto kFunction>
struct GuestDoor;
template <typename Result, typename... Parameters, Result (*kFunction)(Parameters...)>
struct GuestDoor<kFunction> {
  CANCELSAFE_MS_ABI static Result Call(Parameters... parameters) {
    return kFunction(parameters...);
  }
};
// One with variable arguments shows a message: not of an image, whose formats are another
// library's.
template <typename Result, typename... Parameters, Result (*kFunction)(Parameters..., ...)>
struct GuestDoor<kFunction> {
  CANCELSAFE_MS_ABI static Result Call(Parameters..., ...) { return Result(); }
};

// CR8, which holds the IRQL, where the DDK's inline routines were redirected (driver_prefix.h).
ULONG64 ReadCr8() { return KeGetCurrentIrql(); }
void WriteCr8(ULONG64 value) {
  const auto irql = static_cast<KIRQL>(value);
  if (irql < KeGetCurrentIrql()) {
    KeLowerIrql(irql);
  } else {
    KfRaiseIrql(irql);
  }
}

void* Copy(void* to, const void* from, ULONG64 size) { return memmove(to, from, size); }
void* Set(void* at, int value, ULONG64 size) { return memset(at, value, size); }
int Compare(const void* a, const void* b, ULONG64 size) { return memcmp(a, b, size); }
void CopyOnly(void* to, const void* from, ULONG64 size) { memmove(to, from, size); }
void Fill(void* at, ULONG64 size, UCHAR value) { memset(at, value, size); }
void Zero(void* at, ULONG64 size) { memset(at, 0, size); }

// Wine's routines look up by name what tells them whether a message is to be shown: none is.
UCHAR NoMessages(void*) { return 0; }
const char the_module = 0;
const void* GetModuleHandleW(const WCHAR*) { return &the_module; }
const void* GetProcAddress(const void*, const char* name) { return FindGuestService(name, false); }

#define CANCELSAFE_GUEST_ROW(name) {#name, reinterpret_cast<const void*>(&GuestDoor<&name>::Call)},
#define CANCELSAFE_GUEST_ROW_AS(name, function) \
  {#name, reinterpret_cast<const void*>(&GuestDoor<&function>::Call)},
const GuestService kServices[] = {
    // clang-format off
    CANCELSAFE_KERNEL_SERVICES(CANCELSAFE_GUEST_ROW)
    CANCELSAFE_GUEST_ROW(CancelsafeInterlockedPoint)
    CANCELSAFE_GUEST_ROW(CancelsafeYieldPoint)
    CANCELSAFE_GUEST_ROW_AS(IoCompleteRequest, IofCompleteRequest)
    CANCELSAFE_GUEST_ROW_AS(CancelsafeReadCr8, ReadCr8)
    CANCELSAFE_GUEST_ROW_AS(CancelsafeWriteCr8, WriteCr8)
    CANCELSAFE_GUEST_ROW_AS(memcpy, Copy)
    CANCELSAFE_GUEST_ROW_AS(memmove, Copy)
    CANCELSAFE_GUEST_ROW_AS(memset, Set)
    CANCELSAFE_GUEST_ROW_AS(memcmp, Compare)
    CANCELSAFE_GUEST_ROW_AS(RtlCopyMemory, CopyOnly)
    CANCELSAFE_GUEST_ROW_AS(RtlMoveMemory, CopyOnly)
    CANCELSAFE_GUEST_ROW_AS(RtlFillMemory, Fill)
    CANCELSAFE_GUEST_ROW_AS(RtlZeroMemory, Zero)
    CANCELSAFE_GUEST_ROW(GetModuleHandleW)
    CANCELSAFE_GUEST_ROW(GetProcAddress)
    CANCELSAFE_GUEST_ROW_AS(__wine_dbg_get_channel_flags, NoMessages)
    // clang-format on
};

const void* FindIn(const GuestService* begin, const GuestService* end, const std::string& name) {
  const auto* const found =
      std::find_if(begin, end, [&name](const GuestService& row) { return name == row.name; });
  return found == end ? nullptr : found->address;
}

}  // namespace

const void* FindGuestService(const std::string& name, bool announces) {
  const void* const service = FindIn(std::begin(kServices), std::end(kServices), name);
  if (service != nullptr) return service;
  const GuestServiceList hooks = GuestAccessHooks(announces);
  return FindIn(hooks.begin, hooks.begin + hooks.count, name);
}

const std::vector<std::string>& GuestServiceNames() {
  static const auto* const names = [] {
    auto* all = new std::vector<std::string>;
    for (const GuestService& row : kServices) all->push_back(row.name);
    const GuestServiceList hooks = GuestAccessHooks(false);
    for (size_t i = 0; i < hooks.count; ++i) all->push_back(hooks.begin[i].name);
    std::sort(all->begin(), all->end());
    return all;
  }();
  return *names;
}

}  // namespace cancelsafe::drivers
