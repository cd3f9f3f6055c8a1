// Cancel-safe queues of the suite's driver: initialisation, and calls as steps.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_CSQ_STUBS_H_
#define CANCELSAFE_CONFORMANCE_SUITE_CSQ_STUBS_H_

#include "../stubs.h"

namespace cancelsafe::suite {

// Initialise queue `number` with the suite's callbacks; the answer.
NTSTATUS InitCsq(int number = 0);
NTSTATUS InitCsqEx(int number = 0);

// IoCsqXxx on queue `number`; items are named, kNone is NULL. The insert
// context is passed as given.
void Insert(int item, bool with_context = true, int number = 0);
NTSTATUS InsertEx(int item, PVOID insert_context = nullptr, bool with_context = true,
                  int number = 0);
int Remove(int item, int number = 0);
int RemoveNext(int group = kNone, int number = 0);

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_CSQ_STUBS_H_
