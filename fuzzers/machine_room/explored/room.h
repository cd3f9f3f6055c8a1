// The machine room (impl/kernel) as a guest: a shared object of its own, compiled with
// access points, of which two processors share a share of the cancel lock. What it
// offers is a table, so that mutants come in through the same door.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_ROOM_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_ROOM_H_

#include <string>

#include "impl/kernel/irp_life.h"

namespace cancelsafe {

// X(name): services and, of the host's side, what a run needs.
#define CANCELSAFE_MACHINE_ROOM(X) \
  X(KiSetPlatform)                 \
  X(KiPlaceIrp)                    \
  X(KiIrpHeaderOf)                 \
  X(KiRetiredIntact)               \
  X(KiUnpoison)                    \
  X(KiBeginCancel)                 \
  X(KiEndCancel)                   \
  X(KiResetCancelLock)             \
  X(KiCancelLockHeld)              \
  X(KiViolationName)               \
  X(KeInitializeSpinLock)          \
  X(KeAcquireSpinLockRaiseToDpc)   \
  X(KeReleaseSpinLock)             \
  X(ExInitializeFastMutex)         \
  X(ExAcquireFastMutex)            \
  X(ExReleaseFastMutex)            \
  X(IoAcquireCancelSpinLock)       \
  X(IoReleaseCancelSpinLock)       \
  X(IofCompleteRequest)            \
  X(IoCancelIrp)                   \
  X(CancelsafeShareCancelLock)

struct MachineRoom {
#define CANCELSAFE_ROOM_MEMBER(name) decltype(&::name) name;
  CANCELSAFE_MACHINE_ROOM(CANCELSAFE_ROOM_MEMBER)
#undef CANCELSAFE_ROOM_MEMBER
  // A variable that every service reads: never a place to switch at.
  const void* platform_variable;
};

// Loads a shared object. False, with the reason in `*error`, if it cannot be loaded or
// lacks one of the names. It stays loaded.
bool LoadMachineRoom(const std::string& path, MachineRoom* room, std::string* error);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_ROOM_H_
