// Assertions, bug checks and debug output. What is fatal on the real system ends the
// process by a signal: the tools report that as a crash, with the program that led there.
#include <stdio.h>
#include <stdlib.h>

#include "watch.h"

extern "C" {

KI_SERVICE KI_QUIET VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
                                            ULONG_PTR BugCheckParameter2,
                                            ULONG_PTR BugCheckParameter3,
                                            ULONG_PTR BugCheckParameter4) {
  fprintf(stderr, "bug check 0x%08x (0x%llx, 0x%llx, 0x%llx, 0x%llx)\n", BugCheckCode,
          static_cast<ULONGLONG>(BugCheckParameter1), static_cast<ULONGLONG>(BugCheckParameter2),
          static_cast<ULONGLONG>(BugCheckParameter3), static_cast<ULONGLONG>(BugCheckParameter4));
  abort();
}

KI_SERVICE KI_QUIET VOID NTAPI KeBugCheck(ULONG BugCheckCode) {
  KeBugCheckEx(BugCheckCode, 0, 0, 0, 0);
}

KI_SERVICE KI_QUIET VOID NTAPI RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber,
                                         PCHAR Message) {
  fprintf(stderr, "%s:%u: assertion failed: %s%s%s\n", static_cast<const char*>(FileName),
          LineNumber, static_cast<const char*>(FailedAssertion), Message != nullptr ? ": " : "",
          Message != nullptr ? Message : "");
  abort();
}

KI_SERVICE KI_QUIET VOID NTAPI DbgBreakPoint(VOID) {
  fprintf(stderr, "DbgBreakPoint was called\n");
  abort();
}

KI_SERVICE KI_BARE ULONG DbgPrint(const CHAR*, ...) { return STATUS_SUCCESS; }
KI_SERVICE KI_BARE ULONG DbgPrintEx(ULONG, ULONG, const CHAR*, ...) { return STATUS_SUCCESS; }

}  // extern "C"
