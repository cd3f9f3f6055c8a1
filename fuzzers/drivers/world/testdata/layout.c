// The sizes and offsets of kernel_objects.h, as the DDK's headers have them. It is compiled
// with the tests and never run.
#include <ntifs.h>

#define SAME(type, bytes) C_ASSERT(sizeof(type) == (bytes))
#define AT(type, field, offset) C_ASSERT(FIELD_OFFSET(type, field) == (offset))

SAME(KTIMER, 64);
AT(KTIMER, DueTime, 24);
AT(KTIMER, TimerListEntry, 32);
AT(KTIMER, Dpc, 48);
AT(KTIMER, Period, 60);
SAME(KMUTANT, 56);
AT(KMUTANT, MutantListEntry, 24);
AT(KMUTANT, OwnerThread, 40);
AT(KMUTANT, Abandoned, 48);
AT(KMUTANT, ApcDisable, 49);
SAME(KSEMAPHORE, 32);
AT(KSEMAPHORE, Limit, 24);
SAME(MDL, 48);
AT(MDL, MdlFlags, 10);
AT(MDL, MappedSystemVa, 24);
AT(MDL, StartVa, 32);
AT(MDL, ByteCount, 40);
AT(MDL, ByteOffset, 44);
SAME(FILE_OBJECT, 216);
AT(FILE_OBJECT, DeviceObject, 8);
AT(FILE_OBJECT, FsContext, 24);
AT(FILE_OBJECT, FsContext2, 32);
AT(FILE_OBJECT, FinalStatus, 56);
AT(FILE_OBJECT, RelatedFileObject, 64);
AT(FILE_OBJECT, Flags, 80);
AT(FILE_OBJECT, FileName, 88);
AT(FILE_OBJECT, CurrentByteOffset, 104);
AT(FILE_OBJECT, Lock, 128);
AT(FILE_OBJECT, Event, 152);
AT(FILE_OBJECT, CompletionContext, 176);
SAME(IO_REMOVE_LOCK, 32);
SAME(WORK_QUEUE_ITEM, 32);
AT(WORK_QUEUE_ITEM, WorkerRoutine, 16);
AT(WORK_QUEUE_ITEM, Parameter, 24);
SAME(KLOCK_QUEUE_HANDLE, 24);
AT(KLOCK_QUEUE_HANDLE, OldIrql, 16);
SAME(FAST_MUTEX, 56);
AT(FAST_MUTEX, Owner, 8);
AT(FAST_MUTEX, Contention, 16);
AT(FAST_MUTEX, OldIrql, 48);
SAME(ERESOURCE, 104);
AT(ERESOURCE, ActiveCount, 24);
AT(ERESOURCE, ContentionCount, 68);
AT(ERESOURCE, NumberOfSharedWaiters, 72);
AT(ERESOURCE, NumberOfExclusiveWaiters, 76);
SAME(SLIST_HEADER, 16);
SAME(KEVENT, 24);
SAME(KDPC, 64);

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path) {
  UNREFERENCED_PARAMETER(driver);
  UNREFERENCED_PARAMETER(path);
  return STATUS_SUCCESS;
}
