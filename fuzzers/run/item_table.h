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
  PFLT_CALLBACK_DATA data = nullptr;    // null where items are IRPs
  PDEVICE_OBJECT started_on = nullptr;  // of a packet: the device that it was given to last
  Owner owner = Owner::kEnded;
  uint8_t generation = 0;
  uint8_t users[kMaxFibers] = {};  // open calls of each fiber that name this IRP
  uint8_t context_readers = 0;     // open removals by context
  uint8_t context_writers = 0;     // open inserts with the context
  bool context_ready = false;      // an insert with the context has returned
  bool context_given = false;      // the last insert had it
  bool context_refused = false;    // that insert failed
  uint8_t context_queue = 0;       // of the last insert with the context
  uint8_t queue = 0;               // of the last insert
  bool linked = false;             // in the driver's list
  uint8_t inserts = 0;             // attempts so far
  uint8_t failed_insert = 0;       // the last attempt whose insert callback failed
  Handover handover;               // from one user to the next
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

  // Makes sure that the arena has room for all IRPs of the run, and sets apart where the
  // first IRP of each number that the program names will lie: that must not depend on which
  // of them is made first. On the main context, when nothing else will be taken from the
  // arena.
  void ReserveMemory();

  ItemKind kind() const { return kind_; }
  // What is known of an item is shared state that a complete search has to be told of, in
  // parts that are looked at apart from each other.
  // Tells nothing: for what stays as it is while a call names the item, such as its IRP, and
  // for what the caller tells of.
  Item& Untold(int number) { return items_[number]; }
  const Item& Untold(int number) const { return items_[number]; }
  void TellOwner(int number, bool writes) const { Tell(&items_[number].owner, writes); }
  // The context and the queue of the last insert.
  void TellContext(int number, bool writes) const { Tell(&items_[number].context_ready, writes); }
  Item::Owner owner(int number) const {
    TellEnded(number, false);
    TellOwner(number, false);
    return items_[number].owner;
  }
  bool ended(int number) const {
    TellEnded(number, false);
    return items_[number].owner == Item::Owner::kEnded;
  }
  // Whether the driver's list has it.
  bool linked(int number) const {
    Tell(&items_[number].linked, false);
    return items_[number].linked;
  }
  void SetLinked(int number, bool linked) {
    Tell(&items_[number].linked, true);
    items_[number].linked = linked;
  }

  // Makes sure the number names a live IRP; false if the old one is still used, or if
  // there are no more IRPs, which takes a library that ends more than it was given.
  bool Refresh(int number);

  // A call that names the item begins and ends. While calls are open the number
  // keeps its IRP; a later use of the IRP or its context happens after the end.
  void BeginUse(int number) {
    TellUse(number);
    ++items_[number].users[Machine::fiber()];
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
  // Calls that begin and end only count up and down: their order is nothing to each other,
  // and something to those that look at the sum.
  void TellUse(int number) const { Tell(&items_[number].users[Machine::fiber()], true); }
  bool IsUsed(int number) const;
  void TellEnded(int number, bool writes) const { Tell(&items_[number].generation, writes); }
  static void Tell(const void* part, bool writes) { schedule::Executor::Get().Touch(part, writes); }
  static void OnComplete(PIRP irp, void* context);
  void TellAllocation() const;
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

  bool HasPlace(int number) const { return number < kFewItems && first_[number].irp != nullptr; }

  // Memory for a number's first IRP, of the first numbers that the program names.
  struct Place {
    void* irp = nullptr;
    void* data = nullptr;
  };
  Place first_[kFewItems];
  uint32_t named_ = 0;  // bit per number
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
