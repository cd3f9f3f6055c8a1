// Two drivers that keep pending IRPs in a list under a spin lock: one through the
// cancel-safe queue library, one with the library's protocol written out by hand.
#ifndef CANCELSAFE_IMPL_BENCH_CSQ_DRIVERS_H_
#define CANCELSAFE_IMPL_BENCH_CSQ_DRIVERS_H_

#include "csq.h"
#include "kernel/irp.h"

namespace cancelsafe {

// An IRP in memory of its own.
class PlacedIrp {
 public:
  PlacedIrp() : irp_(KiPlaceIrp(storage_, 0, nullptr, nullptr)) {}
  PlacedIrp(const PlacedIrp&) = delete;
  PlacedIrp& operator=(const PlacedIrp&) = delete;
  PIRP irp() { return irp_; }

 private:
  alignas(64) UCHAR storage_[kKiIrpPlacedBytes];
  PIRP irp_;
};

inline PIRP IrpOf(PLIST_ENTRY link) { return CONTAINING_RECORD(link, IRP, Tail.Overlay.ListEntry); }

class LibraryDriver {
 public:
  LibraryDriver() {
    InitializeListHead(&list_);
    KeInitializeSpinLock(&lock_);
    IoCsqInitialize(&csq_, &InsertIrp, &RemoveIrp, &PeekNextIrp, &AcquireLock, &ReleaseLock,
                    &CompleteCanceledIrp);
  }
  LibraryDriver(const LibraryDriver&) = delete;
  LibraryDriver& operator=(const LibraryDriver&) = delete;

  void Insert(PIRP irp, PIO_CSQ_IRP_CONTEXT context) { IoCsqInsertIrp(&csq_, irp, context); }
  PIRP RemoveNext() { return IoCsqRemoveNextIrp(&csq_, nullptr); }
  PIRP Remove(PIO_CSQ_IRP_CONTEXT context) { return IoCsqRemoveIrp(&csq_, context); }

 private:
  static LibraryDriver* Of(PIO_CSQ csq) { return CONTAINING_RECORD(csq, LibraryDriver, csq_); }
  static VOID NTAPI InsertIrp(PIO_CSQ csq, PIRP irp) {
    InsertTailList(&Of(csq)->list_, &irp->Tail.Overlay.ListEntry);
  }
  static VOID NTAPI RemoveIrp(PIO_CSQ, PIRP irp) { RemoveEntryList(&irp->Tail.Overlay.ListEntry); }
  static PIRP NTAPI PeekNextIrp(PIO_CSQ csq, PIRP irp, PVOID) {
    PLIST_ENTRY head = &Of(csq)->list_;
    PLIST_ENTRY next = irp == nullptr ? head->Flink : irp->Tail.Overlay.ListEntry.Flink;
    return next == head ? nullptr : IrpOf(next);
  }
  static VOID NTAPI AcquireLock(PIO_CSQ csq, PKIRQL irql) {
    KeAcquireSpinLock(&Of(csq)->lock_, irql);
  }
  static VOID NTAPI ReleaseLock(PIO_CSQ csq, KIRQL irql) {
    KeReleaseSpinLock(&Of(csq)->lock_, irql);
  }
  // The benchmark keeps the IRP.
  static VOID NTAPI CompleteCanceledIrp(PIO_CSQ, PIRP irp) {
    irp->IoStatus.Status = STATUS_CANCELLED;
  }

  // The lock and the list are another processor's business only through this queue.
  alignas(64) IO_CSQ csq_;
  LIST_ENTRY list_;
  KSPIN_LOCK lock_;
};

class InlineDriver {
 public:
  InlineDriver() {
    InitializeListHead(&list_);
    KeInitializeSpinLock(&lock_);
  }
  InlineDriver(const InlineDriver&) = delete;
  InlineDriver& operator=(const InlineDriver&) = delete;

  void Insert(PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
    irp->Tail.Overlay.DriverContext[3] = this;
    irp->Tail.Overlay.DriverContext[2] = context;
    if (context != nullptr) context->Irp = irp;
    KIRQL irql;
    KeAcquireSpinLock(&lock_, &irql);
    InsertTailList(&list_, &irp->Tail.Overlay.ListEntry);
    IoMarkIrpPending(irp);
    IoSetCancelRoutine(irp, &Cancel);
    bool cancelled = false;
    if (*const_cast<volatile BOOLEAN*>(&irp->Cancel) &&
        IoSetCancelRoutine(irp, nullptr) != nullptr) {
      Unlink(irp);
      cancelled = true;
    }
    KeReleaseSpinLock(&lock_, irql);
    if (cancelled) irp->IoStatus.Status = STATUS_CANCELLED;
  }

  PIRP RemoveNext() {
    KIRQL irql;
    KeAcquireSpinLock(&lock_, &irql);
    PIRP irp = nullptr;
    for (PLIST_ENTRY link = list_.Flink; link != &list_; link = link->Flink) {
      if (IoSetCancelRoutine(IrpOf(link), nullptr) == nullptr) continue;
      irp = IrpOf(link);
      Unlink(irp);
      break;
    }
    KeReleaseSpinLock(&lock_, irql);
    return irp;
  }

  PIRP Remove(PIO_CSQ_IRP_CONTEXT context) {
    KIRQL irql;
    KeAcquireSpinLock(&lock_, &irql);
    PIRP irp = context->Irp;
    if (irp != nullptr) {
      if (IoSetCancelRoutine(irp, nullptr) != nullptr) {
        Unlink(irp);
      } else {
        irp = nullptr;
      }
    }
    KeReleaseSpinLock(&lock_, irql);
    return irp;
  }

 private:
  static void Unlink(PIRP irp) {
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    auto* context = static_cast<PIO_CSQ_IRP_CONTEXT>(irp->Tail.Overlay.DriverContext[2]);
    if (context != nullptr) context->Irp = nullptr;
  }
  static VOID NTAPI Cancel(PDEVICE_OBJECT, PIRP irp) {
    IoReleaseCancelSpinLock(irp->CancelIrql);
    auto* driver = static_cast<InlineDriver*>(irp->Tail.Overlay.DriverContext[3]);
    KIRQL irql;
    KeAcquireSpinLock(&driver->lock_, &irql);
    Unlink(irp);
    KeReleaseSpinLock(&driver->lock_, irql);
    irp->IoStatus.Status = STATUS_CANCELLED;
  }

  alignas(64) LIST_ENTRY list_;
  KSPIN_LOCK lock_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_CSQ_DRIVERS_H_
