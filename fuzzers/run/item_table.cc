// See item_table.h.
#include "fuzzers/run/item_table.h"

#include "fuzzers/memory/runtime.h"
#include "impl/kernel/filter_manager.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

// The members of an IRP of which drivers and queues speak.
struct Member {
  size_t offset;
  size_t size;
  const char* name;
};
#define CANCELSAFE_MEMBER(member, name) {offsetof(IRP, member), sizeof(IRP::member), name}
constexpr Member kMembers[] = {
    CANCELSAFE_MEMBER(Cancel, "Cancel"),
    CANCELSAFE_MEMBER(CancelIrql, "CancelIrql"),
    CANCELSAFE_MEMBER(CancelRoutine, "CancelRoutine"),
    CANCELSAFE_MEMBER(IoStatus, "IoStatus"),
};
#undef CANCELSAFE_MEMBER

// What the driver keeps in DriverContext[0..2] (in FilterContext[2..3] for
// callback data, whose first words link the driver's list).
PVOID Canary(int number, int slot) {
  return reinterpret_cast<PVOID>(static_cast<uintptr_t>(0xC0FFEE00u + number * 4 + slot));
}

// What IoStatus holds before the completion.
IO_STATUS_BLOCK Filling(int number) {
  IO_STATUS_BLOCK status = {};
  status.Status = kStatusObjectNameExists;
  status.Information = reinterpret_cast<uintptr_t>(Canary(number, 0));
  return status;
}

bool Holds(const IO_STATUS_BLOCK& status, const IO_STATUS_BLOCK& expected) {
  return status.Status == expected.Status && status.Information == expected.Information;
}

}  // namespace

void ItemTable::Reset(const Program& program, Arena* arena, Recorder* recorder, ItemKind kind,
                      PFILE_OBJECT files, PDEVICE_OBJECT device) {
  arena_ = arena;
  recorder_ = recorder;
  kind_ = kind;
  files_ = files;
  device_ = device;
  reused_irps_ = program.setup.reused_irps;
  dirty_slot_ = program.setup.dirty_slot;
  filled_ = program.setup.filled_irps;
  damaged_ = kNoItem;
  count_ = ItemsOf(program.setup);
  for (int number = 0; number < count_; ++number) items_[number] = Item();
  retired_count_ = 0;
  // An operation makes one IRP at most, and so does what a callback does on its own.
  irps_left_ = program.operation_count;
  if (program.setup.reentry != Reentry::kNone ||
      program.setup.start_io_calls == StartIoCall::kStartPacket) {
    irps_left_ *= 2;
  }
  named_ = 0;
  for (int i = 0; i < program.operation_count; ++i) {
    const Operation& operation = program.operations[i];
    if (InfoOf(operation.op).fields.item != 0 && operation.item < kFewItems) {
      named_ |= 1u << operation.item;
    }
  }
  for (Place& place : first_) place = Place();
}

void ItemTable::ReserveMemory() {
  size_t bytes = IrpBytes() + Arena::kOverheadBytes;
  if (kind_ == ItemKind::kCallbackData) bytes += sizeof(KiCallbackData) + Arena::kOverheadBytes;
  // A number without an IRP takes up its place, too.
  const int places = __builtin_popcount(named_);
  arena_->Reserve(static_cast<size_t>(irps_left_ + places) * bytes);
  for (uint32_t rest = named_; rest != 0; rest &= rest - 1) {
    Place& place = first_[__builtin_ctz(rest)];
    if (kind_ == ItemKind::kCallbackData) place.data = arena_->Allocate(sizeof(KiCallbackData));
    place.irp = arena_->Allocate(IrpBytes());
  }
}

bool ItemTable::MemoryIsReused(int number) const {
  const PIRP old = items_[number].irp;
  if (!kReusesIrpMemory || !reused_irps_ || old == nullptr) return false;
  if (KiIrpHeaderOf(old)->retired == 0) return false;
  // With DeferredStartIo an IRP may end while CurrentIrp still names it. A new one at this
  // address, queued and cancelled, would be taken for the current one by a cancel routine
  // that is written as documented (SIO-CXL-02).
  const PDEVICE_OBJECT device = items_[number].started_on;
  return device == nullptr || memory::Look(device->CurrentIrp) != old;
}

void* ItemTable::IrpMemory(int number) {
  const PIRP old = items_[number].irp;
  if (old == nullptr && HasPlace(number)) return first_[number].irp;
  if (MemoryIsReused(number)) {
    if (!KiRetiredIntact(old) && damaged_ == kNoItem) damaged_ = static_cast<uint8_t>(number);
    KiUnpoison(old);
    return KiIrpHeaderOf(old);
  }
  if (old != nullptr && retired_count_ < kMaxRetired) {
    retired_[retired_count_] = old;
    retired_number_[retired_count_++] = static_cast<uint8_t>(number);
  }
  TellAllocation();
  return arena_->Allocate(IrpBytes());
}

// What is given out depends on what was given out before.
void ItemTable::TellAllocation() const { schedule::Executor::Get().Touch(arena_, true); }

void* ItemTable::DataMemory(int number) {
  const Item& item = items_[number];
  if (item.irp == nullptr && HasPlace(number)) return first_[number].data;
  if (!MemoryIsReused(number)) {
    TellAllocation();
    return arena_->Allocate(sizeof(KiCallbackData));
  }
  return CONTAINING_RECORD(item.data, KiCallbackData, data);
}

void ItemTable::Make(int number) {
  Item& item = items_[number];
  // The first IRP is the same, whichever fiber makes it.
  if (item.irp != nullptr || !HasPlace(number)) TellEnded(number, true);
  --irps_left_;
  // It comes from the I/O manager, whose business is in order with everything.
  HideFromTsan();
  void* const data_memory = kind_ == ItemKind::kCallbackData ? DataMemory(number) : nullptr;
  void* const irp_memory = IrpMemory(number);
  if (item.irp != nullptr) ++item.generation;
  PIRP irp =
      KiPlaceIrp(irp_memory, static_cast<USHORT>(number), &files_[number % kFileCount], device_);
  KiIrpHeader* header = KiIrpHeaderOf(irp);
  header->on_complete = &OnComplete;
  header->context = this;
  item.irp = irp;
  item.owner = Item::Owner::kDriver;
  item.linked = false;
  for (int slot = 0; slot < 3 && kind_ != ItemKind::kPacket; ++slot) {
    irp->Tail.Overlay.DriverContext[slot] = Canary(number, slot);
  }
  if (kind_ == ItemKind::kCallbackData) {
    PFLT_CALLBACK_DATA data = KiPlaceCallbackData(data_memory, irp, nullptr);
    data->QueueContext[1] = Canary(number, 3);
    item.data = data;
  }
  if (filled_) FillIrp(number);
  ShowToTsan();
}

void ItemTable::FillIrp(int number) {
  const Item& item = items_[number];
  if (kind_ == ItemKind::kCallbackData) {
    // Its IRP is the filter manager's.
    item.data->IoStatus = Filling(number);
    return;
  }
  KiAddStackLocations(item.irp);
  item.irp->IoStatus = Filling(number);
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(item.irp) - 1;
  for (int i = 0; i <= kKiAddedLocations; ++i) {
    location[i].Parameters.Others.Argument1 = Canary(number, i);
    location[i].Context = Canary(number, i);
  }
}

bool ItemTable::KeepsFilling(int number) const {
  const Item& item = items_[number];
  const IO_STATUS_BLOCK expected = Filling(number);
  if (kind_ == ItemKind::kCallbackData) return Holds(item.data->IoStatus, expected);
  PIO_STACK_LOCATION const current = IoGetCurrentIrpStackLocation(item.irp);
  TellRead(&item.irp->IoStatus);
  TellRead(&item.irp->CurrentLocation);
  bool kept = Holds(item.irp->IoStatus, expected) && item.irp->CurrentLocation == 2;
  PIO_STACK_LOCATION const lowest = reinterpret_cast<PIO_STACK_LOCATION>(item.irp + 1);
  for (int i = 0; i <= kKiAddedLocations; ++i) {
    TellRead(&lowest[i].Control);
    TellRead(&lowest[i].Parameters.Others.Argument1);
    TellRead(&lowest[i].Context);
    // Marked pending is the one that is its driver's.
    const UCHAR mark = lowest + i == current ? SL_PENDING_RETURNED : 0;
    kept &= (lowest[i].Control & ~mark) == 0 &&
            lowest[i].Parameters.Others.Argument1 == Canary(number, i) &&
            lowest[i].Context == Canary(number, i);
  }
  return kept;
}

bool ItemTable::Refresh(int number) {
  if (!ended(number)) return true;
  const Item& item = items_[number];
  if ((item.irp != nullptr && IsUsed(number)) || irps_left_ == 0) return false;
  Make(number);
  return true;
}

bool ItemTable::IsUsed(int number) const {
  bool used = false;
  for (const uint8_t& users : items_[number].users) {
    Tell(&users, false);
    used |= users != 0;
  }
  return used;
}

void ItemTable::EndUse(int number) {
  TellUse(number);
  --items_[number].users[Machine::fiber()];
  HandOver(number);
}

void ItemTable::HandOver(int number) { items_[number].handover.Release(Machine::fiber()); }

void ItemTable::GiveToLibrary(int number) {
  TellOwner(number, true);
  Item& item = items_[number];
  item.handover.Acquire(Machine::fiber());
  item.owner = Item::Owner::kLibrary;
  IoGetCurrentIrpStackLocation(item.irp)->Control = 0;
  // What the last driver left there: the slot is the library's from the insert on.
  if (dirty_slot_) item.irp->Tail.Overlay.DriverContext[3] = &dirty_slot_;
}

void ItemTable::TakeFromLibrary(int number) {
  TellOwner(number, true);
  Item& item = items_[number];
  item.owner = Item::Owner::kDriver;
  item.handover.Release(Machine::fiber());
}

void ItemTable::Complete(int number, NTSTATUS status) {
  Item& item = items_[number];  // which IRP it is stays as it is while it is in use
  item.handover.Acquire(Machine::fiber());
  if (kind_ == ItemKind::kCallbackData) {
    item.data->IoStatus.Status = status;
    item.data->IoStatus.Information = 0;
    FltCompletePendedPreOperation(item.data, FLT_PREOP_COMPLETE, nullptr);
  } else {
    item.irp->IoStatus.Status = status;
    item.irp->IoStatus.Information = 0;
    IoCompleteRequest(item.irp, IO_NO_INCREMENT);
  }
}

void ItemTable::OnComplete(PIRP irp, void* context) {
  auto* table = static_cast<ItemTable*>(context);
  const int number = KiIrpHeaderOf(irp)->tag;
  CallbackEvent* event =
      table->recorder_->Event(CallbackKind::kCompleted, static_cast<uint8_t>(number));
  event->status = irp->IoStatus.Status;
  event->snapshot |= kKnownItem;
  table->TellOwner(number, true);
  table->TellEnded(number, true);
  table->items_[number].owner = Item::Owner::kEnded;
}

uint8_t ItemTable::NumberOf(const IRP* irp) const {
  if (irp == nullptr) return kNoItem;
  for (int number = 0; number < count_; ++number) {
    if (items_[number].irp == irp) return static_cast<uint8_t>(number);
  }
  return kNoItem;
}

uint8_t ItemTable::NumberOf(const FLT_CALLBACK_DATA* data) const {
  if (data == nullptr) return kNoItem;
  for (int number = 0; number < count_; ++number) {
    if (items_[number].data == data) return static_cast<uint8_t>(number);
  }
  return kNoItem;
}

std::string ItemTable::NameOf(const void* address) const {
  const auto at = reinterpret_cast<uintptr_t>(address);
  for (int number = 0; number < count_; ++number) {
    const uintptr_t offset = at - reinterpret_cast<uintptr_t>(items_[number].irp);
    if (items_[number].irp == nullptr || offset >= kKiIrpBytes) continue;
    for (const Member& member : kMembers) {
      if (offset - member.offset < member.size) {
        return std::string(member.name) + " of item " + std::to_string(number);
      }
    }
    return "a word of item " + std::to_string(number);
  }
  return "";
}

PLIST_ENTRY ItemTable::EntryOf(int number) {
  Item& item = items_[number];
  return kind_ == ItemKind::kCallbackData ? &item.data->QueueLinks
                                          : &item.irp->Tail.Overlay.ListEntry;
}

uint8_t ItemTable::ItemOfEntry(PLIST_ENTRY entry) const {
  return kind_ == ItemKind::kCallbackData
             ? NumberOf(CONTAINING_RECORD(entry, FLT_CALLBACK_DATA, QueueLinks))
             : NumberOf(CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry));
}

uint16_t ItemTable::Snapshot(int number, uint16_t told) const {
  const Item& item = items_[number];
  if (ended(number)) return 0;
  const IRP* irp = item.irp;
  if ((told & kPendingMarked) != 0) TellRead(&irp->Tail.Overlay.CurrentStackLocation->Control);
  if ((told & kCancelRoutineSet) != 0) TellRead(&irp->CancelRoutine);
  if ((told & kCancelFlagSet) != 0) TellRead(&irp->Cancel);
  uint16_t flags = kKnownItem;
  // As this processor reads them: its own stores may still be in the store buffer.
  const UCHAR control = memory::Look(irp->Tail.Overlay.CurrentStackLocation->Control);
  if ((control & SL_PENDING_RETURNED) != 0) flags |= kPendingMarked;
  if (memory::Look(irp->CancelRoutine) != nullptr) flags |= kCancelRoutineSet;
  if (memory::Look(irp->Cancel)) flags |= kCancelFlagSet;
  if (memory::Look(irp->Tail.Overlay.DriverContext[3]) != nullptr) flags |= kContextSlotSet;
  if (linked(number)) flags |= kLinked;
  bool intact = true;
  // The IRP of callback data is the filter manager's, DriverContext with it.
  for (int slot = 0; slot < 3 && kind_ == ItemKind::kQueuedIrp; ++slot) {
    intact &= irp->Tail.Overlay.DriverContext[slot] == Canary(number, slot);
  }
  if (kind_ == ItemKind::kCallbackData) intact &= item.data->QueueContext[1] == Canary(number, 3);
  if (filled_) intact &= KeepsFilling(number);
  if (intact) flags |= kCanariesIntact;
  return flags;
}

uint8_t ItemTable::FindDamagedRetired() const {
  if (damaged_ != kNoItem) return damaged_;
  for (int i = 0; i < retired_count_; ++i) {
    if (!KiRetiredIntact(retired_[i])) return retired_number_[i];
  }
  for (int number = 0; number < count_; ++number) {
    const Item& item = items_[number];
    if (item.irp != nullptr && KiIrpHeaderOf(item.irp)->retired && !KiRetiredIntact(item.irp)) {
      return static_cast<uint8_t>(number);
    }
  }
  return kNoItem;
}

}  // namespace cancelsafe
