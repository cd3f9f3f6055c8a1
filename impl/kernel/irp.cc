// IRPs in memory: placed by the host or allocated by a driver, and retired when
// completion has ended and no IoCancelIrp call is left that may touch them.
#include "irp.h"

#include <stdlib.h>

#include "filter_manager.h"
#include "irp_life.h"
#include "poison.h"
#include "watch.h"

namespace {

constexpr ULONG kMagic = 0x50724943;  // "CIrP"
constexpr CSHORT kIrpType = 6;        // IO_TYPE_IRP
constexpr unsigned kIrpWords = kKiIrpBytes / 8;
constexpr unsigned kCallbackDataWords = sizeof(FLT_CALLBACK_DATA) / 8;
static_assert(kKiIrpBytes % 8 == 0 && sizeof(FLT_CALLBACK_DATA) % 8 == 0, "whole words");

// The largest number of stack locations whose size the header can hold.
constexpr CCHAR kMaxStackSize = (255 * 8 - sizeof(IRP)) / sizeof(IO_STACK_LOCATION);

// The word of KiIrpHeader::completed (low byte) and ::cancels (high byte).
typedef USHORT __attribute__((may_alias)) LifeWord;
constexpr USHORT kCompletionBegun = 0x0001;
constexpr USHORT kCompletionEnded = 0x0002;
constexpr USHORT kOneCancel = 0x0100;
static_assert(offsetof(KiIrpHeader, completed) % 2 == 0 &&
                  offsetof(KiIrpHeader, cancels) == offsetof(KiIrpHeader, completed) + 1,
              "changed as one word");

LifeWord* Life(KiIrpHeader* header) { return reinterpret_cast<LifeWord*>(&header->completed); }

// In a search of all schedules of a driver the life of an IRP is the word before its
// header, which nothing accesses: it is written by what may end the IRP, and read by all who
// use it (fuzzers/drivers/world/told.h).
inline void TellLife(const KiIrpHeader* header, bool writes) {
  KiTold(reinterpret_cast<const ULONG64*>(header) - 1, 8, writes);
}

// The book-keeping of lives stands for what the I/O manager does: TSan must not
// take it for synchronisation between the driver's threads, so all of it is
// unseen, and the two edges that the I/O manager does guarantee are stated.
//
// Whoever retires the IRP acquires what the others released with their last change of
// this word. A cancel that begins has nothing to release yet; it must not acquire, as the
// caller has to know by itself that the IRP is there.
KI_UNSEEN void AddToLife(KiIrpHeader* header, USHORT value) {
  __atomic_fetch_add(Life(header), value, __ATOMIC_RELAXED);
}
KI_UNSEEN USHORT SubtractFromLife(KiIrpHeader* header, USHORT value) {
  return __atomic_sub_fetch(Life(header), value, __ATOMIC_ACQ_REL);
}
KI_UNSEEN USHORT SetInLife(KiIrpHeader* header, USHORT bits) {
  return __atomic_fetch_or(Life(header), bits, __ATOMIC_ACQ_REL);
}
// Releases nothing: if it succeeds, the caller retires the IRP.
KI_UNSEEN bool EndUncontended(KiIrpHeader* header) {
  USHORT expected = kCompletionBegun;
  return __atomic_compare_exchange_n(Life(header), &expected, kCompletionBegun | kCompletionEnded,
                                     false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
KI_UNSEEN void MarkRetired(KiIrpHeader* header) {
  __atomic_store_n(&header->retired, 1, __ATOMIC_RELAXED);
}
KI_UNSEEN bool IsRetired(const KiIrpHeader* header) {
  return __atomic_load_n(&header->retired, __ATOMIC_RELAXED) != 0;
}
// The word before something that may not be an IRP at all.
KI_UNSEEN bool HasMagic(const KiIrpHeader* header) { return header->magic == kMagic; }

KI_QUIET void Retire(PIRP irp, KiIrpHeader* header) {
  KiTakeOver(header);
  MarkRetired(header);
  if (header->callback_data != nullptr) KiPoisonMemory(header->callback_data, kCallbackDataWords);
  KiPoisonMemory(irp, header->size_in_words);
}

KI_BARE void FillIn(PIRP irp, CCHAR stack_size) {
  irp->Type = kIrpType;
  irp->Size = static_cast<USHORT>(sizeof(IRP) + stack_size * sizeof(IO_STACK_LOCATION));
  irp->StackCount = static_cast<CHAR>(stack_size);
}

}  // namespace

KI_BARE PIRP KiPlaceIrp(void* storage, USHORT tag, PFILE_OBJECT file, PDEVICE_OBJECT device) {
  KiClear<kKiIrpPlacedBytes>(storage);
  KiIrpHeader* header = static_cast<KiIrpHeader*>(storage);
  header->magic = kMagic;
  header->tag = tag;
  header->size_in_words = kIrpWords;
  PIRP irp = reinterpret_cast<PIRP>(header + 1);
  FillIn(irp, 1);
  irp->CurrentLocation = 1;
  PIO_STACK_LOCATION stack = reinterpret_cast<PIO_STACK_LOCATION>(irp + 1);
  irp->Tail.Overlay.CurrentStackLocation = stack;
  irp->Tail.Overlay.OriginalFileObject = file;
  InitializeListHead(&irp->ThreadListEntry);
  stack->MajorFunction = IRP_MJ_READ;
  stack->DeviceObject = device;
  stack->FileObject = file;
  return irp;
}

KI_BARE PIRP KiPlaceIrpWithStack(void* storage, USHORT tag, CCHAR stack_size) {
  ULONG64* word = static_cast<ULONG64*>(storage);
  const size_t words = KiIrpPlacedBytes(stack_size) / sizeof(ULONG64);
  for (size_t i = 0; i < words; ++i) word[i] = 0;
  KiIrpHeader* header = static_cast<KiIrpHeader*>(storage);
  header->magic = kMagic;
  header->tag = tag;
  header->size_in_words =
      static_cast<UCHAR>((sizeof(IRP) + stack_size * sizeof(IO_STACK_LOCATION)) / 8);
  PIRP irp = reinterpret_cast<PIRP>(header + 1);
  FillIn(irp, stack_size);
  InitializeListHead(&irp->ThreadListEntry);
  return irp;
}

KI_BARE void KiAddStackLocations(PIRP irp) {
  PIO_STACK_LOCATION below = reinterpret_cast<PIO_STACK_LOCATION>(irp + 1);
  KiClear<kKiAddedBytes>(below + 1);
  below[1] = below[0];
  KiClear<sizeof(IO_STACK_LOCATION)>(below);
  FillIn(irp, 1 + kKiAddedLocations);
  irp->CurrentLocation = 2;
  irp->Tail.Overlay.CurrentStackLocation = below + 1;
  KiIrpHeaderOf(irp)->size_in_words = (kKiIrpBytes + kKiAddedBytes) / 8;
}

KI_BARE KiIrpHeader* KiIrpHeaderOf(PIRP irp) { return reinterpret_cast<KiIrpHeader*>(irp) - 1; }

KI_BARE KiIrpHeader* KiCheckIrp(PIRP irp, const char* routine) {
  KiIrpHeader* header = KiIrpHeaderOf(irp);
  if (!kWatching) return header;
  TellLife(header, false);
  if (irp == nullptr || reinterpret_cast<ULONG_PTR>(irp) % 8 != 0 || !HasMagic(header)) {
    KiReport(kNotAnIrp, routine, irp);
    return nullptr;
  }
  if (IsRetired(header)) {
    KiReport(kUseAfterCompletion, routine, irp);
    return nullptr;
  }
  return header;
}

KI_BARE BOOLEAN KiBeginCompletion(KiIrpHeader* header) {
  TellLife(header, true);
  return (SetInLife(header, kCompletionBegun) & kCompletionBegun) == 0;
}

KI_BARE void KiSuspendCompletion(KiIrpHeader* header) {
  TellLife(header, true);
  SubtractFromLife(header, kCompletionBegun);
}

KI_QUIET void KiEndCompletion(PIRP irp, KiIrpHeader* header) {
  TellLife(header, true);
  if (EndUncontended(header)) {
    Retire(irp, header);
    return;
  }
  // A canceller is about. It may be the last one, so what led to this completion
  // has to be ordered before its poisoning.
  KiHandOver(header);
  if (SetInLife(header, kCompletionEnded) < kOneCancel) Retire(irp, header);
}

// Relaxed: for a report, and nothing of the IRP is read because of it.
KI_UNSEEN BOOLEAN KiCompletionBegun(const KiIrpHeader* header) {
  TellLife(header, false);
  return __atomic_load_n(&header->completed, __ATOMIC_RELAXED) != 0;
}

KI_BARE void KiBeginCancel(KiIrpHeader* header) {
  TellLife(header, true);
  AddToLife(header, kOneCancel);
}

KI_QUIET void KiEndCancel(PIRP irp, KiIrpHeader* header) {
  TellLife(header, true);
  // The originator's own cancel is ordered before the end of its IRP.
  KiHandOver(header);
  const USHORT life = SubtractFromLife(header, kOneCancel);
  if (life == (kCompletionBegun | kCompletionEnded)) Retire(irp, header);
}

KI_BARE BOOLEAN KiRetiredIntact(PIRP irp) {
  const KiIrpHeader* header = KiIrpHeaderOf(irp);
  return KiPoisonIntact(irp, header->size_in_words) &&
         (header->callback_data == nullptr ||
          KiPoisonIntact(header->callback_data, kCallbackDataWords));
}

KI_BARE void KiUnpoison(PIRP irp) {
  const KiIrpHeader* header = KiIrpHeaderOf(irp);
  KiUnpoisonMemory(irp, header->size_in_words);
  if (header->callback_data != nullptr) {
    KiUnpoisonMemory(header->callback_data, kCallbackDataWords);
  }
}

extern "C" {

KI_SERVICE KI_QUIET PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota) {
  UNREFERENCED_PARAMETER(ChargeQuota);
  if (StackSize < 1 || StackSize > kMaxStackSize) return nullptr;
  const size_t bytes = sizeof(IRP) + StackSize * sizeof(IO_STACK_LOCATION);
  KiIrpHeader* header = static_cast<KiIrpHeader*>(calloc(1, sizeof(KiIrpHeader) + bytes));
  if (header == nullptr) return nullptr;
  header->magic = kMagic;
  header->heap = 1;
  header->size_in_words = static_cast<UCHAR>(bytes / 8);
  PIRP irp = reinterpret_cast<PIRP>(header + 1);
  FillIn(irp, StackSize);
  // Above the first location: the driver that sends the IRP sets up the next one.
  irp->CurrentLocation = static_cast<CHAR>(StackSize + 1);
  irp->Tail.Overlay.CurrentStackLocation =
      reinterpret_cast<PIO_STACK_LOCATION>(irp + 1) + StackSize;
  InitializeListHead(&irp->ThreadListEntry);
  return irp;
}

KI_SERVICE KI_QUIET VOID IoFreeIrp(PIRP Irp) {
  KiIrpHeader* header = KiIrpHeaderOf(Irp);
  if (kWatching && (Irp == nullptr || !HasMagic(header) || !header->heap)) {
    KiReport(kNotAnIrp, "IoFreeIrp", Irp);
    return;
  }
  KiUnpoison(Irp);
  header->magic = 0;
  free(header);
}

}  // extern "C"
