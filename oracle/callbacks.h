// What a driver's callback is and what it saw: the words that histories, models
// and the conformance suite share. Nothing here needs a C++ library beyond
// <cstdint>, because the suite compiles as part of a kernel driver.
#ifndef CANCELSAFE_ORACLE_CALLBACKS_H_
#define CANCELSAFE_ORACLE_CALLBACKS_H_

#include <cstdint>

namespace cancelsafe {

inline constexpr uint8_t kNoItem = 0xff;

// A driver callback as the driver saw it.
enum class CallbackKind : uint8_t {
  kAcquire,           // A
  kInsert,            // I
  kPeek,              // P
  kRemove,            // R
  kRelease,           // U
  kCompleteCanceled,  // C
  kStartIo,           // S
  kDriverCancel,      // K: the driver's own cancel routine (StartIo family)
  kCompleted,         // D: IoCompleteRequest reached the originator
};
inline constexpr char kCallbackLetters[] = "AIPRUCSKD";
constexpr char LetterOf(CallbackKind kind) { return kCallbackLetters[static_cast<uint8_t>(kind)]; }

// How the IRP (or callback data) and the locks looked inside the callback.
enum SnapshotFlag : uint16_t {
  kQueueLockHeld = 1,   // by this fiber
  kCancelLockHeld = 2,  // by this fiber
  kPendingMarked = 4,   // SL_PENDING_RETURNED
  kCancelRoutineSet = 8,
  kCancelFlagSet = 16,
  // DriverContext[0..2] and whatever the driver keeps for itself; IoStatus and the stack
  // locations too, where they hold something.
  kCanariesIntact = 32,
  kRightQueue = 64,       // the queue argument is the queue under test
  kContextSlotSet = 128,  // DriverContext[3] is not null
  // The item argument is in the driver's list (before the callback acts); set
  // for a peek from the head. StartIo: it is the device's CurrentIrp.
  kLinked = 256,
  // Release: the token is the one this call's acquire stored. Insert and peek:
  // the context is the one the caller gave. Driver's cancel routine: the item was started
  // with it.
  kTokenMatches = 512,
  // The item argument is one of the test's, and not completed; set for a peek
  // from the head.
  kKnownItem = 1024,
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_CALLBACKS_H_
