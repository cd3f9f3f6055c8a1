// What the drivers of this folder share: a device whose control codes are behaviours, one for each
// rule of driver_rules.def. Behaviour N has the code CODE(N), and CODE(N) + 4 for a second request
// that it may need (its partner). Built with BROKEN 1, a behaviour breaks its rule; with BROKEN 0
// it does what a naive form of the rule would blame, and is right. cases.def is the table.
//
// A driver includes this, defines its behaviours, and ends with FRAME(...).
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

#define TAG 'eluR'

typedef struct Extension {
  PDEVICE_OBJECT device;
  PDEVICE_OBJECT lower;  // where the driver forwards to, in forward.c
  KSPIN_LOCK lock;       // of all that follows, where a behaviour takes it
  KSPIN_LOCK second;
  KSPIN_LOCK outer;
  LIST_ENTRY waiting;    // requests that can be cancelled
  LIST_ENTRY forgotten;  // likewise, and cleanup does not look here
  KIRQL irql;
  LONG count;
  PVOID memory;
  KEVENT event;
  KMUTEX mutex;
  FAST_MUTEX fast_mutex;
  KSEMAPHORE semaphore;
  KTIMER timer;
  KDPC dpc;
  IO_REMOVE_LOCK remove_lock;
  EX_RUNDOWN_REF rundown;
} Extension;

typedef NTSTATUS Behaviour(Extension* x, PIRP irp, BOOLEAN partner);

static Extension* the_extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

// ---- requests that wait until they are taken or cancelled ----

static VOID NTAPI CancelWaiting(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KeAcquireSpinLock(&x->lock, &irql);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  Finish(irp, STATUS_CANCELLED, 0);
}

static VOID EndTaken(Extension* x, PIRP irp);

static NTSTATUS EnqueueOn(Extension* x, PLIST_ENTRY list, PIRP irp, PDRIVER_CANCEL cancel) {
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  IoMarkIrpPending(irp);
  InsertTailList(list, &irp->Tail.Overlay.ListEntry);
  IoSetCancelRoutine(irp, cancel);
  if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&x->lock, irql);
    EndTaken(x, irp);
    return STATUS_PENDING;
  }
  KeReleaseSpinLock(&x->lock, irql);
  return STATUS_PENDING;
}

__attribute__((unused)) static NTSTATUS Enqueue(Extension* x, PIRP irp) {
  return EnqueueOn(x, &x->waiting, irp, CancelWaiting);
}

// The oldest request that waits, of that file or of any (NULL), or NULL.
static PIRP Take(Extension* x, PFILE_OBJECT file) {
  PLIST_ENTRY entry;
  PIRP taken = NULL;
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  for (entry = x->waiting.Flink; entry != &x->waiting; entry = entry->Flink) {
    PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (file != NULL && IoGetCurrentIrpStackLocation(irp)->FileObject != file) continue;
    if (IoSetCancelRoutine(irp, NULL) == NULL) continue;
    RemoveEntryList(entry);
    taken = irp;
    break;
  }
  KeReleaseSpinLock(&x->lock, irql);
  return taken;
}

// ---- work items ----

// Runs `routine` with `irp` in a work item, which it frees; without memory ends the request.
// The request is marked pending.
__attribute__((unused)) static NTSTATUS Later(Extension* x, PIRP irp,
                                              PIO_WORKITEM_ROUTINE routine) {
  PIO_WORKITEM item = IoAllocateWorkItem(x->device);
  IoMarkIrpPending(irp);
  if (item == NULL) {
    Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    return STATUS_PENDING;
  }
  irp->Tail.Overlay.DriverContext[0] = item;
  IoQueueWorkItem(item, routine, DelayedWorkQueue, irp);
  return STATUS_PENDING;
}

__attribute__((unused)) static VOID NTAPI FinishInWorkItem(PDEVICE_OBJECT device, PVOID context) {
  PIRP irp = context;
  UNREFERENCED_PARAMETER(device);
  IoFreeWorkItem(irp->Tail.Overlay.DriverContext[0]);
  Finish(irp, STATUS_SUCCESS, 0);
}

// ---- the frame ----

typedef struct Frame {
  Behaviour* const* behaviours;
  ULONG count;
  // Each may be null. `end` ends a request that was taken out as cancelled, or by cleanup; `stop`
  // comes first at unload.
  NTSTATUS (*start)(PDRIVER_OBJECT driver, Extension* x);
  VOID (*end)(Extension* x, PIRP irp);
  VOID (*stop)(Extension* x);
} Frame;

static const Frame frame;

static VOID EndTaken(Extension* x, PIRP irp) {
  if (frame.end != NULL) {
    frame.end(x, irp);
  } else {
    Finish(irp, STATUS_CANCELLED, 0);
  }
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT device, PIRP irp) {
  const ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
  const ULONG function = (code >> 2 & 0xfff) - 0x800;
  if (function / 2 >= frame.count) return Finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  return frame.behaviours[function / 2](device->DeviceExtension, irp, function % 2 != 0);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  PIRP waiting;
  while ((waiting = Take(x, IoGetCurrentIrpStackLocation(irp)->FileObject)) != NULL) {
    EndTaken(x, waiting);
  }
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI CreateClose(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) {
  if (frame.stop != NULL) frame.stop(the_extension);
  // What has completed a request in a DPC may still be on its way out.
  KeFlushQueuedDpcs();
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  Extension* x;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  status = IoCreateDevice(driver, sizeof(Extension), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  x = the_extension = device->DeviceExtension;
  x->device = device;
  KeInitializeSpinLock(&x->lock);
  KeInitializeSpinLock(&x->second);
  KeInitializeSpinLock(&x->outer);
  InitializeListHead(&x->waiting);
  InitializeListHead(&x->forgotten);
  KeInitializeEvent(&x->event, SynchronizationEvent, TRUE);
  KeInitializeMutex(&x->mutex, 0);
  ExInitializeFastMutex(&x->fast_mutex);
  KeInitializeSemaphore(&x->semaphore, 0, 2);
  KeInitializeTimer(&x->timer);
  IoInitializeRemoveLock(&x->remove_lock, TAG, 0, 0);
  ExInitializeRundownProtection(&x->rundown);
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  if (frame.start == NULL) return STATUS_SUCCESS;
  status = frame.start(driver, x);
  if (!NT_SUCCESS(status)) IoDeleteDevice(device);
  return status;
}

#define FRAME(start, end, stop)                                                                   \
  static const Frame frame = {behaviours, sizeof(behaviours) / sizeof(behaviours[0]), start, end, \
                              stop}
