// The vocabulary: operations, what they returned, the driver callbacks they
// made, and how a queue is set up. Programs are made of it, models consume it,
// histories hold it and reports print it. No second set of enums anywhere; no
// pointer, no lock and no implementation in here.
#ifndef CANCELSAFE_ORACLE_OPERATIONS_H_
#define CANCELSAFE_ORACLE_OPERATIONS_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "oracle/callbacks.h"

namespace cancelsafe {

// Which of the documented queues. families.def is the list of them; oracle/family.h says
// what there is to know of each.
enum class Family : uint8_t {
#define CANCELSAFE_FAMILY(family, file_name) family,
#include "oracle/families.def"
#undef CANCELSAFE_FAMILY
};
inline constexpr int kFamilyCount = 0
#define CANCELSAFE_FAMILY(family, file_name) +1
#include "oracle/families.def"
#undef CANCELSAFE_FAMILY
    ;

// Items are IRPs, device queue entries or callback data, named by numbers from 0.
// Most programs have few, some many (Setup::many_items).
inline constexpr int kFewItems = 8;
inline constexpr int kMaxItems = 64;
inline constexpr int kMaxFibers = 4;
// File objects that an IRP may belong to; a peek by file selects one.
inline constexpr int kFileCount = 3;

// One call of a documented routine. operations.def describes each, and
// oracle/operation_table.h has what it says as values.
enum class Op : uint8_t {
#define CANCELSAFE_OPERATION(op, number, ...) op = (number),
#define CANCELSAFE_ROUTINE(op, ...)
#include "oracle/operations.def"
#undef CANCELSAFE_OPERATION
#undef CANCELSAFE_ROUTINE
};
inline constexpr int kOpCount = 0
#define CANCELSAFE_OPERATION(op, ...) +1
#define CANCELSAFE_ROUTINE(op, ...)
#include "oracle/operations.def"
#undef CANCELSAFE_OPERATION
#undef CANCELSAFE_ROUTINE
    ;

enum OperationFlag : uint8_t {
  kWithContext = 1,    // insert: a context is given, so kRemove can name the item
  kCancelable = 2,     // StartIo: with a cancel function / Cancelable TRUE
  kDeferred = 4,       // kSetAttributes: DeferredStartIo
  kNonCancelable = 8,  // kSetAttributes: NonCancelable
  kOtherQueue = 16,    // on the second queue, where there are two
};
inline constexpr int kOperationFlagCount = 5;
inline constexpr int kLastOperationFlag = kOtherQueue;
inline constexpr int kMaxQueues = 2;

struct Operation {
  Op op = Op::kInsert;
  uint8_t item = 0;   // 0..ItemsOf(setup)-1
  uint8_t flags = 0;  // OperationFlag
  uint8_t irql = 0;   // caller's IRQL, 0..2; lowered where the routine demands less
  // kRemoveNext: 0 any, else 1 + file (peek by file). kInsertEx: insert context.
  uint8_t selector = 0;
  uint32_t key = 0;  // sort key: insert position, by-key removal, peek by key

  friend bool operator==(const Operation& a, const Operation& b) {
    return a.op == b.op && a.item == b.item && a.flags == b.flags && a.irql == b.irql &&
           a.selector == b.selector && a.key == b.key;
  }
};

// What a call returned: an NTSTATUS, a BOOLEAN (0 or 1), or an item (kNothing
// for NULL); 0 for void routines. The operation says which.
struct Outcome {
  int32_t value = 0;
  friend bool operator==(Outcome a, Outcome b) { return a.value == b.value; }
};
inline constexpr int32_t kNothing = -1;

struct CallbackEvent {
  CallbackKind kind = CallbackKind::kAcquire;
  uint8_t item = kNoItem;   // insert, remove, complete, start: argument; peek: result
  uint8_t after = kNoItem;  // peek: the item argument (kNoItem for NULL)
  uint8_t fiber = 0;
  uint8_t irql = 0;
  uint8_t call = 0;       // index into History::calls of the call that made it
  uint16_t snapshot = 0;  // SnapshotFlag
  int32_t status = 0;     // insert: what the callback returned; completion: IoStatus.Status
  uint32_t sequence = 0;  // position among all calls, returns and events of the run
};

// How the queue is set up, and how its driver behaves.
enum class InsertPolicy : uint8_t { kTail, kHead, kSorted };
enum class PeekPolicy : uint8_t { kAny, kByFile, kByKey };
enum class LockKind : uint8_t { kSpin, kMutex };
// What the driver's CsqCompleteCanceledIrp does besides completing the IRP: calls
// that re-enter the queue while no lock is held (AMB-15).
enum class Reentry : uint8_t { kNone, kRemoveNext, kInsert, kCancel };
// What the driver's StartIo does with the IRP it is given.
enum class StartIoStyle : uint8_t {
  kPend,          // leaves it current; a later kStartNext finishes it
  kFinishInside,  // starts the next packet and completes it before returning
  kFinishOdd,     // kFinishInside for items with an odd number, else kPend
};

// What the driver's StartIo does to another packet before it lets the present one go.
enum class StartIoCall : uint8_t { kNothing, kStartPacket, kCancel };

// Setup::failing_insert and cancelling_insert name one of the first fifteen.
inline constexpr int kMaxInsertOrdinal = 15;

// What the insert callback of an Ex queue returns for an IRP that it queued.
enum class InsertStatus : uint8_t { kSuccess, kPending, kInformational };

// How many entries of a device queue's list the built-in implementation walks before it
// turns to its tree: the plain value first, that of a release last. Other implementations
// may have no such number.
inline constexpr int kListMaxes[] = {2, 0, 1, 5, 16, 48};

// A queue and its driver. Every member is one byte; setup_table.h has a row for each
// but the family.
struct Setup {
  Family family = Family::kCsq;
  bool ex = false;  // IoCsqInitializeEx
  InsertPolicy insert = InsertPolicy::kTail;
  PeekPolicy peek = PeekPolicy::kAny;
  LockKind lock = LockKind::kSpin;
  InsertStatus insert_status = InsertStatus::kSuccess;
  uint8_t failing_insert = 0;     // this insert callback fails (1 the first, 0 none)
  uint8_t cancelling_insert = 0;  // this insert callback cancels its own IRP (0 none)
  Reentry reentry = Reentry::kNone;
  uint8_t reentry_item = 0;
  StartIoStyle start_io = StartIoStyle::kPend;
  bool start_by_key = false;      // StartIo calls IoStartNextPacketByKey
  bool random_tokens = false;     // what acquire stores is not an IRQL, and differs each time
  bool dirty_slot = false;        // DriverContext[3] holds something when an IRP is inserted
  bool freed_contexts = false;    // CompleteCanceled frees the context of the IRP
  bool reused_irps = false;       // a new IRP lies where the completed one of its number lay
  bool used_memory = false;       // the queue's memory held another queue before
  bool warning_status = false;    // a failing insert callback returns a warning, not an error
  uint8_t start_key = 0;          // with which StartIo calls IoStartNextPacketByKey
  bool many_items = false;        // kMaxItems of them, else kFewItems
  bool two_queues = false;        // kMaxQueues of them, which items go into in turn
  uint8_t list_max = 0;           // index into kListMaxes
  bool filled_irps = false;       // IoStatus and three stack locations hold something to keep
  bool defers_inside = false;     // StartIo itself sets DeferredStartIo
  bool mixed_operations = false;  // those with an odd number have no IRP
  StartIoCall start_io_calls = StartIoCall::kNothing;
  uint8_t start_io_item = 0;  // of that call

  friend bool operator==(const Setup& a, const Setup& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
  }
};
static_assert(std::has_unique_object_representations_v<Setup>, "padding would be compared");

inline int QueuesOf(const Setup& setup) { return setup.two_queues ? kMaxQueues : 1; }
// Which queue an operation that names one is on.
inline int QueueOf(const Operation& operation) {
  return (operation.flags & kOtherQueue) != 0 ? 1 : 0;
}
inline int ItemsOf(const Setup& setup) { return setup.many_items ? kMaxItems : kFewItems; }
// False for callback data of an operation that is not based on an IRP.
inline bool HasIrp(const Setup& setup, int item) {
  return !setup.mixed_operations || item % 2 == 0;
}

// Status values of the documented pages, as numbers: the oracle includes no
// kernel header.
inline constexpr int32_t kStatusSuccess = 0;
inline constexpr int32_t kStatusPending = 0x103;
inline constexpr int32_t kStatusObjectNameExists = 0x40000000;                      // informational
inline constexpr int32_t kStatusBufferOverflow = static_cast<int32_t>(0x80000005);  // a warning
inline constexpr int32_t kStatusUnsuccessful = static_cast<int32_t>(0xC0000001);
inline constexpr int32_t kStatusInvalidParameter = static_cast<int32_t>(0xC000000D);
inline constexpr int32_t kStatusInsufficientResources = static_cast<int32_t>(0xC000009A);
inline constexpr int32_t kStatusCancelled = static_cast<int32_t>(0xC0000120);
inline constexpr int32_t kStatusCbdqDisabled = static_cast<int32_t>(0xC01C000E);

// The name of a family in texts and reports ("device-queue"), and in file names
// ("device_queue").
const char* FamilyName(Family family);
const char* FamilyFileName(Family family);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_OPERATIONS_H_
