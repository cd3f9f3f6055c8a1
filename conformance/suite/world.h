// The suite's own driver, seen from a case: IRPs, two queues with their
// callbacks, the log of everything the callbacks saw, and the calls. One world,
// made new for every case; single-threaded by construction, since races are
// acted out from inside callbacks.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_WORLD_H_
#define CANCELSAFE_CONFORMANCE_SUITE_WORLD_H_

#include "../../oracle/callbacks.h"
#include "case.h"
#include "host.h"

namespace cancelsafe::suite {

inline constexpr int kItems = 6;
inline constexpr int kQueues = 2;
inline constexpr int kMaxEvents = 400;
inline constexpr int kMaxCalls = 120;
inline constexpr int kNone = kNoItem;  // also of calls, queues and unknown IRQLs
inline constexpr int kAll = -1;        // CheckTrace: the whole case

// A snapshot flag of the suite's own, beside SnapshotFlag.
inline constexpr unsigned kFinalStatus = 0x10000;  // IoStatus is STATUS_CANCELLED and 0

// What a callback saw when it was entered.
struct Event {
  CallbackKind kind;
  unsigned char call;
  unsigned char queue;
  unsigned char item;   // argument; of a peek its answer; kNone for NULL
  unsigned char after;  // peek: its argument
  unsigned char irql;   // kNone if the host cannot tell
  unsigned flags;
  unsigned known;    // flags that this host can tell here
  long long detail;  // insert, peek: the context pointer; lock: the token
};

struct Call {
  const char* routine;
  unsigned char parent;  // the call inside which it was made, kNone for the case
  unsigned char irql;    // at entry; kNone if the host cannot tell
  int locks;             // held at entry
  int locks_taken;       // between entry and return, where the host can count them
  Text<72> text;
  Text<24> answer;
};

enum class LockStyle : unsigned char {
  kSpin,    // raises to DISPATCH_LEVEL and stores the old level, as documented
  kToken,   // leaves the IRQL alone and stores a number of its own
  kSilent,  // never writes through the Irql pointer
  kMutex,   // raises to APC_LEVEL and keeps the old level to itself
};

struct TestQueue {
  ULONG_PTR canary_before;
  union {
    IO_CSQ csq;
    FLT_CALLBACK_DATA_QUEUE filter_queue;
  };
  ULONG_PTR canary_after;
  bool filter;  // a minifilter's queue
  bool ex;      // initialised with an insert routine that returns a status
  LIST_ENTRY list;
  bool held;
  unsigned char held_token;
  KIRQL saved_irql;
  LockStyle lock;
  NTSTATUS insert_status;  // what the insert callback answers; errors do not link
  bool insert_at_head;
  bool complete;  // CompleteCanceled finishes the IRP
};

struct Item {
  PIRP irp;
  bool filter;          // it has been in a minifilter queue's hands
  unsigned char group;  // selected by a peek with &World::groups[group]
  unsigned char inserts, removes, cancels, completions;
  TestQueue* linked_in;
  bool ended;  // completed: the memory is invalid
  ULONG_PTR canary_before;
  IO_CSQ_IRP_CONTEXT context;
  ULONG_PTR canary_after;
  PFLT_CALLBACK_DATA data;  // null if the host makes none
  IRP saved;                // as it was when it was completed
};

struct World {
  Host host;
  TestQueue queues[kQueues];
  Item items[kItems];
  char groups[4];
  Event events[kMaxEvents];
  int event_count;
  Call calls[kMaxCalls];
  int call_count;
  unsigned char current_call;
  bool in_stub;
  // Act inside a callback: `enter` when it was logged and nothing has been done,
  // `leave` when it is about to return. Must not let itself recurse endlessly.
  void (*enter)(const Event& event);
  void (*leave)(const Event& event);
  PDEVICE_OBJECT device;
  int acts;  // free counter for hooks
  unsigned violations_forgiven;
};

extern World w;

// Fresh world for a case; frees what the last one left.
void ResetWorld(const Host& host);
// End of a case: locks, IRQL, canaries and dead memory. Then frees the items.
void CloseWorld();

inline EntryPoints& Entry() { return w.host.entry; }
inline Services& Kernel() { return w.host.kernel; }
PIRP Irp(int item);
int ItemOf(PIRP irp);  // kNone for NULL; fails the case for a stranger
bool Pending(int item);
bool Marked(PIRP irp);
KIRQL CurrentIrql();  // kNone if the host cannot tell
void SetIrql(KIRQL irql);

// Calls are numbered from 0 in the order of their start.
int BeginCall(const char* routine, int item, const char* more = "");
void EndCall(int call);
void EndCall(int call, const char* answer);
void EndCallItem(int call, int item);
void EndCallValue(int call, long long value);
int LastCall();  // number of the call that was started last
// Number of the nth call (from 0) of `routine`; fails the case if there is none.
int CallOf(const char* routine, int nth = 0);

Event& NoteEvent(CallbackKind kind, TestQueue* queue, int item, int after, long long detail);
// Callbacks of a call as text: "A I0 U", "A P>0 P0>1 R1 U". kAll: of every call.
// Completions are not callbacks of the queue and do not appear.
Text<160> TraceOf(int call);
int Count(CallbackKind kind, int item = kNone);
// The nth event of this kind, or a blank one of queue kNone and item kNone.
const Event& EventOf(CallbackKind kind, int nth = 0);

void CheckTrace(const char* clauses, int call, const char* expected, const char* file, int line);
void CheckInside(const char* clauses, CallbackKind kind, unsigned flag, bool wanted,
                 const char* name, const char* file, int line);
// The call, which has returned, took a spin lock.
void CheckTakesLock(const char* clauses, int call, const char* file, int line);
// For hosts that notice misuse of the kernel: fails the running case.
void NoteViolation(const char* what, const char* clause);

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_WORLD_H_
