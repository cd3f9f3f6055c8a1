// The driver's callbacks, which log, check what must hold in every case (lock held,
// right queue, known IRP), then do what a plain driver does. The calls of the routines
// under test are in <family>/stubs.h.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_STUBS_H_
#define CANCELSAFE_CONFORMANCE_SUITE_STUBS_H_

#include "world.h"

namespace cancelsafe::suite {

// An insert callback's status of severity warning (STATUS_BUFFER_OVERFLOW): NT_SUCCESS
// says no, and "error" in the narrow sense does not fit either.
inline constexpr NTSTATUS kWarningStatus = static_cast<NTSTATUS>(0x80000005);

// Poisons the memory of an item that was completed.
void BuryItem(int item);
// The driver finishes an item that it owns.
void CompleteItem(int item, NTSTATUS status);

BOOLEAN Cancel(int item);

// What is linked in the driver's list of queue `number`, as "0 2 1".
Text<32> Linked(int number = 0);
// True if the driver's list is exactly this.
bool LinkedIs(const char* items, int number = 0);

// What the callbacks of every kind of queue do. A kind binds them to its documented
// types (<family>/stubs.cc).
// Checks what has to hold in every case: noted only when it does not. `filter` are the
// clauses of a minifilter's queue.
void Standing(bool ok, const TestQueue* queue, const char* csq, const char* filter,
              const char* what);
// The queue that a callback was given; gives the case up if it is none of this kind.
TestQueue* QueueOf(PVOID pointer, bool filter);
void OnAcquire(TestQueue* queue, PKIRQL irql);
void OnRelease(TestQueue* queue, KIRQL irql);
NTSTATUS OnInsert(TestQueue* queue, int item, PVOID context);
void OnRemove(TestQueue* queue, int item);
int OnPeek(TestQueue* queue, int after, PVOID context);
void OnCompleteCanceled(TestQueue* queue, int item);

// "queue 0", for calls; and the peek context of a group of items, null for kNone.
const char* QueueText(int number);
PVOID PeekContext(int group);

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_STUBS_H_
