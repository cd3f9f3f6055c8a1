/* An implementation of few routines, for the tests of what is taken from a PE image: one by name,
 * one that is in another module, one that has an ordinal alone. KeInsertDeviceQueue returns how
 * often it was called before, which a reset forgets. */
#include "wdm.h"

static int calls = 0;
/* Not in memory that begins as zeros. */
static int first = 7;

BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  UNREFERENCED_PARAMETER(DeviceQueue);
  UNREFERENCED_PARAMETER(DeviceQueueEntry);
#ifdef CRASHES
  *(volatile int*)8 = 1;
#endif
  return (BOOLEAN)(first++ + calls++);
}

#ifdef CRASHES
VOID KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  UNREFERENCED_PARAMETER(DeviceQueue);
  /* An access that is not instrumented faults in the image itself. */
  __asm__ volatile("movl $1, (%0)" : : "r"((ULONG_PTR)8) : "memory");
}
__asm__(
    ".section .drectve,\"yn\"\n"
    ".ascii \" -export:KeInitializeDeviceQueue\"\n"
    ".text\n");
#endif

VOID OnlyByOrdinal(VOID) {}

__asm__(
    ".section .drectve,\"yn\"\n"
    ".ascii \" -export:KeInsertDeviceQueue\"\n"
    ".ascii \" -export:KeRemoveDeviceQueue=ntoskrnl.KeRemoveDeviceQueue\"\n"
    ".ascii \" -export:OnlyByOrdinal,@7,NONAME\"\n"
    ".text\n");
