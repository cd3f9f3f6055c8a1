// Rules about locks, IRQL and regions. See frame.h and cases.def.
#include "frame.h"

// Hand over hand: the first lock is given back before the second one.
static NTSTATUS LockKept(Extension* x, PIRP irp, BOOLEAN partner) {
  KIRQL irql;
  UNREFERENCED_PARAMETER(partner);
  Finish(irp, STATUS_SUCCESS, 0);
#if BROKEN
  KeAcquireSpinLock(&x->lock, &irql);
#else
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  KeAcquireSpinLockAtDpcLevel(&x->lock);
  KeAcquireSpinLockAtDpcLevel(&x->second);
  KeReleaseSpinLockFromDpcLevel(&x->lock);
  ++x->count;
  KeReleaseSpinLockFromDpcLevel(&x->second);
  KeLowerIrql(irql);
#endif
  return STATUS_SUCCESS;
}

// A mutex may be taken again by the thread that has it; a spin lock is taken again once it was
// given back.
static NTSTATUS LockRecursion(Extension* x, PIRP irp, BOOLEAN partner) {
  KIRQL irql;
  int i;
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  KeAcquireSpinLock(&x->lock, &irql);
  KeAcquireSpinLockAtDpcLevel(&x->lock);
  KeReleaseSpinLockFromDpcLevel(&x->lock);
  KeReleaseSpinLock(&x->lock, irql);
#endif
  for (i = 0; i < 2; ++i) {
    KeAcquireSpinLock(&x->lock, &irql);
    KeReleaseSpinLock(&x->lock, irql);
    KeWaitForSingleObject(&x->mutex, Executive, KernelMode, FALSE, NULL);
  }
  for (i = 0; i < 2; ++i) KeReleaseMutex(&x->mutex, FALSE);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// An event that serves as a lock: a work item gives back what dispatch has taken.
static VOID NTAPI GiveBack(PDEVICE_OBJECT device, PVOID context) {
  Extension* x = device->DeviceExtension;
  PIRP irp = context;
  IoFreeWorkItem(irp->Tail.Overlay.DriverContext[0]);
  KeSetEvent(&x->event, IO_NO_INCREMENT, FALSE);
  Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS LockNotOwned(Extension* x, PIRP irp, BOOLEAN partner) {
  PIO_WORKITEM item;
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  KIRQL irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  KeReleaseSpinLockFromDpcLevel(&x->lock);
  KeLowerIrql(irql);
#endif
  item = IoAllocateWorkItem(x->device);
  if (item == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  KeWaitForSingleObject(&x->event, Executive, KernelMode, FALSE, NULL);
  IoMarkIrpPending(irp);
  irp->Tail.Overlay.DriverContext[0] = item;
  IoQueueWorkItem(item, GiveBack, DelayedWorkQueue, irp);
  return STATUS_PENDING;
}

// The saved IRQL lies beside the lock, which protects it, and is given back in another routine.
static VOID Unlock(Extension* x) {
  const KIRQL irql = x->irql;
  KeReleaseSpinLock(&x->lock, irql);
}

static NTSTATUS LockIrql(Extension* x, PIRP irp, BOOLEAN partner) {
  KIRQL irql;
  KIRQL before = PASSIVE_LEVEL;
  if (partner) KeRaiseIrql(DISPATCH_LEVEL, &before);
  KeAcquireSpinLock(&x->lock, &irql);
#if BROKEN
  x->irql = partner ? PASSIVE_LEVEL : DISPATCH_LEVEL;
#else
  x->irql = irql;
#endif
  Unlock(x);
  if (partner) KeLowerIrql(before);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// At DISPATCH_LEVEL it may be asked whether an object is signalled: a wait without time.
static NTSTATUS Irql(Extension* x, PIRP irp, BOOLEAN partner) {
  LARGE_INTEGER none;
  KIRQL irql;
  UNREFERENCED_PARAMETER(partner);
  none.QuadPart = BROKEN ? -10000 : 0;
  KeAcquireSpinLock(&x->lock, &irql);
  if (KeWaitForSingleObject(&x->event, Executive, KernelMode, FALSE, &none) == STATUS_SUCCESS) {
    KeSetEvent(&x->event, IO_NO_INCREMENT, FALSE);
  }
  KeReleaseSpinLock(&x->lock, irql);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// Raised in one routine, lowered in another, with a mutex around both that raises it too.
static KIRQL Raise(VOID) {
  KIRQL irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  return irql;
}

static NTSTATUS IrqlKept(Extension* x, PIRP irp, BOOLEAN partner) {
  KIRQL irql;
  UNREFERENCED_PARAMETER(partner);
  ExAcquireFastMutex(&x->fast_mutex);
  irql = Raise();
  ++x->count;
  KeLowerIrql(irql);
  ExReleaseFastMutex(&x->fast_mutex);
  Finish(irp, STATUS_SUCCESS, 0);
#if BROKEN
  Raise();
#endif
  return STATUS_SUCCESS;
}

// Two locks in both orders, under a third one that keeps them apart.
static NTSTATUS Deadlock(Extension* x, PIRP irp, BOOLEAN partner) {
  PKSPIN_LOCK first = partner ? &x->second : &x->lock;
  PKSPIN_LOCK then = partner ? &x->lock : &x->second;
  KIRQL irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  if (!BROKEN) KeAcquireSpinLockAtDpcLevel(&x->outer);
  KeAcquireSpinLockAtDpcLevel(first);
  KeAcquireSpinLockAtDpcLevel(then);
  ++x->count;
  KeReleaseSpinLockFromDpcLevel(then);
  KeReleaseSpinLockFromDpcLevel(first);
  if (!BROKEN) KeReleaseSpinLockFromDpcLevel(&x->outer);
  KeLowerIrql(irql);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// Regions within regions, with a mutex in the innermost.
static NTSTATUS Region(Extension* x, PIRP irp, BOOLEAN partner) {
#if BROKEN
  if (partner) {
    KeLeaveCriticalRegion();
  } else {
    KeEnterCriticalRegion();
  }
  return Finish(irp, STATUS_SUCCESS, 0);
#endif
  UNREFERENCED_PARAMETER(partner);
  KeEnterCriticalRegion();
  KeEnterGuardedRegion();
  KeEnterCriticalRegion();
  ExAcquireFastMutexUnsafe(&x->fast_mutex);
  ++x->count;
  ExReleaseFastMutexUnsafe(&x->fast_mutex);
  KeLeaveCriticalRegion();
  KeLeaveGuardedRegion();
  KeLeaveCriticalRegion();
  return Finish(irp, STATUS_SUCCESS, 0);
}

static Behaviour* const behaviours[] = {LockKept, LockRecursion, LockNotOwned, LockIrql,
                                        Irql,     IrqlKept,      Deadlock,     Region};
FRAME(NULL, NULL, NULL);
