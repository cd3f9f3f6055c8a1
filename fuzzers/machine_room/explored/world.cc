// See world.h.
#include "fuzzers/machine_room/explored/world.h"

#include <cstdint>

namespace cancelsafe {
namespace {

RoomWorld* world = nullptr;

// The locks that the judge knows by number.
enum { kSpin, kMutex };

}  // namespace

RoomWorld::RoomWorld(const MachineRoom& room, const RoomEngine& engine)
    : room_(room), engine_(engine) {
  world = this;
  room_.CancelsafeShareCancelLock(&SharingRoutine);
}

bool RoomWorld::IsPrivate(const volatile void* address) const {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  return at - reinterpret_cast<uintptr_t>(processors_) < sizeof(processors_) ||
         address == room_.platform_variable;
}

bool RoomWorld::IsBehindAnIrp(const volatile void* address) const {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  for (const Slot& slot : slots_) {
    if (at - reinterpret_cast<uintptr_t>(slot.behind) < sizeof(slot.behind)) return true;
  }
  return false;
}

void RoomWorld::Reset(const RoomProgram& program) {
  program_ = &program;
  judge_ = RoomJudge();
  room_.KiResetCancelLock();
  room_.KeInitializeSpinLock(&queue_lock_);
  room_.KeInitializeSpinLock(&spin_lock_);
  room_.ExInitializeFastMutex(&mutex_);
  for (int fiber = 0; fiber < kRoomFibers; ++fiber) {
    processors_[fiber] = {};
    processors_[fiber].id = static_cast<UCHAR>(fiber);
    processors_[fiber].irql = RoomProgram::LevelOf(fiber);
  }
  for (int i = 0; i < kRoomIrps; ++i) {
    Slot& slot = slots_[i];
    if (slot.irp != nullptr) room_.KiUnpoison(slot.irp);
    slot.irp = room_.KiPlaceIrp(slot.storage, static_cast<USHORT>(i), nullptr, nullptr);
    KiIrpHeader* header = room_.KiIrpHeaderOf(slot.irp);
    header->on_complete = [](PIRP, void* context) { ++*static_cast<int*>(context); };
    slot.completions = slot.completers = 0;
    header->context = &slot.completions;
    const bool sharing = program.before[i] == RoomOp::kQueueSharing;
    slot.in_list = sharing || program.before[i] == RoomOp::kQueue;
    if (slot.in_list) {
      slot.irp->CancelRoutine = sharing ? &SharingRoutine : &DriverRoutine;
      judge_.Queued(i, sharing);
    }
  }
  // The originator of an IRP keeps it for as long as it may cancel it, and the test one
  // that several processors complete: what a refused completion touches is then there.
  for (const auto& steps : program.fibers) {
    for (const RoomStep& step : steps) {
      if (step.op == RoomOp::kCancel) Keep(step.irp);
      if (step.op == RoomOp::kComplete && ++slots_[step.irp].completers == 2) Keep(step.irp);
    }
  }
}

void RoomWorld::Keep(int irp) { room_.KiBeginCancel(room_.KiIrpHeaderOf(slots_[irp].irp)); }
void RoomWorld::Release(int irp) {
  room_.KiEndCancel(slots_[irp].irp, room_.KiIrpHeaderOf(slots_[irp].irp));
}

void RoomWorld::RunFiber(int fiber) {
  for (const RoomStep& step : program_->fibers[static_cast<size_t>(fiber)]) {
    Step(step, fiber);
    judge_.StepEnded(processors_[fiber], RoomProgram::LevelOf(fiber), fiber);
  }
}

void RoomWorld::Step(const RoomStep& step, int fiber) {
  KIRQL irql;
  switch (step.op) {
    case RoomOp::kHoldCancelLock:
      room_.IoAcquireCancelSpinLock(&irql);
      judge_.EnterCancelLock(fiber, FormHeldBy(fiber));
      Stay(&inside_cancel_lock_);
      judge_.LeaveCancelLock(fiber);
      room_.IoReleaseCancelSpinLock(irql);
      break;
    case RoomOp::kCancel:
      Cancel(step.irp, fiber);
      break;
    case RoomOp::kQueue:
    case RoomOp::kQueueSharing:
      Queue(step.irp, step.op == RoomOp::kQueueSharing, fiber);
      break;
    case RoomOp::kTake:
    case RoomOp::kRequeue:
      Take(step.irp, step.op == RoomOp::kRequeue, fiber);
      break;
    case RoomOp::kDisarm:
      Disarm(step.irp, fiber);
      break;
    case RoomOp::kComplete:
      Complete(step.irp, fiber);
      break;
    case RoomOp::kSpinLock:
      irql = room_.KeAcquireSpinLockRaiseToDpc(&spin_lock_);
      judge_.EnterLock(kSpin, fiber);
      Stay(&inside_lock_);
      judge_.LeaveLock(kSpin);
      room_.KeReleaseSpinLock(&spin_lock_, irql);
      break;
    case RoomOp::kFastMutex:
      room_.ExAcquireFastMutex(&mutex_);
      judge_.EnterLock(kMutex, fiber);
      Stay(&inside_lock_);
      judge_.LeaveLock(kMutex);
      room_.ExReleaseFastMutex(&mutex_);
      break;
  }
}

// The driver's exchange is a place to switch at like the room's own.
PDRIVER_CANCEL RoomWorld::Exchange(PIRP irp, PDRIVER_CANCEL routine) {
  engine_.point(kPointInterlocked, &irp->CancelRoutine);
  return __atomic_exchange_n(&irp->CancelRoutine, routine, __ATOMIC_SEQ_CST);
}

void RoomWorld::Cancel(int irp, int fiber) {
  judge_.CancelBegins(irp, fiber);
  const bool called = room_.IoCancelIrp(slots_[irp].irp) != FALSE;
  judge_.CancelReturned(irp, fiber, called);
  Release(irp);
}

// Under the queue's lock, in the order that the documentation gives: the routine first,
// then the look at Cancel.
void RoomWorld::SetRoutine(int irp, bool sharing) {
  Slot& slot = slots_[irp];
  slot.in_list = true;
  judge_.Queued(irp, sharing);
  Exchange(slot.irp, sharing ? &SharingRoutine : &DriverRoutine);
  engine_.point(kPointAccess, &slot.irp->Cancel);
  if (*const_cast<volatile BOOLEAN*>(&slot.irp->Cancel) != FALSE &&
      Exchange(slot.irp, nullptr) != nullptr) {
    slot.in_list = false;
  }
}

void RoomWorld::Queue(int irp, bool sharing, int fiber) {
  const KIRQL irql = room_.KeAcquireSpinLockRaiseToDpc(&queue_lock_);
  SetRoutine(irp, sharing);
  const bool back = !slots_[irp].in_list;
  room_.KeReleaseSpinLock(&queue_lock_, irql);
  if (back) End(irp, fiber);
}

void RoomWorld::Take(int irp, bool requeue, int fiber) {
  Slot& slot = slots_[irp];
  const KIRQL irql = room_.KeAcquireSpinLockRaiseToDpc(&queue_lock_);
  bool taken = slot.in_list && Exchange(slot.irp, nullptr) != nullptr;
  if (taken) slot.in_list = false;
  if (taken && requeue) {
    SetRoutine(irp, false);
    taken = !slot.in_list;
  }
  room_.KeReleaseSpinLock(&queue_lock_, irql);
  if (taken) End(irp, fiber);
}

void RoomWorld::Disarm(int irp, int fiber) {
  Slot& slot = slots_[irp];
  KIRQL irql;
  bool taken = false;
  room_.IoAcquireCancelSpinLock(&irql);
  const KIRQL inner = room_.KeAcquireSpinLockRaiseToDpc(&queue_lock_);
  if (slot.in_list) {
    taken = Exchange(slot.irp, nullptr) != nullptr;
    if (taken) {
      slot.in_list = false;
    } else {
      judge_.FoundRoutineGone(irp, fiber);
    }
  }
  room_.KeReleaseSpinLock(&queue_lock_, inner);
  room_.IoReleaseCancelSpinLock(irql);
  if (taken) End(irp, fiber);
}

void RoomWorld::End(int irp, int fiber) {
  judge_.Ends(irp, fiber);
  if (judge_.failure().empty()) room_.IofCompleteRequest(slots_[irp].irp, IO_NO_INCREMENT);
}

void RoomWorld::Complete(int irp, int fiber) {
  judge_.CompletesWithOthers(irp, fiber);
  room_.IofCompleteRequest(slots_[irp].irp, IO_NO_INCREMENT);
  judge_.CompletedWithOthers(fiber);
}

VOID NTAPI RoomWorld::DriverRoutine(PDEVICE_OBJECT, PIRP irp) { world->Routine(irp); }
// A body of its own: the room tells routines apart by their addresses.
VOID NTAPI RoomWorld::SharingRoutine(PDEVICE_OBJECT, PIRP irp) {
  RoomWorld* const self = world;
  self->Routine(irp);
}

void RoomWorld::Routine(PIRP irp) {
  const int fiber = engine_.fiber();
  int index = 0;
  while (slots_[index].irp != irp) ++index;
  judge_.RoutineCalled(index, fiber, FormHeldBy(fiber));
  judge_.EnterCancelLock(fiber, FormHeldBy(fiber));
  if (irp->Cancel == FALSE) judge_.Fail("a cancel routine runs and Cancel is not set", fiber);
  if (irp->CancelRoutine != nullptr) judge_.Fail("a cancel routine runs and is still set", fiber);
  const KIRQL irql = irp->CancelIrql;
  if (irql != RoomProgram::LevelOf(fiber)) judge_.Fail("CancelIrql is not the caller's", fiber);
  Stay(&inside_cancel_lock_);
  judge_.LeaveCancelLock(fiber);
  room_.IoReleaseCancelSpinLock(irql);
  const KIRQL inner = room_.KeAcquireSpinLockRaiseToDpc(&queue_lock_);
  slots_[index].in_list = false;
  room_.KeReleaseSpinLock(&queue_lock_, inner);
  End(index, fiber);
}

void RoomWorld::Finish() {
  if (room_.KiCancelLockHeld()) judge_.Fail("the cancel lock is held at the end", 0);
  for (int i = 0; i < kRoomIrps; ++i) {
    PIRP const irp = slots_[i].irp;
    if (slots_[i].completers > 1) Release(i);
    const bool retired = room_.KiIrpHeaderOf(irp)->retired != 0;
    judge_.RunEnded(i,
                    {retired, retired && room_.KiRetiredIntact(irp) != FALSE, slots_[i].completions,
                     retired || irp->Cancel != FALSE, !retired && irp->CancelRoutine != nullptr});
  }
}

}  // namespace cancelsafe
