// A program's memory, and its steps as a driver on the machine room would carry them
// out, with the judge called at each. Knows no scheduler: its caller names the
// processors and is told of places to switch at.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_WORLD_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_WORLD_H_

#include "fuzzers/machine_room/explored/judge.h"
#include "fuzzers/machine_room/explored/program.h"
#include "fuzzers/machine_room/explored/room.h"

namespace cancelsafe {

// What the world needs of its engine. A point is a place where another processor may
// go on; it may return later.
struct RoomEngine {
  int (*fiber)();
  void (*point)(KiPoint kind, const volatile void* object);
};

class RoomWorld {
 public:
  // Both outlive the world. One world at a time: cancel routines find it by a global.
  RoomWorld(const MachineRoom& room, const RoomEngine& engine);
  RoomWorld(const RoomWorld&) = delete;
  RoomWorld& operator=(const RoomWorld&) = delete;

  // New memory and a new judge for one run of `program`, which outlives it.
  void Reset(const RoomProgram& program);
  // All steps of one fiber.
  void RunFiber(int fiber);
  // After the last fiber has ended.
  void Finish();

  KiProcessor& processor(int fiber) { return processors_[fiber]; }
  // Book-keeping that no other processor reads: not worth a point.
  bool IsPrivate(const volatile void* address) const;
  // Whether the room reaches behind an IRP and its stack location there. What it finds
  // are zeros, so that a run does not depend on what lies behind in the process.
  bool IsBehindAnIrp(const volatile void* address) const;
  RoomJudge& judge() { return judge_; }

 private:
  struct Slot {
    alignas(8) unsigned char storage[kKiIrpPlacedBytes];
    // One more location for each processor that goes up one too many.
    unsigned char behind[kRoomFibers * sizeof(IO_STACK_LOCATION)] = {};
    PIRP irp = nullptr;
    bool in_list = false;
    int completions = 0;
    int completers = 0;  // steps that complete it; more than one: kept to the end
  };

  static VOID NTAPI DriverRoutine(PDEVICE_OBJECT device, PIRP irp);
  static VOID NTAPI SharingRoutine(PDEVICE_OBJECT device, PIRP irp);
  void Routine(PIRP irp);
  void SetRoutine(int irp, bool sharing);
  void Step(const RoomStep& step, int fiber);
  void Cancel(int irp, int fiber);
  void Queue(int irp, bool sharing, int fiber);
  void Take(int irp, bool requeue, int fiber);
  void Complete(int irp, int fiber);
  void Keep(int irp);
  void Release(int irp);
  void Disarm(int irp, int fiber);
  void End(int irp, int fiber);
  PDRIVER_CANCEL Exchange(PIRP irp, PDRIVER_CANCEL routine);
  KiCancelLockForm FormHeldBy(int fiber) const {
    return static_cast<KiCancelLockForm>(processors_[fiber].cancel_lock_held);
  }
  // A moment inside of a lock at which another processor may look in.
  void Stay(const volatile void* place) { engine_.point(kPointCallbackEnter, place); }

  const MachineRoom room_;
  const RoomEngine engine_;
  const RoomProgram* program_ = nullptr;
  KiProcessor processors_[kRoomFibers];
  RoomJudge judge_;
  Slot slots_[kRoomIrps];
  KSPIN_LOCK queue_lock_, spin_lock_;
  FAST_MUTEX mutex_;
  char inside_cancel_lock_ = 0, inside_lock_ = 0;  // places, never read
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_WORLD_H_
