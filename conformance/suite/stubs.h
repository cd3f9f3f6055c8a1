// The driver's callbacks and the calls of the routines under test. The
// callbacks log, check what must hold in every case (lock held, right queue,
// known IRP), then do what a plain driver does.
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

// Initialise queue `number` with the suite's callbacks; the answer.
NTSTATUS InitCsq(int number = 0);
NTSTATUS InitCsqEx(int number = 0);
NTSTATUS InitCbdq(int number = 0);

// IoCsqXxx on queue `number`; items are named, kNone is NULL. The insert
// context is passed as given.
void Insert(int item, bool with_context = true, int number = 0);
NTSTATUS InsertEx(int item, PVOID insert_context = nullptr, bool with_context = true,
                  int number = 0);
int Remove(int item, int number = 0);
int RemoveNext(int group = kNone, int number = 0);
BOOLEAN Cancel(int item);

// FltCbdqXxx.
NTSTATUS InsertIo(int item, PVOID insert_context = nullptr, bool with_context = true,
                  int number = 0);
int RemoveIo(int item, int number = 0);
int RemoveNextIo(int group = kNone, int number = 0);
void EnableIo(int number = 0);
void DisableIo(int number = 0);

// What is linked in the driver's list of queue `number`, as "0 2 1".
Text<32> Linked(int number = 0);
// True if the driver's list is exactly this.
bool LinkedIs(const char* items, int number = 0);

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_STUBS_H_
