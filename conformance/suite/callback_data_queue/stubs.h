// Callback data queues of the suite's driver: initialisation, and calls as steps.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_CALLBACK_DATA_QUEUE_STUBS_H_
#define CANCELSAFE_CONFORMANCE_SUITE_CALLBACK_DATA_QUEUE_STUBS_H_

#include "../stubs.h"

namespace cancelsafe::suite {

// Initialise queue `number` with the suite's callbacks; the answer.
NTSTATUS InitFilterQueue(int number = 0);

// FltCbdqXxx.
NTSTATUS InsertIo(int item, PVOID insert_context = nullptr, bool with_context = true,
                  int number = 0);
int RemoveIo(int item, int number = 0);
int RemoveNextIo(int group = kNone, int number = 0);
void EnableIo(int number = 0);
void DisableIo(int number = 0);

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_CALLBACK_DATA_QUEUE_STUBS_H_
