// What is left: strings, messages, bug checks, versions, and variables that drivers
// import.
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/exceptions.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

// ---- strings ----

void RtlInitUnicodeString(PUNICODE_STRING string, PCWSTR text) {
  size_t length = 0;
  if (text != nullptr) {
    while (text[length] != 0) ++length;
  }
  string->Length = static_cast<USHORT>(length * 2);
  string->MaximumLength = static_cast<USHORT>(text == nullptr ? 0 : length * 2 + 2);
  string->Buffer = const_cast<PWSTR>(text);
}
struct AnsiString {
  USHORT length;
  USHORT maximum_length;
  char* buffer;
};
void RtlInitAnsiString(AnsiString* string, const char* text) {
  const size_t length = text == nullptr ? 0 : strlen(text);
  *string = {static_cast<USHORT>(length), static_cast<USHORT>(text == nullptr ? 0 : length + 1),
             const_cast<char*>(text)};
}
void RtlCopyUnicodeString(PUNICODE_STRING to, PUNICODE_STRING from) {
  if (from == nullptr) {
    to->Length = 0;
    return;
  }
  const USHORT bytes = from->Length < to->MaximumLength ? from->Length : to->MaximumLength;
  memmove(to->Buffer, from->Buffer, bytes);
  to->Length = bytes;
}
WCHAR Upper(WCHAR c) { return c >= 'a' && c <= 'z' ? static_cast<WCHAR>(c - 32) : c; }
LONG RtlCompareUnicodeString(PUNICODE_STRING a, PUNICODE_STRING b, BOOLEAN ignore_case) {
  const int length = (a->Length < b->Length ? a->Length : b->Length) / 2;
  for (int i = 0; i < length; ++i) {
    const WCHAR x = ignore_case ? Upper(a->Buffer[i]) : a->Buffer[i];
    const WCHAR y = ignore_case ? Upper(b->Buffer[i]) : b->Buffer[i];
    if (x != y) return x - y;
  }
  return a->Length - b->Length;
}
BOOLEAN RtlEqualUnicodeString(PUNICODE_STRING a, PUNICODE_STRING b, BOOLEAN ignore_case) {
  return a->Length == b->Length && RtlCompareUnicodeString(a, b, ignore_case) == 0;
}
constexpr NTSTATUS kTooSmall = static_cast<NTSTATUS>(0xC0000023);
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING to, PUNICODE_STRING from) {
  if (to->Length + from->Length > to->MaximumLength) return kTooSmall;
  memmove(reinterpret_cast<char*>(to->Buffer) + to->Length, from->Buffer, from->Length);
  to->Length = static_cast<USHORT>(to->Length + from->Length);
  return STATUS_SUCCESS;
}
NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING to, PCWSTR text) {
  UNICODE_STRING from;
  RtlInitUnicodeString(&from, text);
  return RtlAppendUnicodeStringToString(to, &from);
}
SIZE_T StringLength(const char* text) { return strlen(text); }
SIZE_T WideLength(PCWSTR text) {
  SIZE_T length = 0;
  while (text[length] != 0) ++length;
  return length;
}

// ---- messages: not shown, since a run has millions; their arguments are not looked at ----

CANCELSAFE_MS_ABI ULONG DbgPrint(const char*, ...) { return STATUS_SUCCESS; }
CANCELSAFE_MS_ABI ULONG DbgPrintEx(ULONG, ULONG, const char*, ...) { return STATUS_SUCCESS; }
void DbgBreakPoint() { Report("bugcheck", "DbgBreakPoint", "a breakpoint was reached"); }
void RtlAssert(const char* expression, const char* file, ULONG line, const char*) {
  Report("misuse", "ASSERT", absl::StrCat(expression, " at ", file, ":", line));
}
void KeBugCheckEx(ULONG code, ULONG_PTR a, ULONG_PTR, ULONG_PTR, ULONG_PTR) {
  Report("bugcheck", "KeBugCheckEx",
         absl::StrCat("the driver stops the system with code 0x", absl::Hex(code),
                      ", first parameter 0x", absl::Hex(a)));
}
void KeBugCheck(ULONG code) { KeBugCheckEx(code, 0, 0, 0, 0); }
BOOLEAN PsGetVersion(ULONG* major, ULONG* minor, ULONG* build, PUNICODE_STRING) {
  if (major != nullptr) *major = 10;
  if (minor != nullptr) *minor = 0;
  if (build != nullptr) *build = 19045;
  return TRUE;
}
BOOLEAN IoIsWdmVersionAvailable(UCHAR major, UCHAR) { return major <= 6; }
void ExInitializeDriverRuntime(ULONG) {}
ULONG KeGetCurrentProcessorNumber() { return Processor()->id; }
ULONG KeGetCurrentProcessorNumberEx(PVOID) { return Processor()->id; }
ULONG KeQueryActiveProcessorCount(PVOID) { return 8; }
KAFFINITY KeQueryActiveProcessors() { return 0xff; }
// Nothing is known by name: drivers look for optional routines in this way.
PVOID MmGetSystemRoutineAddress(PUNICODE_STRING name) {
  std::string text;
  for (int i = 0; i < name->Length / 2; ++i) text += static_cast<char>(name->Buffer[i]);
  const Service* service = FindService(text);
  return service == nullptr ? nullptr : const_cast<void*>(service->address);
}

// KeSynchronizeExecution: the routine under an interrupt's lock. One lock for all, since
// interrupts are not provided.
KSPIN_LOCK interrupt_lock = 0;
BOOLEAN KeSynchronizeExecution(PVOID, BOOLEAN(CANCELSAFE_MS_ABI* routine)(PVOID), PVOID context) {
  const KIRQL irql = KeAcquireSpinLockRaiseToDpc(&interrupt_lock);
  const BOOLEAN result = routine(context);
  KeReleaseSpinLock(&interrupt_lock, irql);
  return result;
}

// Variables of the kernel that drivers read: each is a pointer, or a small number.
PVOID object_type = &object_type;
ULONG64 zero = 0;
PVOID system_range_start = reinterpret_cast<PVOID>(0x1000);

const Service kServices[] = {
    CANCELSAFE_SERVICE_PASSING(RtlInitUnicodeString, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlInitAnsiString, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(RtlInitString, RtlInitAnsiString, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlCopyUnicodeString, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlCompareUnicodeString, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlEqualUnicodeString, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlAppendUnicodeStringToString, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlAppendUnicodeToString, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(strlen, StringLength, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(wcslen, WideLength, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_RAW(DbgPrint, DbgPrint, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_RAW(DbgPrintEx, DbgPrintEx, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(DbgBreakPoint, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(RtlAssert, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeBugCheckEx, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeBugCheck, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(PsGetVersion, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoIsWdmVersionAvailable, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExInitializeDriverRuntime, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(KeGetCurrentProcessorNumber, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeGetCurrentProcessorNumberEx, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryActiveProcessorCount, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryActiveProcessors, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(MmGetSystemRoutineAddress, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(KeSynchronizeExecution, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_DATA(PsThreadType, object_type),
    CANCELSAFE_SERVICE_DATA(IoFileObjectType, object_type),
    CANCELSAFE_SERVICE_DATA(ExEventObjectType, object_type),
    CANCELSAFE_SERVICE_DATA(ExSemaphoreObjectType, object_type),
    CANCELSAFE_SERVICE_DATA(PsProcessType, object_type),
    CANCELSAFE_SERVICE_DATA(KdDebuggerEnabled, zero),
    CANCELSAFE_SERVICE_DATA(KdDebuggerNotPresent, zero),
    CANCELSAFE_SERVICE_DATA(InitSafeBootMode, zero),
    CANCELSAFE_SERVICE_DATA(KeNumberProcessors, zero),
    CANCELSAFE_SERVICE_DATA(MmSystemRangeStart, system_range_start),
};

}  // namespace

ServiceList RuntimeServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
