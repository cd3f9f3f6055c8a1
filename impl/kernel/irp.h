// What the host may do with IRPs beyond the documented routines: place them in
// memory of its own, watch their endings, and retire their storage. Not seen by
// implementations.
#ifndef CANCELSAFE_IMPL_KERNEL_IRP_H_
#define CANCELSAFE_IMPL_KERNEL_IRP_H_

#include "platform.h"

CANCELSAFE_BEGIN_C

// Precedes every IRP in memory, and stays readable when the IRP is retired. `tag`
// is the host's number for the IRP: the only identity that may enter a decision
// or a report. The host may set `on_complete`, `context` and `callback_data` after
// KiPlaceIrp or IoAllocateIrp, which clear them; the rest it may only read.
struct KiIrpHeader {
  ULONG magic;
  USHORT tag;
  // `completed` is 0, or non-zero once IoCompleteRequest was called; `cancels`
  // counts IoCancelIrp calls that may still touch the IRP. They are changed as
  // one 16-bit word, since together they decide who retires the IRP.
  UCHAR completed;
  UCHAR cancels;
  UCHAR retired;        // poisoned: the IRP may not be touched any more
  UCHAR heap;           // from IoAllocateIrp
  UCHAR size_in_words;  // of the IRP and its stack locations, in 8-byte words
  UCHAR reserved;
  // Called by IofCompleteRequest when the last completion routine has run; the
  // IRP is still readable, but has no current stack location any more. Null for
  // none.
  void (*on_complete)(PIRP irp, void* context);
  void* context;
  // The FLT_CALLBACK_DATA made for this IRP (filter_manager.h), or null. It is
  // retired together with the IRP.
  void* callback_data;
};

enum { kKiIrpBytes = sizeof(IRP) + sizeof(IO_STACK_LOCATION) };

// Bytes that KiPlaceIrp needs for an IRP with one stack location.
enum { kKiIrpPlacedBytes = sizeof(struct KiIrpHeader) + kKiIrpBytes };

// Makes an IRP with one current stack location in `storage` (8-byte aligned,
// kKiIrpPlacedBytes long, not poisoned). Never fails; O(1).
PIRP KiPlaceIrp(void* storage, USHORT tag, PFILE_OBJECT file, PDEVICE_OBJECT device);
struct KiIrpHeader* KiIrpHeaderOf(PIRP irp);

// Likewise with several stack locations, none of which is current or filled in: the caller
// sets CurrentLocation and CurrentStackLocation. `stack_size` is 1 to 25.
PIRP KiPlaceIrpWithStack(void* storage, USHORT tag, CCHAR stack_size);
static inline size_t KiIrpPlacedBytes(CCHAR stack_size) {
  return sizeof(struct KiIrpHeader) + sizeof(IRP) + (size_t)stack_size * sizeof(IO_STACK_LOCATION);
}

// Stack locations that KiAddStackLocations adds, and bytes that it needs behind those of
// KiPlaceIrp.
enum { kKiAddedLocations = 2, kKiAddedBytes = kKiAddedLocations * sizeof(IO_STACK_LOCATION) };

// Gives a fresh IRP from KiPlaceIrp one stack location below its own, as for a lower
// driver, and one above it. Both are zero. O(1).
void KiAddStackLocations(PIRP irp);

// The pattern every byte of a retired IRP, and of its callback data, holds.
// KiRetiredIntact is FALSE if either was written to since.
enum { kKiPoison = 0xDD };
BOOLEAN KiRetiredIntact(PIRP irp);

// Makes a retired IRP's storage, and that of its callback data, ordinary memory
// again, before it is freed or used anew. Harmless for an IRP that is not retired.
void KiUnpoison(PIRP irp);

// Device object in host storage, initialised as IoCreateDevice leaves it. The
// device queue is not initialised: that is the implementation's routine.
void KiPlaceDevice(PDEVICE_OBJECT device, PDEVOBJ_EXTENSION extension, PDRIVER_OBJECT driver);

// TRUE while any processor holds the system cancel spin lock. For checks at
// quiescence.
BOOLEAN KiCancelLockHeld(void);
// TRUE if `lock` is the system cancel spin lock. For reports.
BOOLEAN KiIsCancelLock(const volatile void* lock);
// Forgets a lock left behind by an aborted run.
void KiResetCancelLock(void);

CANCELSAFE_END_C

#endif  // CANCELSAFE_IMPL_KERNEL_IRP_H_
