// Programs on the machine room: what up to four processors do with three IRPs, the
// cancel lock, a spin lock and a fast mutex. The documented protocol of a driver that
// queues IRPs, in its smallest form.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_PROGRAM_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_PROGRAM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/machine_room/explored/judge.h"

namespace cancelsafe {

enum class RoomOp : uint8_t {
  kHoldCancelLock,  // take the cancel lock and give it back
  kCancel,          // IoCancelIrp
  kQueue,           // set a driver's cancel routine; take the IRP back if it was cancelled
  kQueueSharing,    // the same with a routine that shares the lock
  kTake,            // take the IRP out of the queue and complete it
  kRequeue,         // take a driver's IRP out of the queue and queue it again
  kDisarm,          // under the cancel lock: is the routine gone?
  kComplete,        // complete an IRP that was never queued; others may do the same
  kSpinLock,        // take the spin lock and give it back
  kFastMutex,       // the same with the mutex
};

struct RoomStep {
  RoomOp op;
  int irp = 0;
};

struct RoomProgram {
  std::string name;
  std::vector<std::vector<RoomStep>> fibers;
  // Queued before the fibers start: kQueue, kQueueSharing or kHoldCancelLock for not.
  RoomOp before[kRoomIrps] = {};
  // IRQL that fiber f starts at.
  static KIRQL LevelOf(int fiber) { return fiber % 2 == 0 ? PASSIVE_LEVEL : APC_LEVEL; }
};

// Small programs, one for each promise, to be explored completely.
std::vector<RoomProgram> RoomScenarios();

// Total and deterministic: any bytes make a program that keeps the callers' rules (an IRP
// is queued by one step, and completed without a queue only if it never is).
RoomProgram RoomProgramOf(const uint8_t* data, size_t size);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_PROGRAM_H_
