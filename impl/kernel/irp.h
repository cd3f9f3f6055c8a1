// What the host may do with IRPs beyond the documented routines: place them in
// memory of its own, watch their endings, and retire their storage. Not seen by
// implementations.
#ifndef CANCELSAFE_IMPL_KERNEL_IRP_H_
#define CANCELSAFE_IMPL_KERNEL_IRP_H_

#include "platform.h"

CANCELSAFE_BEGIN_C

// Precedes every IRP in memory. `tag` is the host's number for the IRP: the only
// identity that may enter a decision or a report.
struct KiIrpHeader {
  ULONG magic;
  USHORT tag;
  UCHAR completed;      // IoCompleteRequest was called
  UCHAR cancels;        // IoCancelIrp calls that may still touch the IRP
  UCHAR retired;        // poisoned: nobody may touch it any more
  UCHAR heap;           // from IoAllocateIrp
  UCHAR size_in_words;  // of the IRP and its stack locations, in 8-byte words
  UCHAR reserved;
  // Called by IofCompleteRequest when the last completion routine has run; the
  // IRP is still readable. Null for none.
  void (*on_complete)(PIRP irp, void* context);
  void* context;
  // The FLT_CALLBACK_DATA made for this IRP, or null.
  void* callback_data;
};

enum { kKiIrpBytes = sizeof(IRP) + sizeof(IO_STACK_LOCATION) };

// Bytes that KiPlaceIrp needs for an IRP with one stack location.
enum { kKiIrpPlacedBytes = sizeof(struct KiIrpHeader) + kKiIrpBytes };

// Makes an IRP with one current stack location in `storage` (8-byte aligned,
// kKiIrpPlacedBytes long). Never fails; O(1).
PIRP KiPlaceIrp(void* storage, USHORT tag, PFILE_OBJECT file, PDEVICE_OBJECT device);
struct KiIrpHeader* KiIrpHeaderOf(PIRP irp);

// The pattern every byte of a retired IRP holds. KiRetiredIntact is FALSE if
// somebody wrote to it since.
enum { kKiPoison = 0xDD };
BOOLEAN KiRetiredIntact(PIRP irp);

// Makes a retired IRP's storage ordinary memory again, before it is freed.
void KiUnpoison(PIRP irp);

// Device object in host storage, initialised as IoCreateDevice leaves it. The
// device queue is not initialised: that is the implementation's routine.
void KiPlaceDevice(PDEVICE_OBJECT device, PDEVOBJ_EXTENSION extension, PDRIVER_OBJECT driver);

// TRUE while any processor holds the system cancel spin lock. For checks at
// quiescence.
BOOLEAN KiCancelLockHeld(void);
// Forgets a lock left behind by an aborted run.
void KiResetCancelLock(void);

CANCELSAFE_END_C

#endif  // CANCELSAFE_IMPL_KERNEL_IRP_H_
