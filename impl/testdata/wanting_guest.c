/* Wants routines that no host has. */
#include <wdm.h>

VOID ExNoSuchRoutine(VOID);
VOID KeNoSuchRoutine(VOID);
extern ULONG NoSuchData;

VOID KeInitializeDeviceQueue(PKDEVICE_QUEUE queue) {
  KeInitializeSpinLock(&queue->Lock);
  ExNoSuchRoutine();
  KeNoSuchRoutine();
  queue->Busy = (BOOLEAN)NoSuchData;
}
