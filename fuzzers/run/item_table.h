// The test's IRPs by number: who owns each, which generation it is, and who is
// using it now. Decides whether an operation would break a caller contract, in
// which case the program skips it. Knows no queue.
#ifndef CANCELSAFE_FUZZERS_RUN_ITEM_TABLE_H_
#define CANCELSAFE_FUZZERS_RUN_ITEM_TABLE_H_

#include "fuzzers/program/program.h"
#include "fuzzers/run/arena.h"
#include "fuzzers/run/recorder.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "impl/include/fltKernel.h"
#include "impl/kernel/irp.h"

namespace cancelsafe {

enum class ItemKind : uint8_t {
  kQueuedIrp,     // for a cancel-safe queue; the driver keeps DriverContext[0..2]
  kCallbackData,  // callback data; the driver keeps QueueContext[1]
  kPacket,        // for a device queue, whose entry lies where DriverContext is
};

struct Item {
  enum class Owner : uint8_t {
    kDriver,   // may be queued, started or completed by the test
    kLibrary,  // queued, or being inserted
    kEnded,    // completed; the number gets a new IRP once no call uses the old one
  };
  PIRP irp = nullptr;
  PFLT_CALLBACK_DATA data = nullptr;  // null where items are IRPs
  Owner owner = Owner::kEnded;
  uint8_t generation = 0;
  uint8_t users = 0;             // open calls that name this IRP
  uint8_t context_readers = 0;   // open removals by context
  uint8_t context_writers = 0;   // open inserts with the context
  bool context_ready = false;    // an insert with the context has returned
  bool context_given = false;    // the last insert had it
  bool context_refused = false;  // that insert failed
  uint8_t context_queue = 0;     // of the last insert with the context
  uint8_t queue = 0;             // of the last insert
  bool linked = false;           // in the driver's list
  uint8_t inserts = 0;           // attempts so far
  uint8_t failed_insert = 0;     // the last attempt whose insert callback failed
  Handover handover;             // from one user to the next
};

// The harness is not instrumented: a complete search is told what it looks at, and what it
// changes, since the last point.
template <typename T>
void TellRead(const T* field) {
  schedule::Executor::Get().TouchMemory(field, sizeof *field, false);
}
template <typename T>
void TellWrite(const T* field) {
  schedule::Executor::Get().TouchMemory(field, sizeof *field, true);
}

class ItemTable {
 public:
#ifdef CANCELSAFE_SANITIZER_THREAD
  // TSan knows of no allocator that orders the end of one IRP before the next one at its
  // address, and would report the first access to that as a race.
  static constexpr bool kReusesIrpMemory = false;
#else
  // Where the program says so: a number's next IRP lies where its last one lay.
  static constexpr bool kReusesIrpMemory = true;
#endif

  // Forgets all items, and prepares for `program`: on the main context, since what is
  // made before the fibers start is in order with nothing that they do. `files` and
  // `device` are what new IRPs belong to.
  void Reset(const Program& program, Arena* arena, Recorder* recorder, ItemKind kind,
             PFILE_OBJECT files, PDEVICE_OBJECT device);

  // Makes sure that the arena has room for all IRPs of the run. On the main context, when
  // nothing else will be taken from the arena.
  void ReserveMemory();

  ItemKind kind() const { return kind_; }
  // What is known of an item is shared state that a complete search has to know of: all of
  // it but how many calls name it, or those parts that others look at while the item is in
  // use.
  Item& operator[](int number) {
    Tell(number, kOwnerPart | kLinkedPart | kOtherPart, true);
    return items_[number];
  }
  const Item& operator[](int number) const {
    Tell(number, kOwnerPart | kLinkedPart | kOtherPart, false);
    return items_[number];
  }
  Item::Owner owner(int number) const {
    Tell(number, kOwnerPart, false);
    return items_[number].owner;
  }
  // Whether the driver's list has it.
  bool linked(int number) const {
    Tell(number, kLinkedPart, false);
    return items_[number].linked;
  }
  void SetLinked(int number, bool linked) {
    Tell(number, kLinkedPart, true);
    items_[number].linked = linked;
  }

  // Makes sure the number names a live IRP; false if the old one is still used, or if
  // there are no more IRPs, which takes a library that ends more than it was given.
  bool Refresh(int number);

  // A call that names the item begins and ends. While calls are open the number
  // keeps its IRP; a later use of the IRP or its context happens after the end.
  void BeginUse(int number) {
    TellUse(number);
    ++items_[number].users;
  }
  void EndUse(int number);
  // What the current fiber did with the IRP comes before whatever its next owner
  // does.
  void HandOver(int number);

  // Ownership goes from the driver to the library and back; the virtual threads
  // between which an IRP wanders synchronise as any driver's would.
  void GiveToLibrary(int number);
  void TakeFromLibrary(int number);

  // Sets IoStatus and calls IoCompleteRequest (or the filter manager's
  // counterpart) on an IRP that the driver owns or was told to complete.
  void Complete(int number, NTSTATUS status);

  // The number of the test's present IRP at `irp`, or kNoItem for anything else.
  uint8_t NumberOf(const IRP* irp) const;
  uint8_t NumberOf(const FLT_CALLBACK_DATA* data) const;

  // What links a driver's requests: of an item, and back.
  PLIST_ENTRY EntryOf(int number);
  uint8_t ItemOfEntry(PLIST_ENTRY entry) const;

  // "CancelRoutine of item 2" for an address in one of the IRPs, else "".
  std::string NameOf(const void* address) const;

  // Looks at the IRP as its driver would; 0 if it has been completed already.
  // The caller adds what it knows of locks.
  // Of `told` (bits of a snapshot) a complete search is told that they were looked at: the
  // others have no say in any verdict, so their values need not be explored.
  uint16_t Snapshot(int number, uint16_t told) const;

  // Number of the first retired IRP that was written to afterwards, or kNoItem.
  uint8_t FindDamagedRetired() const;

 private:
  static constexpr uint8_t kLinkedPart = 1, kOwnerPart = 2, kOtherPart = 4;
  // Calls that begin and end only count up and down: their order is nothing to each other,
  // and something to those that look at the sum.
  static constexpr uint8_t kUsersParts = 0xf0;
  void TellUse(int number) const {
    const int fiber = Machine::fiber();
    Tell(number, static_cast<uint8_t>(0x10 << fiber), true);
  }
  void Tell(int number, uint8_t parts, bool writes) const {
    schedule::Executor::Get().Touch(&items_[number], writes, parts);
  }
  static void OnComplete(PIRP irp, void* context);
  void Make(int number);
  bool MemoryIsReused(int number) const;
  size_t IrpBytes() const { return kKiIrpPlacedBytes + (filled_ ? kKiAddedBytes : 0); }
  // IoStatus and all stack locations of a new IRP get something to keep.
  void FillIrp(int number);
  // Whether they have it still.
  bool KeepsFilling(int number) const;
  // The memory of a number's next IRP and callback data: new, or that of the last ones.
  void* IrpMemory(int number);
  void* DataMemory(int number);

  Arena* arena_ = nullptr;
  Recorder* recorder_ = nullptr;
  ItemKind kind_ = ItemKind::kQueuedIrp;
  PFILE_OBJECT files_ = nullptr;
  PDEVICE_OBJECT device_ = nullptr;
  bool reused_irps_ = false;
  bool dirty_slot_ = false;
  bool filled_ = false;
  uint8_t damaged_ = kNoItem;  // the first number whose memory was not intact when reused
  Item items_[kMaxItems];
  int count_ = 0;      // of those that the program has
  int irps_left_ = 0;  // that may still be made in this run
  // All IRPs of earlier generations.
  static constexpr int kMaxRetired = 64;
  PIRP retired_[kMaxRetired];
  uint8_t retired_number_[kMaxRetired];
  int retired_count_ = 0;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_ITEM_TABLE_H_
